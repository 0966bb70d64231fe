#!/usr/bin/env bash
# Six runs: letters first, on clean audio without dropout, which learns fastest; then everything
# that keeps it from learning the training set by heart, a short run and a long one; then on real
# speech alone, with part of the batches cut as a stream will be; then many passes over the same, two
# views of each utterance at a time, for which a GPU is needed: ten minutes, or days on two cores; and
# with phonemes beside the letters, first CTC and then LF-MMI, on a GPU as well.
# Stop with Ctrl-C, go on by calling again.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

everything=(
  --set dropout=0.1
  --train-manifest "$DATA/train.jsonl"
  # The read books once more: they are what the development set is.
  --train-manifest "$DATA/librispeech-train-clean-5/train.jsonl"
  --train-manifest "$DATA/librispeech-dev-clean-part/train.jsonl"
  --speed 0.1 --reverb 0.2 --noise 0.3 --band-limit 0.05 --volume 0.5
)

fit "$WORK/first" --set dropout=0.0 --train-manifest "$DATA/train.jsonl" --epochs 8 --learning-rate 2e-3

fit "$WORK/second" --init "$WORK/first/best" "${everything[@]}" \
  --train-manifest "$WORK/synthetic/hibari.jsonl" --non-speech 0.02 \
  --epochs 2 --learning-rate 1.2e-3 --warmup 0.04

fit "$WORK/third" --init "$WORK/second/best" "${everything[@]}" --non-speech 0.03 \
  --train-manifest "$WORK/synthetic/hibari.jsonl" --train-manifest "$WORK/synthetic/nanotts.jsonl" --freq-masks 2 --time-masks 2 \
  --epochs 5 --learning-rate 1.5e-3 --warmup 0.06 --batch-seconds 200 --keep 4

fit "$WORK/fourth" --init "$WORK/third/best" "${everything[@]}" --non-speech 0.03 --freq-masks 2 --time-masks 2 \
  --chunked 0.4 --chunk-ms 400 1600 --lookahead-ms 180 600 \
  --epochs 6 --learning-rate 1.2e-3 --warmup 0.05 --keep 3

PROCESSES=1 fit "$WORK/fifth" --init "$WORK/fourth/best" "${everything[@]}" --non-speech 0.03 --silence 0.1 \
  --freq-masks 2 --time-masks 4 --consistency 0.2 --chunked 0.4 --chunk-ms 400 1600 --lookahead-ms 180 600 \
  --device cuda --audio-on-device --batch-seconds 1000 --epochs 22 --learning-rate 2e-3 --warmup 0.05 --keep 3

asr-train compact "$WORK/fifth/best" "$WORK/fifth/rounded" --round-weights int8
corpora=()
for manifest in "$CORPORA"/{librispeech-train-clean-part,librispeech-train-clean-40-78,vcc2016,voxforge-part,voxforge-part-2,voxforge-part-3,vctk-p239,ljspeech-texts-matthes,commonvoice-21-sample,commonvoice-1-valid-test-part}/train.jsonl; do
  corpora+=(--train-manifest "$manifest")
done
asr-train lexicon "$DATA/train.jsonl" $(printf '%s\n' "${corpora[@]}" | grep -v -- --train-manifest) --out "$WORK/lexicon.txt"

# No development set: there are twenty minutes at most, and scoring takes some of them.
DEV='' PROCESSES=1 fit "$WORK/sixth" --init "$WORK/fifth/rounded" --set dropout=0.1 --set phonemes=39 --lexicon "$WORK/lexicon.txt" \
  --train-manifest "$DATA/train.jsonl" "${corpora[@]}" \
  --train-manifest "$DATA/librispeech-train-clean-5/train.jsonl" --train-manifest "$DATA/librispeech-dev-clean-part/train.jsonl" \
  --train-manifest "$CORPORA/librispeech-train-clean-part/train.jsonl" --train-manifest "$CORPORA/librispeech-train-clean-40-78/train.jsonl" \
  --speed 0.1 --reverb 0.2 --noise 0.3 --band-limit 0.05 --volume 0.5 --silence 0.1 --non-speech 0.03 --vocal-tract 0.1 \
  --freq-masks 2 --time-masks 4 --consistency 0.2 --chunked 0.4 --chunk-ms 400 1600 --lookahead-ms 180 600 --lf-mmi-from 0.2 \
  --device cuda --audio-on-device --batch-seconds 1400 --epochs 60 --minutes 11 --learning-rate 2e-3 --warmup 0.06
