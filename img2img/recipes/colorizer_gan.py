"""`colorizer-gan`: pix2pix from L to ab (Isola et al. 2017, arXiv 1611.07004): an anchor + a GAN, no noise vector.

Temperature and saturation are trained through: it sees the colours that `colorizer` would export. The anchor is the
paper's L1, or the cross entropy of `colorizer`, or both; the discriminator the paper's PatchGAN, or one that judges the
coloured picture by ImageNet's features (Sauer et al. 2021, arXiv 2111.01007).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from img2img.networks.blocks import channel_norm
from img2img.networks.patchgan import PatchGAN
from img2img.networks.projected import ProjectedDiscriminator
from img2img.recipes.ab_recipe import AbRecipe
from img2img.recipes.color_classes import ColorClassesConfig, color_cross_entropy, go_on_counting
from img2img.recipes.game import AdversarialConfig, Game
from img2img.recipes.photo_lab import as_rgb
from img2img.recipes.recipe import Batch, Update, frozen, trained

DISCRIMINATORS = ("patch", "projected")


class ColorizerGanRecipe(AbRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(ColorClassesConfig, AdversarialConfig):
        adversarial: str = "hinge"
        generator_lr: float = 1e-4
        discriminator_lr: float = 2e-4
        betas: tuple[float, float] = (0.5, 0.999)
        lambda_l1: float = 100.0
        """Weight of the L1 distance between the ab, both / 110."""
        lambda_cross_entropy: float = 0.0
        """Weight of the loss of `colorizer`; rarity and uniform_share are that loss's."""
        lambda_adversarial: float = 1.0
        discriminator: str = "patch"
        """patch: judges L and ab in patches of 70 x 70 pixels; projected: the picture, on ImageNet's features."""
        discriminator_channels: int = 64

        def __post_init__(self) -> None:
            super().__post_init__()
            for name in ("generator_lr", "discriminator_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            for name in ("lambda_l1", "lambda_cross_entropy", "lambda_adversarial"):
                self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
            if not self.lambda_cross_entropy:
                self.require_untouched("rarity", "uniform_share", because="counts only with lambda_cross_entropy")
            self.require_one_of("discriminator", DISCRIMINATORS)
            self.require("discriminator_channels", self.discriminator_channels >= 1, "1 or more")
            self.require("betas", all(0 <= beta < 1 for beta in self.betas), "from 0 to below 1")

    name = "colorizer-gan"

    config: Config
    frequency: Tensor
    smoothing: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.game = Game(config)
        self.discriminator = self._build_discriminator()
        if config.lambda_cross_entropy:
            classes = len(self.generator.quantised)
            self.register_buffer("frequency", torch.full((classes,), 1 / classes))
            self.register_buffer("smoothing", self.generator.quantised.smoothing(), persistent=False)

    def _build_discriminator(self) -> nn.Module:
        config = self.config
        if config.discriminator == "projected":
            norm = self.game.norm(channel_norm)
            return ProjectedDiscriminator(config.discriminator_channels, norm=norm, pretrained=config.pretrained)
        return PatchGAN(3, config.discriminator_channels, norm=self.game.norm(nn.InstanceNorm2d))

    def optimizers(self) -> dict[str, optim.Optimizer]:
        adam = partial(optim.Adam, betas=self.config.betas, fused=True)
        return {
            "generator": adam(self.generator.parameters(), lr=self.config.generator_lr),
            "discriminator": adam(trained(self.discriminator), lr=self.config.discriminator_lr),
        }

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        key = batch["key"]
        lightness, real_ab = self.seen(batch)
        logits = self.generator.logits(lightness)
        fake_ab = self.colors(logits)
        real, fake = self._judged(lightness, real_ab), self._judged(lightness, fake_ab)

        d_loss, figures = self.game.discriminator(self.discriminator, real, fake, key, self.progress)
        update("discriminator", d_loss)

        with frozen(self.discriminator):
            terms = {"generator": self.game.generator(self.discriminator, real, fake, key, self.progress)}
        terms["l1"] = F.l1_loss(fake_ab, real_ab)
        if self.config.lambda_cross_entropy:
            terms["cross_entropy"] = color_cross_entropy(
                self.generator, logits, real_ab, self.frequency, self.smoothing, self.config
            )
        if self.features:
            terms["perceptual"] = self.features.unlike(as_rgb(lightness, fake_ab), as_rgb(lightness, real_ab))
        weights = self._weights()
        update("generator", torch.stack([weights[name] * term for name, term in terms.items()]).sum())
        return {**figures, **{name: term.detach() for name, term in terms.items()}}

    def _judged(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """What the discriminator sees of a photo (N, 3, H, W): L and ab, or RGB in [-1, 1]."""
        return as_rgb(lightness, ab) if self.config.discriminator == "projected" else torch.cat([lightness, ab], 1)

    def _weights(self) -> dict[str, float]:
        """Of the terms of the generator's loss."""
        config = self.config
        return {
            "generator": config.lambda_adversarial,
            "l1": config.lambda_l1,
            "cross_entropy": config.lambda_cross_entropy,
            "perceptual": config.lambda_perceptual,
        }

    @torch.no_grad()
    def begin_with(self, beside: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
        if self.config.lambda_cross_entropy:
            go_on_counting(self.generator, self.frequency, beside, settings)
