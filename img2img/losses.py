"""Losses as functions: tensors in, scalar out. An adversarial loss is a pair of them, one for each player."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of one game, both minimised, on logits of any shape."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """(real logits, fake logits) -> the mean of the real and the fake half."""
    generator: Callable[[Tensor], Tensor]
    """Fake logits -> how far the discriminator is from taking them for real."""
    gradient_penalty: bool = False
    """Whether the discriminator is a critic that must be kept 1-Lipschitz."""


def _bce_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def _minimax_generator(fake: Tensor) -> Tensor:
    return -F.softplus(fake).mean()


def _non_saturating_generator(fake: Tensor) -> Tensor:
    return F.softplus(-fake).mean()


def _least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def _least_squares_generator(fake: Tensor) -> Tensor:
    return (fake - 1).square().mean()


def _hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def _wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def _raise_logits(fake: Tensor) -> Tensor:
    return -fake.mean()


ADVERSARIAL_LOSSES = {
    # Goodfellow et al. 2014 (arXiv 1406.2661): eq. 1, and the generator's form that does not saturate
    "minimax": AdversarialLoss(_bce_discriminator, _minimax_generator),
    "bce": AdversarialLoss(_bce_discriminator, _non_saturating_generator),
    # Mao et al. 2017 (arXiv 1611.04076), eq. 2 with a=0, b=c=1
    "least-squares": AdversarialLoss(_least_squares_discriminator, _least_squares_generator),
    # Lim & Ye 2017 (arXiv 1705.02894)
    "hinge": AdversarialLoss(_hinge_discriminator, _raise_logits),
    # Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3 without its penalty term: `gradient_penalty` below
    "wasserstein-gp": AdversarialLoss(_wasserstein_discriminator, _raise_logits, gradient_penalty=True),
}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean squared distance from 1 of the critic's gradient norm between real and fake (1704.00028, eq. 3).

    The gradient is taken at `share[i]`, drawn evenly from [0, 1), of the way from `real[i]` to `fake[i]`; both are
    (N, ...) of one shape. Runs in float32 whatever the autocast, since the norm of a half-precision gradient is mostly
    noise.
    """
    with torch.autocast(real.device.type, enabled=False):
        real, fake = real.detach().float(), fake.detach().float()
        between = real.lerp(fake, share.view(-1, *[1] * (real.ndim - 1))).requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        off: Tensor = gradient.flatten(1).norm(dim=1) - 1
        return off.square().mean()


def soft_cross_entropy(logits: Tensor, classes: Tensor, share: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy against a few classes with a share each, averaged with a weight for each position.

    `logits` (N, Q, H, W); `classes` (N, K, H, W), int64, and `share` (N, K, H, W), summing to 1 over K;
    `weights` (N, H, W) >= 0.
    """
    logits = logits.float()
    entropy = logits.logsumexp(1) - (share * logits.gather(1, classes)).sum(1)
    return (weights * entropy).sum() / weights.sum()
