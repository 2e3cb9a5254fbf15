"""A trace at fixed sizes gives a graph for all sizes, or is seen to be none and is made anew with free ones."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from tiny_translator import IMAGE, TRANSLATED, TinyTranslation, normed_network
from torch import Tensor, nn

from img2img.export import onnx_graph
from img2img.export.onnx_graph import graph_of, to_onnx
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.model_file import TensorSpec


class Halved(nn.Module):
    """Half as large, and as large again: its nodes hold no size."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Upsample(scale_factor=2)
        self.last = nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        drawn: Tensor = self.last(self.up(self.down(x).relu()))
        return drawn


class DividedByItsHeight(nn.Module):
    """What a trace at a height of 64 computes for that alone, in the right shape."""

    def forward(self, x: Tensor) -> Tensor:
        return 64 * x / x.shape[2]


class InARow(nn.Module):
    """What a trace at fixed sizes has no shape for at others."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(1, 3, x.shape[2] * x.shape[3]).flip(1).reshape(x.shape)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    make, made = onnx_graph._exported, list[str]()

    def counted(*asked: Any) -> onnx.ModelProto:
        made.append("free" if len(asked) == 5 else "fixed")
        return make(*asked)

    monkeypatch.setattr(onnx_graph, "_exported", counted)
    return made


def shapes(graph: bytes) -> dict[str, list[str | int]]:
    model = onnx.load_from_string(graph).graph
    return {
        one.name: [dim.dim_param or dim.dim_value for dim in one.type.tensor_type.shape.dim]
        for one in (*model.input, *model.output, *model.value_info)
    }


@pytest.mark.slow
def test_sizes_are_named_by_what_they_follow(traces: list[str]) -> None:
    found = shapes(graph_of(Halved().eval(), [IMAGE], [TRANSLATED], 4))
    assert traces == ["fixed"]
    assert (found["image"], found["translated"]) == ([1, 3, "4*H", "4*W"], [1, 3, "4*H", "4*W"])
    assert [1, 4, "2*H", "2*W"] in found.values()
    assert not any(size in (64, 96) for shape in found.values() for size in shape)


@pytest.mark.slow
def test_statistics_and_their_optional_input_keep_their_numbers(traces: list[str]) -> None:
    found = shapes(to_onnx(normed_network(), TinyTranslation, TinyTranslation.Config()))
    assert traces == ["fixed"]
    assert found["statistics"] == found["frozen"] == [1, 2, 14]


@pytest.mark.parametrize(
    "network",
    [Halved(), *(pytest.param(network, marks=pytest.mark.slow) for network in (DividedByItsHeight(), InARow()))],
)
def test_graph_computes_the_same_at_every_size(network: nn.Module, traces: list[str]) -> None:
    runtime = OnnxRuntime(graph_of(network.eval(), [IMAGE], [TRANSLATED], 4), device="cpu")
    assert traces == (["fixed"] if isinstance(network, Halved) else ["fixed", "free"])
    for size in ((32, 48), (64, 96), (160, 32)):
        x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(x).numpy()
        np.testing.assert_allclose(runtime.run(x.numpy()), expected, atol=1e-6)


@pytest.mark.slow
def test_what_takes_several_at_a_time_is_traced_with_free_sizes_alone(traces: list[str]) -> None:
    takes = [TensorSpec("z", ("N", 8), "", (-1, 1))]
    graph_of(nn.Linear(8, 3).eval(), takes, [TensorSpec("out", ("N", 3), "", (-1, 1))], 1)
    assert traces == ["free"]
