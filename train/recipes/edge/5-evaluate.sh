#!/usr/bin/env bash
# The dev set's word error rates: greedy, with the language model, faint and noisy.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

score() { asr-train evaluate "$WORK/edge" --manifest "$DATA/dev.jsonl" --worst 0 "$@"; }
echo "greedy:                 $(score)"
echo "greedy, 20 dB fainter:  $(score --gain-db -20)"
echo "greedy, 10 dB SNR:      $(score --snr-db 10)"
echo "greedy, streamed:       $(score --chunk-ms 640 --lookahead-ms 320)"
beam() {
  asr-train tune-decoder --manifest "$DATA/dev.jsonl" --model "$WORK/edge.onnx" --language-model "$WORK/english.lm" "$@" |
    sed -n 2p
}
echo "language model:                 $(beam)"
echo "language model, 20 dB fainter:  $(beam --gain-db -20)"
echo "language model, 10 dB SNR:      $(beam --snr-db 10)"
echo "small language model:           $(beam --language-model "$WORK/english-small.lm")"
