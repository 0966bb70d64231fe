#!/usr/bin/env bash
# Six runs: letters first, on clean audio without dropout, which learns fastest; then everything
# that keeps it from learning the training set by heart, a short run and a long one; then on real
# speech alone, with part of the batches cut as a stream will be; then many passes over the same, two
# views of each utterance at a time, for which a GPU is needed: ten minutes, or days on two cores; and
# with phonemes beside the letters, first CTC and then LF-MMI, on a GPU as well.
# Each run's settings are in a TOML file of its name. Stop with Ctrl-C, go on by calling again.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

real=(
  --train-manifest "$DATA/train.jsonl"
  # The read books once more: they are what the development set is.
  --train-manifest "$DATA/librispeech-train-clean-5/train.jsonl"
  --train-manifest "$DATA/librispeech-dev-clean-part/train.jsonl"
)

fit "$WORK/first" first --train-manifest "$DATA/train.jsonl"

fit "$WORK/second" second --init "$WORK/first/best" "${real[@]}" --train-manifest "$WORK/synthetic/hibari.jsonl"

fit "$WORK/third" third --init "$WORK/second/best" "${real[@]}" \
  --train-manifest "$WORK/synthetic/hibari.jsonl" --train-manifest "$WORK/synthetic/nanotts.jsonl"

fit "$WORK/fourth" fourth --init "$WORK/third/best" "${real[@]}"

PROCESSES=1 fit "$WORK/fifth" fifth --init "$WORK/fourth/best" "${real[@]}"

asr-train quantize "$WORK/fifth/best" "$WORK/fifth/rounded" --quantize-weights int8
corpora=()
for manifest in "$CORPORA"/{librispeech-train-clean-part,librispeech-train-clean-40-78,vcc2016,voxforge-part,voxforge-part-2,voxforge-part-3,vctk-p239,ljspeech-texts-matthes,commonvoice-21-sample,commonvoice-1-valid-test-part}/train.jsonl; do
  corpora+=(--train-manifest "$manifest")
done
asr-train lexicon "$DATA/train.jsonl" $(printf '%s\n' "${corpora[@]}" | grep -v -- --train-manifest) --out "$WORK/lexicon.txt"

# No development set: there are twenty minutes at most, and scoring takes some of them.
DEV='' PROCESSES=1 fit "$WORK/sixth" sixth --init "$WORK/fifth/rounded" --lexicon "$WORK/lexicon.txt" \
  --train-manifest "$DATA/train.jsonl" "${corpora[@]}" \
  --train-manifest "$DATA/librispeech-train-clean-5/train.jsonl" --train-manifest "$DATA/librispeech-dev-clean-part/train.jsonl" \
  --train-manifest "$CORPORA/librispeech-train-clean-part/train.jsonl" --train-manifest "$CORPORA/librispeech-train-clean-40-78/train.jsonl"
