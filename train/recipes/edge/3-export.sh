#!/usr/bin/env bash
# The shipped file: the last run's weights on the int8 grid, so that it is the same model in every
# precision.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

rm -rf "$WORK/edge"
asr-train quantize "$WORK/sixth/last" "$WORK/edge" --quantize-weights int8
asr-export onnx "$WORK/edge" "$WORK/edge.onnx" --precision int8 --streaming \
  --model-card "$(dirname "$0")/../../../runtime/asr_runtime/models/MODEL_CARD.md"
