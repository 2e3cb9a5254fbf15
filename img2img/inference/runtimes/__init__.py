"""What runs a model: ONNX Runtime, OpenVINO or PyTorch, on a processor or a GPU, and the choice among them."""
