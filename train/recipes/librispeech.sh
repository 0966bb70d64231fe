#!/usr/bin/env bash
# All of LibriSpeech on one GPU: the edge recipe's settings, larger batches, more passes.
# ROOT: folder that holds (or gets) LibriSpeech. WORK: where to. PRESET: edge or base. Call again to go on.
set -euo pipefail
: "${ROOT:?set ROOT to the folder that holds LibriSpeech}" "${WORK:=work}" "${PRESET:=edge}"

out="$WORK/librispeech-$PRESET"
resume=()
if [ -e "$out/last/config.json" ]; then resume=(--resume); fi

asr-train fit --out "$out" --preset "$PRESET" --seed 1 \
  --librispeech "$ROOT" --subset train-clean-100 --subset train-clean-360 --subset train-other-500 \
  --dev-subset dev-clean --download --audio-cache "$WORK/cache" \
  --device cuda --batch-seconds 1600 --workers 12 --epochs 30 --learning-rate 2e-3 --warmup 0.1 --keep 5 \
  --speed 0.1 --reverb 0.2 --noise 0.3 --band-limit 0.05 --volume 0.5 --non-speech 0.02 \
  --freq-masks 2 --time-masks 5 --chunked 0.4 "${resume[@]}"

asr-train average "$out"/epoch-* --out "$out/average"
