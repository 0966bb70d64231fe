#!/usr/bin/env bash
# Synthetic speech: 5 h of sentences from the books in pseudo-speakers of one neural voice.
# Needs pip install 'asr-export[synthesis]'. Goes on where it was stopped.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

asr-train synthesize "$DATA/text/books.txt.xz" --out "$WORK/synthetic" --engine hibari --hours 5 --seed 12
