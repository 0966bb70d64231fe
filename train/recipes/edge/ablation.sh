#!/usr/bin/env bash
# What each augmentation bought: from the first run's weights, a pass over 4.6 h with all of them, with
# each left out, and with none; then two passes, or one and as much synthetic speech. One line an arm:
# dev word error rate as recorded, 20 dB fainter, at 10 dB signal-to-noise ratio, greedy. Arms that
# are done are not run again.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

: "${START:=$WORK/first/best}"
table="$WORK/ablation/table.md"

# without KEY…: the changes that switch these augmentations off.
without() {
  local key
  for key in "$@"; do echo "--set $key=0"; done
}

arm() {
  local name=$1 out="$WORK/ablation/$1"
  shift
  if grep -qs "^| $name |" "$table"; then return; fi
  fit "$out" ablation --init "$START" \
    --train-manifest "$DATA/librispeech-train-clean-5/train.jsonl" "$@"
  local condition line="$name"
  for condition in "--gain-db 0" "--gain-db -20" "--snr-db 10"; do
    # shellcheck disable=SC2086  # an option and its value
    line+=" | $(asr-train evaluate "$out/last" --manifest "$DATA/dev.jsonl" --worst 0 $condition | cut -d' ' -f2)"
  done
  echo "| $line |" | tee -a "$table"
}

mkdir -p "$WORK/ablation"
# As much synthetic speech as there is real speech.
head -n 3700 "$WORK/synthetic/hibari.jsonl" >"$WORK/synthetic/ablation.jsonl"

# shellcheck disable=SC2046  # options are words
{
  arm all
  arm none $(without speed reverb noise band_limit volume non_speech freq_masks time_masks)
  arm no-speed $(without speed)
  arm no-volume $(without volume)
  arm no-noise $(without noise)
  arm no-reverb $(without reverb)
  arm no-band-limit $(without band_limit)
  arm no-masks $(without freq_masks time_masks)
  arm all-twice --set epochs=2
  arm all-and-synthetic --train-manifest "$WORK/synthetic/ablation.jsonl"
}
