#!/usr/bin/env bash
# The word trigrams that the runtime decodes with, in two sizes, of 422 million words; the larger one
# has 85,000 rare words besides. No book that LibriSpeech's dev and test sets are read from is in the
# texts, and no run of eight words of dev.jsonl. Some 20 minutes on two cores, 8 GB of memory and
# 6 GB of disk beside english.lm.
set -euo pipefail
source "$(dirname "$0")/settings.sh"
# One sentence a line, as people read it aloud; the sources are in the model card.
: "${BOOKS:=$DATA/text/books.txt.xz}"
: "${GENERAL:=$DATA/text/general.txt.xz}"
: "${PROMPTS:=$DATA/text/prompts.txt.xz}"

build() {
  asr-train language-model "$BOOKS" "$GENERAL" "$PROMPTS" --weights 0.87,0.09,0.04 \
    --vocabulary 65000 --minimum-count 5 --cut-offs 1,2 --exclude "$(dirname "$0")/not-spoken.txt" \
    --dev-text "$DATA/dev.jsonl" \
    --source "5,186 books; parts of English Wikipedia of 2014 to 2021; Common Voice's prompts" \
    --licence "books: public domain (US); Wikipedia: CC BY-SA 3.0; prompts: CC0" "$@"
}
build --rare-words 85000 --max-megabytes 25.42 --out "$WORK/english-ngrams.lm"
build --max-megabytes 8 --out "$WORK/english-small-ngrams.lm"

# Both get the same network over words, some three hours more on two cores. The shipped
# network learned in two runs of 85 and 90 minutes, the second from the first one's weights (--init).
if [ ! -e "$WORK/word-network/finished" ]; then
  OMP_NUM_THREADS=1 torchrun --nproc-per-node "$PROCESSES" -m asr_train neural-language-model \
    "$BOOKS" "$GENERAL" "$PROMPTS" --weights 0.87,0.09,0.04 --base "$WORK/english-ngrams.lm" \
    --out "$WORK/word-network" --dev-text "$DATA/dev.jsonl" --minutes 180 \
    --source "the texts of the n-grams" --resume
  touch "$WORK/word-network/finished"
fi
for size in english english-small; do
  asr-train add-neural-language-model "$WORK/word-network" "$WORK/$size-ngrams.lm" "$WORK/$size.lm"
done
