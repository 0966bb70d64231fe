"""Running the model: ONNX Runtime on a device, and which utterances run together."""
