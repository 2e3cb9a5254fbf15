"""EfficientNet-Lite in ONNX Runtime: on a CPU two to three times as fast as in PyTorch, and ready at once.

`onnx_graph` exports any network, for any device's sake, and takes ten seconds or more for it. Here the network's few
kinds of layers are written down as they come.
"""

from typing import Any

import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.networks.blocks import ConvNormAct
from img2img.networks.imagenet.encoder import EfficientNetLite, InvertedResidual

OPSET, IR_VERSION = 18, 9


def lite_runtime(encoder: EfficientNetLite, *, threads: int) -> OnnxRuntime:
    """Pictures (N, C, H, W) in [-1, 1], sides multiples of 32 -> the last features (N, 320, H/32, W/32)."""
    return OnnxRuntime(_Graph().of(encoder), device="cpu", threads=threads, keeps_memory=True)


class _Graph:
    """Nodes are named by their number; the name of the last one's output is what the next one takes."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def of(self, encoder: EfficientNetLite) -> bytes:
        last = self._conv_norm_act(encoder.stem, "pictures")
        for block in encoder.stages.modules():
            if isinstance(block, InvertedResidual):
                last = self._residual(block, last)
        floats = TensorProto.FLOAT
        pictures = helper.make_tensor_value_info("pictures", floats, ["N", "C", "H", "W"])
        features = helper.make_tensor_value_info(last, floats, ["N", "F", "h", "w"])
        graph = helper.make_graph(self._nodes, "lite", [pictures], [features], self._weights)
        opset = helper.make_opsetid("", OPSET)
        return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION).SerializeToString())

    def _residual(self, block: InvertedResidual, before: str) -> str:
        last = before
        for layer in block.layers.children():
            assert isinstance(layer, ConvNormAct)
            last = self._conv_norm_act(layer, last)
        return self._node("Add", before, last) if block.residual else last

    def _conv_norm_act(self, layer: ConvNormAct, before: str) -> str:
        conv, norm, activation = layer
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        pad, kernel = conv.kernel_size[0] // 2, self._constant(conv.weight)
        convolved = self._node("Conv", before, kernel, strides=list(conv.stride), pads=[pad] * 4, group=conv.groups)
        of_norm = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        normed = self._node("BatchNormalization", convolved, *map(self._constant, of_norm), epsilon=norm.eps)
        if isinstance(activation, nn.Identity):
            return normed
        assert isinstance(activation, nn.ReLU6)
        return self._node("Clip", normed, self._constant(torch.tensor(0.0)), self._constant(torch.tensor(6.0)))

    def _constant(self, values: Tensor) -> str:
        name = f"weight{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values.detach().numpy(), name))
        return name

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
