"""What the recipes of translators have in common: two domains, what is exported, rates, what discriminators see."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from torch import Tensor, nn, optim

from img2img.model_file import TensorSpec
from img2img.networks.blocks import channel_norm
from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.networks.projected import ProjectedDiscriminator
from img2img.recipes.game import Game
from img2img.recipes.recipe import Recipe, trained
from img2img.recipes.translation.diff_augment import diff_augment
from img2img.recipes.translation.translator_config import TranslatorConfig
from img2img.recipes.translation.translator_tensors import (
    GREY_LEVELS,
    IMAGE,
    TRANSLATED,
    statistics_outputs,
    with_statistics,
)


class TranslatorRecipe(Recipe):
    task: ClassVar[Literal["translate"]] = "translate"
    domains = ("a", "b")
    output_scale = GREY_LEVELS
    output_unit = "grey levels of 255"
    size_multiple = 16

    config: TranslatorConfig

    def __init__(self, config: TranslatorConfig) -> None:
        super().__init__(config)
        self.game = Game(config)
        # never those of Lite0, by which checkpoints are chosen
        self.features = FrozenFeatures("lite1", pretrained=config.pretrained) if config.lambda_perceptual else None

    @classmethod
    def inputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (IMAGE,)

    @classmethod
    def outputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (TRANSLATED,)

    @classmethod
    def with_options(cls, network: nn.Module) -> nn.Module:
        return with_statistics(network)

    @classmethod
    def further_outputs(cls, network: nn.Module) -> tuple[TensorSpec, ...]:
        return statistics_outputs(network)

    def lr_multiplier(self, progress: float) -> float:
        """A linear warm-up, then constant, then a line to 0."""
        config = self.config
        rising = progress / config.warmup if progress < config.warmup else 1.0
        falling = (1 - progress) / (1 - config.constant_share) if progress > config.constant_share else 1.0
        return min(rising, falling)

    def _adam(
        self, rate: float, *parts: nn.Module, slower: Sequence[nn.Module] = (), slower_rate: float = 0.0
    ) -> optim.Adam:
        """For what is trained of the parts, at one rate but for what of them is `slower`."""
        apart = trained(*slower)
        known = set(apart)
        others = [parameter for parameter in trained(*parts) if parameter not in known]
        groups: list[dict[str, Any]] = [{"params": others}, *([{"params": apart, "lr": slower_rate}] if apart else [])]
        return optim.Adam(groups, lr=rate, betas=self.config.betas, fused=True)

    def _projected(self, *, conditional: bool = False) -> ProjectedDiscriminator:
        """On the features that the settings name."""
        config = self.config
        return ProjectedDiscriminator(
            config.discriminator_channels,
            config.discriminator_features,
            norm=self.game.norm(channel_norm),
            pretrained=config.pretrained,
            conditional=conditional,
        )

    def _augmented(self, images: Tensor, key: Tensor, purpose: str) -> Tensor:
        """As a discriminator sees them."""
        return diff_augment(images, key, purpose, self.config.diff_augment, self.config.color_strength)
