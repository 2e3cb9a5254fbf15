"""A run becomes model files: the averaged generators as .onnx and .safetensors, with the parity measured."""
