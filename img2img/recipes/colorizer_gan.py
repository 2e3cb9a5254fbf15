"""`colorizer-gan`: pix2pix from L to ab (Isola et al. 2017, arXiv 1611.07004): L1 + PatchGAN, no noise vector.

Temperature and saturation are trained through: it sees the colours that `colorizer` would export.
"""

from dataclasses import dataclass
from functools import partial
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from img2img.networks.patchgan import PatchGAN
from img2img.recipes.ab_recipe import AbRecipe
from img2img.recipes.game import AdversarialConfig, Game
from img2img.recipes.recipe import Batch, Update, frozen


class ColorizerGanRecipe(AbRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(AbRecipe.Config, AdversarialConfig):
        adversarial: str = "hinge"
        generator_lr: float = 1e-4
        discriminator_lr: float = 2e-4
        betas: tuple[float, float] = (0.5, 0.999)
        lambda_l1: float = 100.0
        lambda_adversarial: float = 1.0
        discriminator_channels: int = 64

        def __post_init__(self) -> None:
            super().__post_init__()
            for name in ("generator_lr", "discriminator_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            for name in ("lambda_l1", "lambda_adversarial"):
                self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
            self.require("discriminator_channels", self.discriminator_channels >= 1, "1 or more")
            self.require("betas", all(0 <= beta < 1 for beta in self.betas), "from 0 to below 1")

    name = "colorizer-gan"

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.game = Game(config)
        self.discriminator = PatchGAN(3, config.discriminator_channels, norm=self.game.norm(nn.InstanceNorm2d))

    def optimizers(self) -> dict[str, optim.Optimizer]:
        adam = partial(optim.Adam, betas=self.config.betas, fused=True)
        return {
            "generator": adam(self.generator.parameters(), lr=self.config.generator_lr),
            "discriminator": adam(self.discriminator.parameters(), lr=self.config.discriminator_lr),
        }

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        key = batch["key"]
        lightness, real_ab = self.seen(batch)
        fake_ab = self.generator(lightness)
        real, fake = torch.cat([lightness, real_ab], 1), torch.cat([lightness, fake_ab], 1)

        d_loss, figures = self.game.discriminator(self.discriminator, real, fake, key, self.progress)
        update("discriminator", d_loss)

        with frozen(self.discriminator):
            g_loss = self.game.generator(self.discriminator, fake, key, self.progress)
        l1 = F.l1_loss(fake_ab, real_ab)
        update("generator", self.config.lambda_adversarial * g_loss + self.config.lambda_l1 * l1)
        return {**figures, "generator": g_loss.detach(), "l1": l1.detach()}
