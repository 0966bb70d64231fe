#!/usr/bin/env bash
# The shipped file: the epochs' average if it is better than the best one, on the int8 grid, so that
# it is the same model in every precision.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

rm -rf "$WORK/average" "$WORK/edge"
asr-train average "$WORK"/fifth/epoch-* --out "$WORK/average"
asr-train evaluate "$WORK/average" --manifest "$DATA/dev.jsonl" --worst 0 --json "$WORK/average.json"
asr-train evaluate "$WORK/fifth/best" --manifest "$DATA/dev.jsonl" --worst 0 --json "$WORK/best.json"
better=$(python - "$WORK/average.json" "$WORK/best.json" <<'PY'
import json, sys

rates = [json.load(open(path))["word_error_rate"] for path in sys.argv[1:]]
print("average" if rates[0] < rates[1] else "fifth/best")
PY
)
asr-train compact "$WORK/$better" "$WORK/edge" --round-weights int8
asr-export onnx "$WORK/edge" "$WORK/edge.onnx" --precision int8 --streaming \
  --model-card "$(dirname "$0")/../../../runtime/asr_runtime/models/MODEL_CARD.md"
