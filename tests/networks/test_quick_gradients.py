"""The same numbers as PyTorch's own layers, forward, back and once more."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct
from img2img.networks.imagenet.encoder import EfficientNetLite
from img2img.networks.quick_gradients import ChannelNorm, DepthwiseConv2d
from img2img.networks.residual_unet import ResidualUNet


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(*shape, dtype=dtype, generator=generator)
    return x.to(memory_format=torch.channels_last).requires_grad_()


def gradients(y: Tensor, *of: Tensor) -> tuple[Tensor, ...]:
    """Of a sum in which no two places weigh the same."""
    weights = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view_as(y)
    return torch.autograd.grad((y * weights).sum(), of, retain_graph=True)


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [4, 7, 12])
def test_depthwise_gradients_are_those_of_a_plain_convolution(kernel: int, stride: int, side: int) -> None:
    layer = DepthwiseConv2d(6, 6, kernel, stride=stride, padding=kernel // 2, groups=6, bias=False).double()
    x = drawn(2, 6, side, side)
    plain = F.conv2d(x, layer.weight, stride=stride, padding=kernel // 2, groups=6)
    assert torch.equal(layer(x), plain)
    for ours, expected in zip(gradients(layer(x), x, layer.weight), gradients(plain, x, layer.weight), strict=True):
        torch.testing.assert_close(ours, expected)


def test_depthwise_gradients_of_pictures_as_wide_as_they_are_not_high() -> None:
    layer = DepthwiseConv2d(4, 4, 5, padding=2, groups=4, bias=False).double()
    x = drawn(3, 4, 5, 11)
    (ours,) = gradients(layer(x), layer.weight)
    (expected,) = gradients(F.conv2d(x, layer.weight, padding=2, groups=4), layer.weight)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(4, 4), (7, 12)])
def test_depthwise_gradients_in_bfloat16_are_rounded_ones(
    kernel: int, stride: int, bias: bool, size: tuple[int, int]
) -> None:
    layer = DepthwiseConv2d(6, 6, kernel, stride=stride, padding=kernel // 2, groups=6, bias=bias)
    x, learnt = drawn(2, 6, *size, dtype=torch.float32), tuple(layer.parameters())
    exact = gradients(layer(x), x, *learnt)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    for ours, expected in zip(gradients(y.float(), x, *learnt), exact, strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, expected, rtol=0.02, atol=0.02 * float(expected.abs().max()))


@pytest.mark.parametrize("what", [{"bias": True}, {"padding_mode": "reflect"}])
def test_depthwise_convolutions_of_other_kinds_are_plain(what: dict[str, bool | str]) -> None:
    layer = DepthwiseConv2d(4, 4, 5, padding=2, groups=4, **{"bias": False, **what}).double()  # type: ignore[arg-type]
    x = drawn(2, 4, 6, 6)
    assert torch.equal(layer(x), nn.Conv2d.forward(layer, x))
    (ours,), (expected,) = gradients(layer(x), layer.weight), gradients(nn.Conv2d.forward(layer, x), layer.weight)
    assert torch.equal(ours, expected)


@pytest.mark.parametrize("affine", [True, False])
def test_channel_norm_is_a_group_norm_of_one_channel_a_group(affine: bool) -> None:
    layer = ChannelNorm(3, affine=affine).double()
    parameters = tuple(layer.parameters())
    for place, parameter in enumerate(parameters):
        nn.init.uniform_(parameter, 0.5 + place, 1.5 + place)
    x = drawn(4, 3, 5, 6)
    plain = F.group_norm(x, 3, layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), plain)
    for ours, expected in zip(gradients(layer(x), x, *parameters), gradients(plain, x, *parameters), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize(
    "layer",
    [DepthwiseConv2d(3, 3, 5, padding=2, groups=3, bias=False), ChannelNorm(3), ChannelNorm(3, affine=False)],
    ids=["depthwise", "norm", "norm without a scale"],
)
def test_layers_can_be_differentiated_twice(layer: nn.Module) -> None:
    assert torch.autograd.gradgradcheck(layer.double(), drawn(2, 3, 4, 4))


def test_activations_in_place_leave_what_came_in() -> None:
    x = drawn(2, 3, 8, 8, dtype=torch.float32)
    before = x.detach().clone()
    for norm in (nn.BatchNorm2d, nn.Identity):
        ConvNormAct(3, 3, norm=norm)(x).sum().backward()
    assert torch.equal(x, before)


def measured_encoder() -> EfficientNetLite:
    """With statistics that no freshly drawn one has."""
    torch.manual_seed(0)
    encoder = EfficientNetLite(3, stages=2)
    for _ in range(3):
        encoder(2 * torch.rand(4, 3, 32, 32) - 0.5)
    return encoder.requires_grad_(False).eval()


def test_folded_norms_give_the_same_features_and_gradients() -> None:
    encoder, x = measured_encoder(), drawn(2, 3, 32, 32, dtype=torch.float32)
    features = encoder.pyramid(x)
    encoder.fold_norms(True)
    folded = encoder.pyramid(x)
    assert len(folded) == 2
    for ours, expected in zip(folded, features, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(gradients(ours, x), gradients(expected, x), rtol=1e-4, atol=1e-3)


def test_folded_norms_in_bfloat16_have_the_gradients_of_plain_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, x, found = measured_encoder(), drawn(2, 3, 32, 32, dtype=torch.float32), []
    encoder.fold_norms(True)
    for plain in (False, True):
        if plain:
            monkeypatch.setattr(DepthwiseConv2d, "_slow_back", lambda *_: False)
        with torch.autocast("cpu", torch.bfloat16):
            features = encoder.pyramid(x)[-1]
        assert features.dtype == torch.bfloat16
        found.append(gradients(features.float(), x)[0])
    ours, expected = found
    assert (ours - expected).norm() < 0.1 * expected.norm()  # a bias is rounded before it is added


def test_folded_norms_follow_weights_that_are_loaded() -> None:
    encoder, x = EfficientNetLite(3, stages=2).requires_grad_(False).eval(), drawn(2, 3, 32, 32, dtype=torch.float32)
    encoder.fold_norms(True)
    encoder.pyramid(x)
    other = measured_encoder()
    encoder.load_state_dict(other.state_dict())
    torch.testing.assert_close(encoder.pyramid(x)[-1], other.pyramid(x)[-1], rtol=1e-4, atol=1e-5)


def test_norms_are_folded_only_while_an_encoder_trains_along_and_never_learns() -> None:
    def folds(network: ResidualUNet) -> set[bool]:
        return {module.folds for module in network.encoder.modules() if isinstance(module, ConvNormAct)}

    assert folds(ResidualUNet().train()) == {True}
    assert folds(ResidualUNet().train().eval()) == {False}
    assert folds(ResidualUNet(learns=True).train()) == {False}
