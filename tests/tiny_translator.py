"""The smallest translators: a colour matrix known by hand, and a network with norms and what it trains in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny_model import write_tiny_model
from torch import Tensor, nn

from img2img.export.onnx_graph import to_onnx
from img2img.model_file import TensorSpec
from img2img.networks.measured_norm import WithStatistics, statistics_size
from img2img.recipes.recipe import Recipe

UNIT = "sRGB / 127.5 - 1"
IMAGE = TensorSpec("image", (1, 3, "H", "W"), UNIT, (-1.0, 1.0))
TRANSLATED = TensorSpec("translated", (1, 3, "H", "W"), UNIT, (-1.0, 1.0))
IDENTITY = np.eye(3)
NEGATIVE = -np.eye(3)
RED_TO_BLUE = np.eye(3)[[2, 1, 0]]


def conv_graph(kernel: np.ndarray, bias: Sequence[float] = (0, 0, 0), channels: int = 3) -> bytes:
    """An ONNX graph without a card: a convolution (channels, 3, h, w) that keeps the size, zeros around."""
    above, left = (side // 2 for side in kernel.shape[2:])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w", "b"], ["translated"], pads=[above, left, above, left])],
        "translator",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, IMAGE.shape)],
        [helper.make_tensor_value_info("translated", TensorProto.FLOAT, [1, channels, "H", "W"])],
        [
            numpy_helper.from_array(kernel.astype(np.float32), "w"),
            numpy_helper.from_array(np.array(bias, np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def write_translator(path: Path, graph: bytes, **card: Any) -> Path:
    about = {
        "name": path.stem,
        "task": "translate",
        "inputs": (IMAGE,),
        "outputs": (TRANSLATED,),
        "native_size": 64,
        "size_multiple": 16,
    }
    return write_tiny_model(path, graph, **{**about, **card})


def matrix_translator(path: Path, matrix: np.ndarray, bias: Sequence[float] = (0, 0, 0), **card: Any) -> Path:
    """A model file of out = matrix @ in + bias for each pixel, in [-1, 1]."""
    return write_translator(path, conv_graph(np.reshape(matrix, (-1, 3, 1, 1)), bias), **card)


def statistics_spec(network: nn.Module) -> TensorSpec:
    return TensorSpec("statistics", (1, 2, statistics_size(network)), "means, variances", (-9, 9))


def normed_translator(path: Path, **card: Any) -> Path:
    """A model file of `normed_network`, whose graph gives and takes statistics."""
    outputs = (TRANSLATED, statistics_spec(normed_network()))
    return write_translator(path, normed_graph(), **{"outputs": outputs, "halo": 16, "size_multiple": 4, **card})


@cache
def normed_graph() -> bytes:
    return to_onnx(normed_network(), TinyTranslation, TinyTranslation.Config())


def normed_network() -> "NormedNetwork":
    torch.manual_seed(0)
    return NormedNetwork().eval()


class NormedNetwork(nn.Module):
    """(N, 3, H, W), sides multiples of 4 -> the same: instance norms of both makes, and what is between them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"),
            nn.InstanceNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=False),
            nn.GroupNorm(8, 8),
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(8, 3, 3, padding=1),
        )
        norm = self.layers[4]
        assert isinstance(norm, nn.GroupNorm)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)

    def forward(self, x: Tensor) -> Tensor:
        translated: Tensor = torch.tanh(self.layers(x))
        return translated


class TinyTranslation(Recipe):
    """What there is to know for an export; nobody trains it."""

    @dataclass(frozen=True, kw_only=True)
    class Config(Recipe.Config):
        image_size: int = 64

    name = "tiny"
    task = "translate"
    domains = ("a", "b")
    averaged = ("g_ab", "g_ba")
    exported = "g_ab"
    way_back = "g_ba"
    output_scale = 127.5
    output_unit = "grey levels"
    size_multiple = 4

    def __init__(self, config: Recipe.Config) -> None:
        super().__init__(config)
        self.g_ab, self.g_ba = NormedNetwork(), NormedNetwork()
        self.d_a = nn.Conv2d(3, 1, 4)
        self.register_buffer("pool", torch.zeros(2, 3, 8, 8, dtype=torch.uint8))

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> nn.Module:
        return NormedNetwork()

    @classmethod
    def inputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (IMAGE,)

    @classmethod
    def outputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (TRANSLATED,)

    @classmethod
    def with_options(cls, network: nn.Module) -> nn.Module:
        return WithStatistics(network)

    @classmethod
    def further_outputs(cls, network: nn.Module) -> tuple[TensorSpec, ...]:
        return (statistics_spec(network),)
