import math

import pytest
import torch
from torch import nn

from img2img.losses import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    change_around,
    clip_singular_values,
    clip_weights,
    faint_change,
    gradient_penalty,
    soft_cross_entropy,
    zero_centered_penalty,
)

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def seen_by_generator(loss: AdversarialLoss, fake: torch.Tensor) -> list[torch.Tensor]:
    return [fake, REAL] if loss.relativistic else [fake]


BCE_D = ((softplus(-2) + softplus(0)) / 2 + (softplus(-1) + softplus(3)) / 2) / 2
HAND_WORKED = {
    "minimax": (BCE_D, -(softplus(-1) + softplus(3)) / 2),
    "bce": (BCE_D, (softplus(1) + softplus(-3)) / 2),
    "least-squares": (((1 + 1) / 2 + (1 + 9) / 2) / 2, (4 + 4) / 2),
    "hinge": (((0 + 1) / 2 + (0 + 4) / 2) / 2, -1.0),
    "relativistic": ((softplus(-1 - 2) + softplus(3 - 0)) / 2, (softplus(2 + 1) + softplus(0 - 3)) / 2),
    "wasserstein-gp": (1.0 - 1.0, -1.0),
}


def test_every_adversarial_loss_has_a_hand_worked_value() -> None:
    assert HAND_WORKED.keys() == ADVERSARIAL_LOSSES.keys()


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_adversarial_loss_equals_its_hand_worked_value(name: str) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    discriminator, generator = HAND_WORKED[name]
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-6, abs=1e-7)
    assert loss.generator(*seen_by_generator(loss, FAKE)).item() == pytest.approx(generator, rel=1e-6)


def test_relativistic_players_see_nothing_but_how_far_apart_a_pair_is() -> None:
    loss = ADVERSARIAL_LOSSES["relativistic"]
    for shift in (-4.0, 8.0):
        assert loss.discriminator(REAL + shift, FAKE + shift) == loss.discriminator(REAL, FAKE)
        assert loss.generator(FAKE + shift, REAL + shift) == loss.generator(FAKE, REAL)
    assert loss.generator(FAKE, REAL) == loss.discriminator(FAKE, REAL)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_players_pull_the_fake_logits_in_opposite_directions(name: str) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    fake = torch.tensor([0.3, 0.6], requires_grad=True)
    (from_discriminator,) = torch.autograd.grad(loss.discriminator(REAL, fake), fake)
    (from_generator,) = torch.autograd.grad(loss.generator(*seen_by_generator(loss, fake)), fake)
    assert (from_discriminator > 0).all()
    assert (from_generator < 0).all()


@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic_is_its_slope_off_one_squared(slope: float) -> None:
    direction = torch.randn(3, 4, 4)
    direction *= slope / direction.norm()
    penalty = gradient_penalty(
        lambda x: (x * direction).sum((1, 2, 3)), torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4), torch.rand(5)
    )
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


@pytest.mark.parametrize("slope", [0.5, 3.0])
def test_r1_of_a_linear_discriminator_is_half_its_slope_squared(slope: float) -> None:
    direction = torch.randn(3, 4, 4)
    direction *= slope / direction.norm()
    penalty = zero_centered_penalty(lambda x: (x * direction).sum((1, 2, 3)), torch.randn(5, 3, 4, 4))
    assert penalty.item() == pytest.approx(slope**2 / 2, rel=1e-5)


@pytest.mark.parametrize("name", [name for name, loss in ADVERSARIAL_LOSSES.items() if loss.boundary is not None])
def test_smoothed_discriminator_wants_real_samples_at_their_lower_target(name: str) -> None:
    loss = ADVERSARIAL_LOSSES[name]
    real = torch.linspace(-4, 6, 1001)
    best = [min(real, key=lambda r, s=s: loss.discriminator(r[None], torch.zeros(1), smoothing=s)) for s in (0.1, 0.3)]
    targets = {"least-squares": (0.9, 0.7), "hinge": (0.9, 0.7)}.get(name, (math.log(9), math.log(7 / 3)))
    assert [float(one) for one in best] == pytest.approx(targets, abs=0.01)


def test_no_smoothing_is_the_plain_loss() -> None:
    for loss in ADVERSARIAL_LOSSES.values():
        if loss.boundary is not None:
            assert loss.discriminator(REAL, FAKE, smoothing=0.0) == loss.discriminator(REAL, FAKE)


def test_clipped_weights_lie_within_the_limit_and_the_small_ones_are_untouched() -> None:
    layer = nn.Linear(2, 2)
    nn.init.constant_(layer.weight, 0.5)
    nn.init.constant_(layer.bias, 0.003)
    clip_weights(layer, 0.01)
    assert torch.equal(layer.weight, torch.full((2, 2), 0.01))
    assert torch.equal(layer.bias, torch.full((2,), 0.003))


