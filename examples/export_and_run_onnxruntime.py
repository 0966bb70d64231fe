"""An exported model with ONNX Runtime and numpy alone, as any other program would run it.

asr-export onnx runs/edge/best model.onnx  # or take runtime/asr_runtime/models/edge.onnx
python examples/export_and_run_onnxruntime.py model.onnx speech.wav  # 16 kHz, mono, 16 bits
"""

import json
import sys
import wave

import numpy as np
import onnxruntime

model, recording = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.log_severity_level = 3  # it would remark on the inputs that streams alone need
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["model_card"])
with wave.open(recording) as wav:
    if (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) != (card["sample_rate"], 1, 2):
        sys.exit(f"{recording}: give {card['sample_rate']} Hz, mono, 16 bits a sample")
    samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(np.float32) / 32768
inputs = {"input_values": samples[None], "input_lengths": np.array([samples.size], np.int64)}
log_probs, frames = session.run(["logprobs", "output_lengths"], inputs)
best = log_probs[0, : frames[0]].argmax(axis=1)
spoken = best[np.diff(best, prepend=-1) != 0]  # repeated labels are one, then blanks go
text = "".join(card["vocabulary"][label] for label in spoken if label != card["blank_id"])
print(" ".join(text.split()))
