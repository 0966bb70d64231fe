"""Train a ResCNN-BiGRU speech recogniser: data, features, model, training loop."""

import asr_runtime  # noqa: F401 - before onnxruntime, whose reports it turns off
