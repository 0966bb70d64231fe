"""Measure every form of a model: how long it takes, and how much of the machine it uses."""

import asr_runtime  # noqa: F401 - before onnxruntime, whose reports it turns off
