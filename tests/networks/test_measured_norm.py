"""Instance norms that report and take statistics: the same numbers as PyTorch's, in PyTorch and in the graph."""

import numpy as np
import onnxruntime
import pytest
import torch
from tiny_translator import normed_graph, normed_network
from torch import nn

from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.networks.measured_norm import WithStatistics, instance_norms, statistics_size


def picture(height: int = 24, width: int = 32, channels: int = 3) -> torch.Tensor:
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 + 3


@pytest.mark.parametrize(
    "norm", [nn.InstanceNorm2d(5), nn.InstanceNorm2d(5, affine=True, eps=0.1), nn.GroupNorm(5, 5)], ids=str
)
def test_measuring_norm_computes_what_it_replaces(norm: nn.Module) -> None:
    if norm.weight is not None:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    x = picture(channels=5)
    expected = norm(x)
    network = WithStatistics(nn.Sequential(norm))
    output, statistics = network(x, network.neutral())
    assert torch.allclose(output, expected, atol=1e-5)
    assert torch.allclose(statistics[:, 0], x.mean((2, 3)), atol=1e-5)
    assert torch.allclose(statistics[:, 1], x.var((2, 3), correction=0), atol=1e-4)


def test_given_statistics_take_the_place_of_the_pictures() -> None:
    """(x - mean) / sqrt(variance + eps) with mean 1, variance 4 and eps 5: (x - 1) / 3."""
    network = WithStatistics(nn.Sequential(nn.InstanceNorm2d(2, eps=5)))
    given = torch.tensor([[[1.0, 1.0], [4.0, 4.0]]])
    x = picture(channels=2)
    assert torch.allclose(network(x, given)[0], (x - 1) / 3, atol=1e-6)


def test_each_norm_has_its_own_part_of_the_statistics() -> None:
    network = WithStatistics(nn.Sequential(nn.InstanceNorm2d(2, eps=0), nn.Conv2d(2, 3, 1), nn.GroupNorm(3, 3, eps=0)))
    assert network.size == 5
    x = picture(channels=2)
    _, statistics = network(x, network.neutral())
    normed = nn.functional.conv2d(nn.functional.instance_norm(x, eps=0), *network.network[1].parameters())
    assert torch.allclose(statistics[:, 0], torch.cat([x.mean((2, 3)), normed.mean((2, 3))], 1), atol=1e-5)


class Backwards(nn.Sequential):
    """Runs its last module first."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for module in reversed(self):
            x = module(x)
        return x


def test_norms_may_run_in_another_order_than_they_are_listed() -> None:
    network = WithStatistics(Backwards(nn.InstanceNorm2d(2, eps=0), nn.Conv2d(3, 2, 1), nn.InstanceNorm2d(3, eps=0)))
    x = picture(channels=3)
    output, statistics = network(x, network.neutral())
    assert torch.allclose(statistics[0, :, 2:], torch.stack([x.mean((2, 3))[0], x.var((2, 3), correction=0)[0]]))
    assert torch.allclose(network(x, statistics)[0], output, atol=1e-5)


def test_norms_over_more_than_a_channel_of_a_picture_are_left_alone() -> None:
    others = nn.Sequential(nn.GroupNorm(2, 4), nn.BatchNorm2d(4), nn.InstanceNorm2d(4, track_running_stats=True))
    assert not list(instance_norms(others))


def test_graph_gives_and_takes_statistics() -> None:
    runtime = OnnxRuntime(normed_graph(), device="cpu", threads=1)
    image = picture().numpy() / 8
    translated, statistics = runtime.run_all(image)
    np.testing.assert_allclose(translated, normed_network()(torch.from_numpy(image)).detach(), atol=1e-5)
    assert statistics.shape == (1, 2, statistics_size(normed_network()))
    np.testing.assert_allclose(runtime.run(image, statistics), translated, atol=1e-5)
    other = statistics + np.array([0.5, 0.1], np.float32)[:, None]
    expected, _ = WithStatistics(normed_network())(torch.from_numpy(image), torch.from_numpy(other))
    np.testing.assert_allclose(runtime.run(image, other), expected.detach(), atol=1e-5)
    assert np.abs(runtime.run(image, other) - translated).max() > 0.1


def test_graph_runs_without_a_word_of_statistics() -> None:
    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(normed_graph(), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["image"]
    image = picture().numpy() / 8
    np.testing.assert_allclose(
        session.run(None, {"image": image})[0], normed_network()(torch.from_numpy(image)).detach(), atol=1e-5
    )