@pytest.mark.parametrize("shape", [(3, 5, 2, 2), (20, 3)])
def test_singular_value_clipping_equals_the_svd_with_its_values_clipped(shape: tuple[int, ...]) -> None:
    layer = nn.Conv2d(*shape[1::-1], shape[-1]) if len(shape) == 4 else nn.Linear(shape[1], shape[0])
    nn.init.normal_(layer.weight)
    left, values, right = torch.linalg.svd(layer.weight.detach().flatten(1).double(), full_matrices=False)
    values *= torch.linspace(0.2, 2.0, len(values)) / values.max()  # some below 1, some above
    kernel = left @ values.diag() @ right
    with torch.no_grad():
        layer.weight.copy_(kernel.view(shape))
    clip_singular_values(layer)
    expected = left @ values.clamp(max=1).diag() @ right
    assert torch.allclose(layer.weight.detach().flatten(1).double(), expected, atol=1e-6)


def test_gradient_penalty_reaches_the_critics_weights() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    gradient_penalty(critic, torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2), torch.rand(4)).backward()
    assert critic[1].weight.grad.abs().sum() > 0


def test_penalties_are_the_same_under_bfloat16_autocast() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 1))
    real, fake, share = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2), torch.rand(4)
    plain = gradient_penalty(critic, real, fake, share), zero_centered_penalty(critic, real)
    with torch.autocast("cpu", torch.bfloat16):
        assert (gradient_penalty(critic, real, fake, share), zero_centered_penalty(critic, real)) == plain


def test_gradient_penalty_is_taken_on_the_line_between_real_and_fake() -> None:
    """Of half the squared norm the gradient is the point itself."""
    real, fake, share = torch.randn(6, 3, 2, 2), torch.randn(6, 3, 2, 2), torch.rand(6)
    points = real + share.view(-1, 1, 1, 1) * (fake - real)
    expected = (points.flatten(1).norm(dim=1) - 1).square().mean()
    penalty = gradient_penalty(lambda x: x.flatten(1).square().sum(1) / 2, real, fake, share)
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)


def test_soft_cross_entropy_equals_dense_cross_entropy() -> None:
    logits = torch.randn(2, 7, 3, 3)
    classes = torch.stack([torch.randperm(7)[:3] for _ in range(18)]).view(2, 3, 3, 3).movedim(-1, 1)
    share = torch.rand(2, 3, 3, 3).softmax(1)
    dense = torch.zeros(2, 7, 3, 3).scatter_(1, classes, share)
    expected = nn.functional.cross_entropy(logits, dense)
    assert torch.allclose(soft_cross_entropy(logits, classes, share, torch.ones(2, 3, 3)), expected)


def test_soft_cross_entropy_ignores_positions_of_weight_zero() -> None:
    logits = torch.randn(1, 5, 1, 2)
    classes = torch.tensor([0, 3]).view(1, 1, 1, 2)
    share = torch.ones(1, 1, 1, 2)
    only_second = soft_cross_entropy(logits, classes, share, torch.tensor([[[0.0, 2.0]]]))
    assert torch.allclose(only_second, -logits[0, :, 0, 1].log_softmax(0)[3])


def test_change_around_counts_each_place_by_its_share_in_the_surroundings() -> None:
    one, other = torch.zeros(1, 3, 1, 2), torch.tensor([[[[0.5, -0.1]], [[0.2, 0.1]], [[0.2, 0.1]]]])
    surroundings = torch.tensor([[[[0.0, 0.5]]]])
    assert change_around(one, other, surroundings).item() == pytest.approx(0.5 * 0.3 / 6)


def test_faint_change_counts_whole_and_a_strong_one_hardly_more_than_its_limit() -> None:
    changes = torch.tensor([0.0, 0.001, 0.1, 0.3, 1.9])
    prices = [faint_change(change, torch.tensor(0.0)).item() for change in changes]
    assert prices == pytest.approx([0, 0.001 / 1.01, 0.05, 0.075, 0.095])
    pair = torch.tensor([0.5, -0.5]), torch.tensor([0.2, 0.5])
    assert faint_change(*pair).item() == pytest.approx((0.075 + 1 / 11) / 2)
    assert faint_change(*pair).item() == faint_change(*pair[::-1]).item()


@pytest.mark.parametrize(("change", "slope"), [(1e-6, 1.0), (0.1, 0.25), (0.9, 0.01)])
def test_what_is_changed_strongly_is_not_pulled_back(change: float, slope: float) -> None:
    made = torch.tensor(change, requires_grad=True)
    torch.autograd.backward(faint_change(made, torch.tensor(0.0)))
    assert made.grad is not None
    assert made.grad.item() == pytest.approx(slope, rel=1e-4)
