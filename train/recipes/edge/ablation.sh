#!/usr/bin/env bash
# What each augmentation bought: from the first run's weights, one pass with all of them, with each
# left out, and with none. One line an arm: dev word error rate as recorded, 20 dB fainter, at 10 dB
# signal-to-noise ratio. Arms that are done are not run again.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

all=(--speed 0.1 --reverb 0.2 --noise 0.3 --band-limit 0.05 --volume 0.5 --non-speech 0.02 --freq-mask 15 --time-mask 35)

# without SWITCH…: the options but those.
without() {
  local index kept=()
  for ((index = 0; index < ${#all[@]}; index += 2)); do
    if [[ " $* " == *" ${all[index]} "* ]]; then kept+=("${all[index]}" 0); else kept+=("${all[@]:index:2}"); fi
  done
  echo "${kept[@]}"
}

arm() {
  local name=$1 out="$WORK/ablation/$1"
  shift
  fit "$out" --init "$WORK/first/best" --set dropout=0.1 --epochs 1 --learning-rate 1e-3 --warmup 0.05 \
    --train-manifest "$DATA/train.jsonl" "$@"
  local condition line="$name"
  for condition in "--gain-db 0" "--gain-db -20" "--snr-db 10"; do
    line+=" | $(asr-train evaluate "$out/last" --manifest "$DATA/dev.jsonl" --worst 0 $condition | cut -d' ' -f2)"
  done
  echo "| $line |" | tee -a "$WORK/ablation/table.md"
}

# shellcheck disable=SC2046  # options are words
{
  arm all $(without)
  arm no-speed $(without --speed)
  arm no-reverb $(without --reverb)
  arm no-noise $(without --noise)
  arm no-band-limit $(without --band-limit)
  arm no-volume $(without --volume)
  arm no-non-speech $(without --non-speech)
  arm no-masks $(without --freq-mask --time-mask)
  arm none $(without --speed --reverb --noise --band-limit --volume --non-speech --freq-mask --time-mask)
  arm synthetic $(without) --train-manifest "$WORK/synthetic/hibari.jsonl"
}
