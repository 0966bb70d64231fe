#!/usr/bin/env bash
# All of LibriSpeech on one GPU; librispeech.toml has the settings.
# ROOT: folder that holds (or gets) LibriSpeech. WORK: where to. PRESET: edge or base. Call again to go on.
set -euo pipefail
: "${ROOT:?set ROOT to the folder that holds LibriSpeech}" "${WORK:=work}" "${PRESET:=edge}"

out="$WORK/librispeech-$PRESET"
resume=()
if [ -e "$out/last/config.json" ]; then resume=(--resume); fi

asr-train fit --out "$out" --config "$(dirname "$0")/librispeech.toml" --preset "$PRESET" \
  --librispeech "$ROOT" --subset train-clean-100 --subset train-clean-360 --subset train-other-500 \
  --dev-subset dev-clean --download --audio-cache "$WORK/cache" "${resume[@]}"

asr-train average "$out"/epoch-* --out "$out/average"
