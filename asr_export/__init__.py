"""Convert a trained checkpoint, mel front end included, to ONNX and TorchScript, and verify it."""
