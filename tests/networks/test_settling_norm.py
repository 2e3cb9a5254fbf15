"""Norms that settle: instance norms before, activation norms by the averages that they followed after."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.blocks import channel_norm
from img2img.networks.residual_unet import ResidualUNet
from img2img.networks.settling_norm import SettlingNorm, following, settling_norms


def batch(seed: int = 0) -> Tensor:
    return torch.randn(4, 3, 6, 8, generator=torch.Generator().manual_seed(seed)) * 2 + 5


def of_two_pixels(*pictures: tuple[float, float]) -> Tensor:
    """(N, 1, 1, 2)."""
    return torch.tensor(pictures, dtype=torch.float32).view(-1, 1, 1, 2)


def scaled(norm: SettlingNorm) -> SettlingNorm:
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, -1, 1)
    return norm


def followed(*batches: Tensor) -> SettlingNorm:
    """A norm in training through which these batches have passed."""
    norm = scaled(SettlingNorm(batches[0].shape[1])).train()
    with following(norm):
        for x in batches:
            norm(x)
    return norm


@pytest.mark.parametrize("training", [True, False])
def test_before_it_settles_it_is_an_instance_norm(training: bool) -> None:
    norm = followed(batch(1)).train(training)
    x, same = batch().requires_grad_(), batch().requires_grad_()
    expected = F.instance_norm(same, weight=norm.weight, bias=norm.bias)
    assert torch.allclose(norm(x), expected, atol=1e-5)
    for y in (norm(x), expected):
        y.pow(3).sum().backward()
    assert x.grad is not None
    assert same.grad is not None
    assert torch.allclose(x.grad, same.grad, atol=1e-3)


def test_it_settles_on_the_means_of_means_and_of_variances_of_single_pictures() -> None:
    """Pictures of 1 and 3, 6 and 10: means 2 and 8, variances 1 and 4; then of 0 and 8, twice: mean 4, variance 16."""
    norm = followed(of_two_pixels((1, 3), (6, 10)))
    assert (norm.mean.item(), norm.variance.item(), norm.measured.item()) == (5, 2.5, 1)
    with following(norm):
        norm(of_two_pixels((0, 8), (0, 8)))
    assert (norm.mean.item(), norm.variance.item(), norm.measured.item()) == (4.5, 9.25, 2)
    norm.settle()
    x = of_two_pixels((4.5, 7), (-3, 100))
    expected = (x - 4.5) / (9.25 + norm.eps) ** 0.5 * norm.weight.item() + norm.bias.item()
    for mode in (True, False):
        assert torch.allclose(norm.train(mode)(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("before", "share"), [(0, 1), (1, 1 / 2), (49, 1 / 50), (99, 0.01), (5000, 0.01)])
def test_first_batches_weigh_alike_and_later_ones_a_hundredth(before: int, share: float) -> None:
    norm = followed(batch())
    norm.measured.fill_(before)
    mean, variance = norm.mean.clone(), norm.variance.clone()
    x = batch(1) * 3
    with following(norm):
        norm(x)
    assert torch.allclose(norm.mean, mean + share * (x.mean((0, 2, 3)) - mean))
    assert torch.allclose(norm.variance, variance + share * (x.var((2, 3), correction=0).mean(0) - variance))
    assert norm.measured == before + 1


def test_nothing_else_moves_the_averages() -> None:
    """Neither passes that nobody said to follow, nor eval mode, nor any once it has settled."""
    norm = followed(batch())
    before = deepcopy(norm.state_dict())
    norm(batch(1))
    with following(norm):
        norm.eval()(batch(1))
    norm.train().settle()
    with following(norm):
        norm(batch(1))
    assert norm.settled == 1
    assert all(torch.equal(value, norm.state_dict()[name]) for name, value in before.items() if name != "settled")


def test_settled_scale_and_shift_learn_and_no_gradient_passes_through_statistics() -> None:
    norm = followed(batch(1))
    norm.settle()
    x = batch().requires_grad_()
    norm(x).sum().backward()
    assert {name for name, parameter in norm.named_parameters() if parameter.grad is not None} == {"weight", "bias"}
    assert x.grad is not None  # of an instance norm it would be 0
    assert torch.allclose(x.grad, (norm.weight / (norm.variance + norm.eps).sqrt()).view(-1, 1, 1).expand_as(x))


def test_weights_of_an_instance_norm_begin_to_follow() -> None:
    other, norm = channel_norm(3), followed(batch(1))
    norm.settle()
    norm.load_state_dict(other.state_dict())
    assert torch.equal(norm.weight, other.weight)
    assert torch.allclose(norm(batch()), F.instance_norm(batch()), atol=1e-5)
    with following(norm):
        norm(batch())
    assert (norm.measured.item(), norm.settled.item()) == (1, 0)
    assert torch.allclose(norm.mean, batch().mean((0, 2, 3)))


def test_weights_that_have_not_settled_follow_on_from_their_averages() -> None:
    other, norm = followed(batch(), batch(1)), SettlingNorm(3).train()
    norm.load_state_dict(other.state_dict())
    for one in (norm, other):
        with following(one):
            one(batch(2))
    assert all(torch.equal(value, norm.state_dict()[name]) for name, value in other.state_dict().items())
    assert (norm.measured.item(), norm.settled.item()) == (3, 0)


@pytest.mark.parametrize("left_out", [(), ("settled",)], ids=["settled", "of before there was a mark of that"])
def test_settled_weights_stay_settled(left_out: tuple[str, ...]) -> None:
    other, norm = followed(batch()), SettlingNorm(3).train()
    other.settle()
    norm.load_state_dict({name: value for name, value in other.state_dict().items() if name not in left_out})
    with following(norm):
        assert torch.equal(norm(batch(1)), other(batch(1)))
    assert torch.equal(norm.mean, other.mean)
    assert norm.settled == 1


def test_averages_of_parts_of_a_batch_are_those_of_the_whole() -> None:
    """Two processes with half of the pictures each, which average their buffers after each step."""
    whole, parts = followed(batch(), batch(1)), [followed(half) for half in batch().chunk(2)]
    for name in ("mean", "variance"):
        average = torch.stack([part.get_buffer(name) for part in parts]).mean(0)
        for part in parts:
            part.get_buffer(name).copy_(average)
    for part, half in zip(parts, batch(1).chunk(2), strict=True):
        with following(part):
            part(half)
    for name in ("mean", "variance"):
        average = torch.stack([part.get_buffer(name) for part in parts]).mean(0)
        assert torch.allclose(average, whole.get_buffer(name), rtol=1e-5)


def test_training_asks_nothing_of_the_device() -> None:
    norm = SettlingNorm(3).to("meta").train()  # has no values to ask for
    x = batch().to("meta").requires_grad_()
    for _ in range(2):
        with following(norm):
            norm(x).sum().backward()
        norm.settle()


def test_settled_as_a_batch_norm_it_computes_the_same() -> None:
    norm = followed(batch())
    norm.settle()
    assert torch.equal(norm.as_batch_norm()(batch(1)), norm.eval()(batch(1)))


@pytest.mark.parametrize("settles", [False, True])
def test_what_happens_in_one_corner_of_a_picture_stays_out_of_the_far_one_once_settled(settles: bool) -> None:
    """Where it does not is how stripes come to the grass."""
    picture = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = picture.clone()
    other[:, :, :32, :32] = 1
    network = ResidualUNet(norm=SettlingNorm).train()
    with following(network):
        network(picture)
    for norm in settling_norms(network):
        assert norm.measured == 1
        if settles:
            norm.settle()
    network.eval()
    changed = (network(other) - network(picture)).abs()[:, :, 224:, 224:].max()
    assert (changed > 1e-4) == (not settles)
