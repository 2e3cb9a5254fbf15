from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from img2img.networks.act_norm import ActNorm
from img2img.networks.blocks import channel_norm
from img2img.networks.residual_unet import ResidualUNet


def batch(seed: int = 0) -> Tensor:
    return torch.randn(4, 3, 6, 8, generator=torch.Generator().manual_seed(seed)) * 2 + 5


def test_first_batch_gets_mean_0_and_variance_1_over_all_its_pictures() -> None:
    norm = ActNorm(2).train()
    x = torch.tensor([1.0, 3.0, 5.0, 7.0]).view(2, 1, 1, 2).expand(2, 2, 1, 2)
    y = norm(x)
    assert norm.mean.tolist() == [4, 4]
    assert norm.variance.tolist() == [5, 5]
    assert y[:, 0].flatten().tolist() == pytest.approx([-3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5], rel=1e-4)


def test_later_batches_and_eval_mode_are_brought_to_the_statistics_of_the_first() -> None:
    norm, first, later = ActNorm(3).train(), batch(), batch(1) * 3
    norm(first)
    before = deepcopy(norm.state_dict())
    mean, deviation = first.mean((0, 2, 3), keepdim=True), first.var((0, 2, 3), keepdim=True, unbiased=False).sqrt()
    assert torch.allclose(norm(later), (later - mean) / deviation, atol=1e-4)
    assert torch.allclose(norm.eval()(later), (later - mean) / deviation, atol=1e-4)
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())


def test_eval_mode_measures_nothing_and_starts_as_it_is() -> None:
    norm = ActNorm(3).eval()
    assert torch.allclose(norm(batch()), batch(), rtol=1e-4)
    assert not norm.measured


def test_loaded_statistics_stay_and_those_of_a_norm_that_never_measured_do_not() -> None:
    known, fresh = ActNorm(3).train(), ActNorm(3).train()
    known(batch())
    other = ActNorm(3).train()
    other.load_state_dict(known.state_dict())
    other(batch(1) * 9)
    assert torch.equal(other.mean, known.mean)
    other.load_state_dict(fresh.state_dict())
    other(batch(1) * 9)
    assert torch.allclose(other.mean, (batch(1) * 9).mean((0, 2, 3)))


def test_weights_of_an_instance_norm_are_taken_and_the_first_batch_measured() -> None:
    other, norm = channel_norm(3), ActNorm(3).train()
    nn.init.normal_(other.weight)
    norm.load_state_dict(other.state_dict())
    norm(batch())
    assert torch.equal(norm.weight, other.weight)
    assert torch.allclose(norm.mean, batch().mean((0, 2, 3)))


def test_scale_and_shift_learn_and_the_statistics_do_not() -> None:
    norm = ActNorm(3).train()
    norm(batch().requires_grad_()).square().sum().backward()
    assert {name for name, parameter in norm.named_parameters() if parameter.grad is not None} == {"weight", "bias"}
    assert norm.bias.grad is not None
    assert norm.bias.grad.abs().max() < 1e-2  # twice the sum of what has mean 0


def test_parts_of_a_batch_are_measured_together() -> None:
    """Two processes with half of the pictures each, whose means are averaged."""
    whole, parts = ActNorm(3).train(), batch()
    whole(parts)
    halves = [part.mean((0, 2, 3)) for part in parts.chunk(2)]
    norm = ActNorm(3).train()
    centred = [(part - whole.mean.view(-1, 1, 1)).square().mean((0, 2, 3)) for part in parts.chunk(2)]
    answers = iter([torch.stack(halves).mean(0), torch.stack(centred).mean(0)])
    norm.average = lambda _: next(answers)
    norm(parts.chunk(2)[0])
    assert torch.allclose(norm.mean, whole.mean, atol=1e-5)
    assert torch.allclose(norm.variance, whole.variance, rtol=1e-5)


def test_as_a_batch_norm_it_computes_the_same() -> None:
    norm = ActNorm(3).train()
    norm(batch())
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    assert torch.equal(norm.as_batch_norm()(batch(1)), norm.eval()(batch(1)))


def test_what_happens_in_one_corner_of_a_picture_stays_out_of_the_far_one_but_for_an_instance_norm() -> None:
    """Which is how stripes come to the grass."""
    picture = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = picture.clone()
    other[:, :, :32, :32] = 1
    for network, far in ((ResidualUNet(norm=ActNorm), False), (ResidualUNet(), True)):
        network.train()(picture)
        network.eval()
        changed = (network(other) - network(picture)).abs()[:, :, 224:, 224:].max()
        assert (changed > 1e-4) == far
