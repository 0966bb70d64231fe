#!/usr/bin/env bash
# Synthetic speech: 15 h of sentences from the books, 10 h in pseudo-speakers of one neural voice and
# 5 h in pitches and sizes of two older ones.
# Needs pip install 'asr-export[synthesis]'. Goes on where it was stopped.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

asr-train synthesize "$DATA/text/books.txt.xz" --out "$WORK/synthetic" --engine hibari --hours 10 --seed 12
asr-train synthesize "$DATA/text/books.txt.xz" --out "$WORK/synthetic" --engine nanotts --hours 5 --seed 13
