"""Losses as functions: tensors in, scalar out. An adversarial loss is a pair of them, one for each player."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of one game, both minimised, on logits of any shape."""

    discriminator: Callable[..., Tensor]
    """(real logits, fake logits) -> the mean of the real and the fake half; with `boundary`, also `smoothing`:
    how far below 1 the target of real samples lies (Salimans et al. 2016, arXiv 1606.03498, section 3.4)."""
    generator: Callable[..., Tensor]
    """Fake logits -> how far the discriminator is from taking them for real; a `relativistic` one takes the real
    logits after them."""
    boundary: float | None = 0.0
    """The logit that parts real from fake, where the loss has targets that can be smoothed or missed."""
    gradient_penalty: bool = False
    """Whether the discriminator is a critic that a gradient penalty keeps 1-Lipschitz."""
    relativistic: bool = False
    """Whether logits are judged by pairs, a real sample's beside a fake one's."""


def _bce_discriminator(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    real_half = F.softplus(-real).mean() + smoothing * real.mean()  # softplus(x) - softplus(-x) = x
    return (real_half + F.softplus(fake).mean()) / 2


def _minimax_generator(fake: Tensor) -> Tensor:
    return -F.softplus(fake).mean()


def _non_saturating_generator(fake: Tensor) -> Tensor:
    return F.softplus(-fake).mean()


def _least_squares_discriminator(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    return ((real - 1 + smoothing).square().mean() + fake.square().mean()) / 2


def _least_squares_generator(fake: Tensor) -> Tensor:
    return (fake - 1).square().mean()


def _hinge_discriminator(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    return (F.relu(1 - smoothing - real).mean() + F.relu(1 + fake).mean()) / 2


def _wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def _relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(fake - real).mean()


def _relativistic_generator(fake: Tensor, real: Tensor) -> Tensor:
    return F.softplus(real - fake).mean()


def _raise_logits(fake: Tensor) -> Tensor:
    return -fake.mean()


# Arjovsky et al. 2017 (arXiv 1701.07875), eq. 2 and 3: for a critic that something else keeps Lipschitz
WASSERSTEIN = AdversarialLoss(_wasserstein_discriminator, _raise_logits, boundary=None)

ADVERSARIAL_LOSSES = {
    # Goodfellow et al. 2014 (arXiv 1406.2661): eq. 1, and the generator's form that does not saturate
    "minimax": AdversarialLoss(_bce_discriminator, _minimax_generator),
    "bce": AdversarialLoss(_bce_discriminator, _non_saturating_generator),
    # Mao et al. 2017 (arXiv 1611.04076), eq. 2 with a=0, b=c=1
    "least-squares": AdversarialLoss(_least_squares_discriminator, _least_squares_generator, boundary=0.5),
    # Lim & Ye 2017 (arXiv 1705.02894)
    "hinge": AdversarialLoss(_hinge_discriminator, _raise_logits),
    # Jolicoeur-Martineau 2018 (arXiv 1807.00734); with R1 and R2 R3GAN's (Huang et al. 2025, arXiv 2501.05441)
    "relativistic": AdversarialLoss(
        _relativistic_discriminator, _relativistic_generator, boundary=None, relativistic=True
    ),
    # Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3 without its penalty term: `gradient_penalty` below
    "wasserstein-gp": replace(WASSERSTEIN, gradient_penalty=True),
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


def zero_centered_penalty(discriminator: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """Half the mean squared gradient norm at samples: of real ones R1, of fake ones R2 (arXiv 1801.04406, eq. 9)."""
    with torch.autocast(samples.device.type, enabled=False):
        samples = samples.detach().float().requires_grad_(True)
        (gradient,) = torch.autograd.grad(discriminator(samples).sum(), samples, create_graph=True)
        return gradient.square().flatten(1).sum(1).mean() / 2


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Bring every parameter into [-limit, limit] (arXiv 1701.07875, algorithm 1, line 7)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


@torch.no_grad()
def clip_singular_values(network: nn.Module) -> None:
    """Lower every singular value of each kernel, as a matrix (out, rest), to at most 1 (arXiv 1611.06624, 3.3).

    With W = U S V', the clipped kernel is U min(S, 1) V' = U min(1, 1 / S) U' W: U and S come from the eigenvectors
    of the small matrix W W'. Biases and norms, which are no matrices, stay.
    """
    for parameter in network.parameters():
        if parameter.ndim < 2:
            continue
        kernel = parameter.flatten(1).double()
        squares, left = torch.linalg.eigh(kernel @ kernel.T)
        shrink = squares.clamp(min=1).rsqrt()
        parameter.copy_(((left * shrink) @ left.T @ kernel).view_as(parameter))


def soft_cross_entropy(logits: Tensor, classes: Tensor, share: Tensor, weights: Tensor) -> Tensor:
    """Mean cross entropy against a few classes with a share each, each position times its weight.

    `logits` (N, Q, H, W); `classes` (N, K, H, W), int64, and `share` (N, K, H, W), summing to 1 over K;
    `weights` (N, H, W) >= 0, 1 on average: not this batch's average, so that parts of a batch can be taken apart.
    """
    logs = logits.float().movedim(1, -1).log_softmax(-1)  # with channels last, a position's logits lie side by side
    entropy = -(share * logs.gather(-1, classes.movedim(1, -1)).movedim(-1, 1)).sum(1)
    return (weights * entropy).mean()


def faint_change(x: Tensor, y: Tensor, scale: float = 0.1) -> Tensor:
    """Mean |x - y| where that is far below `scale`, levelling off at `scale` where it is far above.

    The potential of Geman & Reynolds (1992, IEEE PAMI 14 (3)): it does away with what is faint, where L1 would make
    strong changes paler too. The default is 13 grey levels of 255 for pictures in [-1, 1].
    """
    apart = (x - y).abs()
    return (apart / (1 + apart / scale)).mean()


def change_around(x: Tensor, y: Tensor, surroundings: Tensor) -> Tensor:
    """Mean |x - y| of pictures (N, C, H, W), each place by its share (N, 1, H, W) in the surroundings of a subject."""
    return (surroundings * (x - y).abs()).mean()
