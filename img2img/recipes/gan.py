"""`gan`, `dcgan`: the game as first played (arXiv 1406.2661) and with convolutions (arXiv 1511.06434)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from img2img.networks.dcgan import DcganDiscriminator
from img2img.networks.perceptron import PerceptronDiscriminator, PerceptronGenerator
from img2img.recipes.game import AdversarialConfig, Draw, Judge
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Batch, Recipe, Update, frozen

QUICK: dict[str, Any] = {
    "steps": 2000,
    "batch_size": 32,
    "generator_channels": 32,
    "discriminator_channels": 32,
    "generator_lr": 5e-4,
    "discriminator_lr": 5e-4,
}
"""Digits that one can read within ten minutes on two processor cores."""


class DcganRecipe(GenerativeRecipe):
    """Both players convolve; with batch norm, LeakyReLU and weights from N(0, 0.02)."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GenerativeRecipe.Config, AdversarialConfig):
        pass

    name = "dcgan"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"quick": QUICK}

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.discriminator: nn.Module = self.build_discriminator()

    def build_discriminator(self) -> nn.Module:
        config = self.config
        norm = self.game.norm(nn.BatchNorm2d)
        return DcganDiscriminator(config.image_channels, config.image_size, config.discriminator_channels, norm)

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        real, key = self.real(batch), batch["key"]
        draw, judge = self.players(batch)
        fake = draw(self.latents(key, "step"))

        d_loss, figures = self.game.discriminator(judge, real, fake, key, self.progress)
        update("discriminator", d_loss)

        with frozen(self.discriminator):
            g_loss = self.game.generator(judge, real, fake, key, self.progress)
        update("generator", g_loss)
        return {**figures, "generator": g_loss.detach()}

    def players(self, batch: Batch) -> tuple[Draw, Judge]:
        """Both networks; a conditional recipe tells them what is asked for."""
        return self.generator, self.discriminator


class GanRecipe(DcganRecipe):
    """Both players fully connected."""

    @dataclass(frozen=True, kw_only=True)
    class Config(DcganRecipe.Config):
        generator_channels: int = 512
        """Units of the generator's wider hidden layer; the other has half."""
        discriminator_channels: int = 512
        upsampling: str = "transposed"
        """Nothing else: no layer of this generator upsamples."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require_untouched("upsampling", because="gan is fully connected, and nothing in it upsamples")

    name = "gan"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> PerceptronGenerator:
        assert isinstance(config, GanRecipe.Config)
        return PerceptronGenerator(config.z_dim, _shape(config), config.generator_channels)

    def build_discriminator(self) -> PerceptronDiscriminator:
        return PerceptronDiscriminator(_shape(self.config), self.config.discriminator_channels)


def _shape(config: GenerativeRecipe.Config) -> tuple[int, int, int]:
    return config.image_channels, config.image_size, config.image_size
