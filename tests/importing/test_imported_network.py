"""What is recognised computes what its authors' network does: the same picture to 1e-4 from the same tensors."""

from functools import partial
from pathlib import Path
from typing import Any

import peer_checkpoints as peer
import pytest
import torch
from torch import Tensor, nn

from img2img.importing.imported_network import imported_network
from img2img.importing.recognise import recognised
from img2img.networks.measured_norm import WithStatistics, statistics_size

WAYS = [("strided", "transposed"), ("blurred", "bilinear"), ("strided", "bilinear"), ("blurred", "transposed")]


def picture(height: int = 36, width: int = 28, channels: int = 3) -> Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def network_of(tensors: peer.Tensors, *, running: bool = False) -> nn.Module:
    floats = {name: one for name, one in tensors.items() if one.is_floating_point()}
    return imported_network(recognised(floats, Path("net_G.pth")), floats, running=running)


@torch.no_grad()
def assert_same(network: nn.Module, x: Tensor, expected: Tensor) -> None:
    assert expected.std() > 0.1, "an oracle that says something"
    torch.testing.assert_close(network(x), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("down", "up"), WAYS)
@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("dropout", [False, True])
def test_resnet_of_every_make(down: str, up: str, norm: str, dropout: bool) -> None:
    make: dict[str, Any] = {"down": down, "up": up, "dropout": dropout}
    tensors = peer.resnet(2, norm, **make)
    assert_same(network_of(tensors), picture(), peer.resnet_forward(tensors, picture(), 2, **make))


@pytest.mark.parametrize("blocks", [1, 6, 9, 12])
def test_resnet_of_any_number_of_blocks(blocks: int) -> None:
    tensors = peer.resnet(blocks, channels=2)
    assert_same(network_of(tensors), picture(), peer.resnet_forward(tensors, picture(), blocks))


def test_running_statistics_are_taken_where_that_is_asked_for() -> None:
    tensors = peer.resnet(2, "batch")
    own, running = (peer.resnet_forward(tensors, picture(), 2, running=way) for way in (False, True))
    assert (own - running).abs().mean() > 0.1
    assert_same(network_of(tensors, running=True), picture(), running)
    unet = peer.unet(5)
    expected = peer.unet_forward(unet, picture(64, 96), 5, running=True)
    assert_same(network_of(unet, running=True), picture(64, 96), expected)


def test_resnet_without_norms() -> None:
    tensors = peer.resnet(2, "none")
    assert_same(network_of(tensors), picture(), peer.resnet_forward(tensors, picture(), 2, normless=True))


@pytest.mark.parametrize("levels", [5, 6, 7, 8])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_unet_at_its_own_size(levels: int, norm: str) -> None:
    tensors, side = peer.unet(levels, norm), 2**levels
    assert_same(network_of(tensors), picture(side, side), peer.unet_forward(tensors, picture(side, side), levels))


def test_unet_at_other_sizes() -> None:
    tensors = peer.unet(5, "batch")
    assert_same(network_of(tensors), picture(96, 64), peer.unet_forward(tensors, picture(96, 64), 5))


@pytest.mark.parametrize(
    ("make", "forward", "size"),
    [
        (partial(peer.resnet, 2), partial(peer.resnet_forward, blocks=2), (36, 28)),
        (partial(peer.unet, 5), partial(peer.unet_forward, levels=5), (64, 32)),
    ],
)
def test_grey_ends_take_and_give_colour(make: Any, forward: Any, size: tuple[int, int]) -> None:
    tensors, x = make(ends=(1, 1)), picture(*size)
    grey = (x * torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
    assert_same(network_of(tensors), x, forward(tensors, grey).expand(1, 3, *size))


@pytest.mark.parametrize(
    ("tensors", "size"),
    [
        (peer.resnet(1, channels=2), 128),
        (peer.resnet(3, down="blurred", up="bilinear", channels=2), 160),
        (peer.unet(5), 288),
    ],
)
def test_no_pixel_depends_on_what_is_farther_than_the_reach(tensors: peer.Tensors, size: int) -> None:
    floats = {name: one for name, one in tensors.items() if one.is_floating_point()}
    layout = recognised(floats, Path("net_G.pth"))
    network = imported_network(layout, floats, running=False)
    given = torch.stack([torch.zeros(1, statistics_size(network)), torch.ones(1, statistics_size(network))], 1)
    reach, middle = layout.reach, size // 2
    x = picture(size, size).requires_grad_()
    pixels = WithStatistics(network)(x, given)[0][..., middle - 16 : middle, middle - 16 : middle]
    (seen,) = torch.autograd.grad(pixels.sum(), x)
    rows = torch.nonzero(seen.abs().sum((0, 1, 3)))
    below = int(rows.max()) - (middle - 1)
    assert reach / 3 < below <= reach
    assert middle - 16 - int(rows.min()) <= reach
