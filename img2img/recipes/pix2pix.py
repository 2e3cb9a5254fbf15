"""`pix2pix`: any picture to any picture, learnt from pairs (Isola et al. 2017, arXiv 1611.07004)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, optim

from img2img.networks.blocks import channel_norm
from img2img.networks.patchgan import PatchGAN
from img2img.networks.pix2pix_unet import Pix2pixUNet
from img2img.networks.projected import ProjectedDiscriminator
from img2img.networks.residual_unet import ResidualUNet
from img2img.randomness import uniform
from img2img.recipes.pix2pix_config import PAPER, Pix2pixConfig
from img2img.recipes.recipe import Batch, Recipe, Update, frozen
from img2img.recipes.translation.translator_recipe import TranslatorRecipe


class Pix2pixRecipe(TranslatorRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(Pix2pixConfig):
        pass

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"paper": PAPER}
    name = "pix2pix"
    paired = True
    averaged = ("generator",)
    exported = "generator"

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.generator = self.exported_network(config)
        self.discriminator = self._build_discriminator()

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> ResidualUNet | Pix2pixUNet:
        assert isinstance(config, Pix2pixRecipe.Config)
        if config.generator == "residual-unet":
            return ResidualUNet(
                adds=config.result == "change", learns=True, width=config.generator_width, context=config.context_blocks
            )
        return Pix2pixUNet(config.generator_channels, config.levels, norm=channel_norm)

    def _build_discriminator(self) -> PatchGAN | ProjectedDiscriminator:
        config = self.config
        if config.discriminator == "projected":
            return self._projected(conditional=True)
        return PatchGAN(6, config.discriminator_channels, norm=self.game.norm(channel_norm))

    @classmethod
    def sides_multiple(cls, config: Recipe.Config) -> int:
        assert isinstance(config, Pix2pixRecipe.Config)
        return 2**config.levels if config.generator == "unet" else cls.size_multiple

    @classmethod
    def result(cls, config: Recipe.Config) -> Literal["change", "picture"]:
        assert isinstance(config, Pix2pixRecipe.Config)
        return "change" if config.result == "change" else "picture"

    def start(self) -> None:
        if isinstance(self.generator, ResidualUNet) and self.config.pretrained:
            self.generator.encoder.load_imagenet()

    def optimizers(self) -> dict[str, optim.Optimizer]:
        return {
            "generator": self._adam(self.config.generator_lr, self.generator),
            "discriminator": self._adam(self.config.discriminator_lr, self.discriminator),
        }

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        a, b, key = batch["a"], batch["b"], batch["key"]
        fake = self._drawn(a, key)
        judge = self._judge_beside(a, key)

        d_loss, figures = self.game.discriminator(judge, b, fake, key, self.progress)
        update("discriminator", d_loss)

        with frozen(self.discriminator):
            terms = {"generator": self.game.generator(judge, b, fake, key, self.progress)}
        terms["l1"] = F.l1_loss(fake, b)
        if self.features:
            terms["perceptual"] = self.features.unlike(fake, b)
        weights = self._weights()
        update("generator", torch.stack([weights[name] * term for name, term in terms.items()]).sum())
        return {**figures, **{name: term.detach() for name, term in terms.items()}}

    def _drawn(self, a: Tensor, key: Tensor) -> Tensor:
        """What the generator makes of the inputs, with dropout as its noise."""
        noise: tuple[list[Tensor], ...] = ()
        if isinstance(self.generator, Pix2pixUNet) and self.config.dropout:
            noise = (self._dropout(self.generator, a, key),)
        fake: Tensor = self.generator(a, *noise)
        return fake

    def _dropout(self, generator: Pix2pixUNet, a: Tensor, key: Tensor) -> list[Tensor]:
        share, shapes = self.config.dropout, generator.dropped(*a.shape[2:])
        drawn = (uniform(key, shape, f"dropout {level}") for level, shape in enumerate(shapes))
        return [(one >= share).to(a.dtype) / (1 - share) for one in drawn]

    def _judge_beside(self, a: Tensor, key: Tensor) -> Callable[[Tensor], Tensor]:
        """The discriminator, which sees the inputs as well: the two pictures of a pair augmented alike."""

        def seen(images: Tensor) -> Tensor:
            return self._augmented(images, key, "pair")

        if isinstance(self.discriminator, ProjectedDiscriminator):
            judge = self.discriminator.beside(seen(a))
            return lambda b: judge(seen(b))
        given = seen(a)
        return lambda b: self.discriminator(torch.cat([given, seen(b)], 1))

    def _weights(self) -> dict[str, float]:
        """Of the terms of the generator's loss."""
        config = self.config
        return {
            "generator": config.lambda_adversarial,
            "l1": config.lambda_l1,
            "perceptual": config.lambda_perceptual,
        }

    def samples(self, batch: Batch) -> Tensor:
        drawn: Tensor = self.generator(batch["a"])
        return drawn

    def preview(self, batch: Batch) -> Tensor:
        """Rows of the input, what was drawn, and the target."""
        return torch.stack([batch["a"], self.generator(batch["a"]), batch["b"]], 1)
