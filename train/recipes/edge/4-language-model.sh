#!/usr/bin/env bash
# The word trigrams that the runtime decodes with. The books share no 8-word run with LibriSpeech's
# dev and test sets; nothing of dev.jsonl goes in.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

asr-train language-model "$DATA/text/books.txt.xz" --out "$WORK/english.lm" \
  --vocabulary 60000 --max-megabytes 8 \
  --source "320 novels of the 19th century" --licence "public domain"
