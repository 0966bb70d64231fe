#!/usr/bin/env bash
# Five runs: letters first, on clean audio without dropout, which learns fastest; then everything
# that keeps it from learning the training set by heart, a short run and a long one; then on real
# speech alone, with part of the batches cut as a stream will be; then many passes over the same, two
# views of each utterance at a time, for which a GPU is needed: ten minutes, or days on two cores.
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
