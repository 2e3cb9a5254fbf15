"""A run becomes model files: the averaged generators as .onnx and .safetensors, with the parity measured."""

from img2img.export.parity import Parity
from img2img.export.run import Export, export_run

__all__ = ["Export", "Parity", "export_run"]
