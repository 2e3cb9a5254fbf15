"""The game between a discriminator and a generator, with the regularisers that any adversarial recipe may set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

import torch
from torch import Tensor, nn

from img2img.losses import ADVERSARIAL_LOSSES, AdversarialLoss, gradient_penalty, zero_centered_penalty
from img2img.networks.blocks import Norm
from img2img.randomness import normal, uniform
from img2img.recipes.recipe import Recipe

Draw = Callable[[Tensor], Tensor]
"""A generator with its condition already given: latents -> samples."""
Judge = Callable[[Tensor], Tensor]
"""A discriminator with its condition already given: samples -> logits."""


@dataclass(frozen=True, kw_only=True)
class GameConfig(Recipe.Config):
    """The regularisers; a recipe's own Config says which loss it plays with."""

    lambda_penalty: float = 10.0
    """Of the gradient penalty, where the adversarial loss wants one."""
    instance_noise: float = 0.0
    """Standard deviation of the noise on what the discriminator sees; falls in a line to 0 at the last step
    (Arjovsky & Bottou 2017, arXiv 1701.04862, section 3)."""
    label_smoothing: float = 0.0
    """How far below 1 the discriminator's target for real samples lies."""
    r1: float = 0.0
    """Weight (gamma) of the penalty on the discriminator's gradient at real samples; its norms are left out then."""
    r2: float = 0.0
    """The same at fake samples."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("lambda_penalty", "instance_noise", "r1", "r2"):
            self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
        self.require("label_smoothing", 0 <= self.label_smoothing < 1, "from 0 to below 1")
        if self.loss().boundary is None:
            self.require("label_smoothing", self.label_smoothing == 0, "0: such a loss has no labels")

    def loss(self) -> AdversarialLoss:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(GameConfig):
    """A game whose loss can be chosen."""

    adversarial: str = "bce"

    def __post_init__(self) -> None:
        self.require_one_of("adversarial", ADVERSARIAL_LOSSES)
        super().__post_init__()

    def loss(self) -> AdversarialLoss:
        return ADVERSARIAL_LOSSES[self.adversarial]


class Game:
    """Both losses of one game; `progress` in [0, 1] is the share of the run that is done."""

    def __init__(self, config: GameConfig) -> None:
        self.config = config
        self.loss = config.loss()

    def discriminator(
        self, judge: Judge, real: Tensor, fake: Tensor, key: Tensor, progress: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss that the discriminator minimises, penalties included, and the figures to record."""
        config = self.config
        real = self._noisy(real, key, progress, "noise on real")
        fake = self._noisy(fake.detach(), key, progress, "noise on fake")
        real_logits, fake_logits = judge(real).float(), judge(fake).float()  # bf16 would round small distances away
        smoothed = partial(self.loss.discriminator, smoothing=config.label_smoothing)
        loss = (smoothed if config.label_smoothing else self.loss.discriminator)(real_logits, fake_logits)
        figures = self._figures(loss, real_logits, fake_logits)
        if self.loss.gradient_penalty:
            figures["penalty"] = gradient_penalty(judge, real, fake, uniform(key, (), "interpolates"))
            loss = loss + config.lambda_penalty * figures["penalty"]
        if config.r1:
            figures["r1"] = zero_centered_penalty(judge, real)
            loss = loss + config.r1 * figures["r1"]
        if config.r2:
            figures["r2"] = zero_centered_penalty(judge, fake)
            loss = loss + config.r2 * figures["r2"]
        return loss, {name: figure.detach() for name, figure in figures.items()}

    def generator(self, judge: Judge, real: Tensor, fake: Tensor, key: Tensor, progress: Tensor) -> Tensor:
        """The loss that the generator minimises; the caller freezes the discriminator."""
        fake_logits = judge(self._noisy(fake, key, progress, "noise on fake, generator's turn")).float()
        if not self.loss.relativistic:
            return self.loss.generator(fake_logits)
        real_logits = judge(self._noisy(real, key, progress, "noise on real, generator's turn")).float()
        return self.loss.generator(fake_logits, real_logits)

    def norm(self, usual: Norm) -> Norm:
        """The discriminator's: none where a penalty on the gradient wants every sample judged alone."""
        return nn.Identity if self.loss.gradient_penalty or self.config.r1 or self.config.r2 else usual

    def _noisy(self, x: Tensor, key: Tensor, progress: Tensor, purpose: str) -> Tensor:
        if not self.config.instance_noise:
            return x
        return x + self.config.instance_noise * (1 - progress) * normal(key, tuple(x.shape[1:]), purpose)

    @torch.no_grad()
    def _figures(self, loss: Tensor, real_logits: Tensor, fake_logits: Tensor) -> dict[str, Tensor]:
        """What a critic says of the distance; how often a discriminator is right."""
        if self.loss.relativistic:
            right = (real_logits > fake_logits).float().mean()
            return {"discriminator": loss, "real_right": right, "fake_right": right}
        boundary = self.loss.boundary
        if boundary is None:
            return {"distance": -loss}
        return {
            "discriminator": loss,
            "real_right": (real_logits > boundary).float().mean(),
            "fake_right": (fake_logits < boundary).float().mean(),
        }
