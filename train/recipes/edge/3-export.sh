#!/usr/bin/env bash
# The shipped file. The checkpoint has its weights on the int8 grid, so every precision is the same model.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

rm -rf "$WORK/edge"
asr-train compact "$WORK/fifth/best" "$WORK/edge" --round-weights int8
asr-export onnx "$WORK/edge" "$WORK/edge.onnx" --precision int8 --streaming \
  --model-card "$(dirname "$0")/../../../runtime/asr_runtime/models/MODEL_CARD.md"
