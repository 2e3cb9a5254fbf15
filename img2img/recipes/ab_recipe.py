"""What the colorizers have in common: a generator from L to ab on a pretrained encoder, and what it ships as."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

from torch import Tensor, nn

from img2img.model_file import TensorSpec
from img2img.networks.ab_network import AbNetwork, WithPrior
from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.networks.quantised_ab import AB_SCALE
from img2img.networks.unet import SIZE_MULTIPLE
from img2img.recipes.ageing.aged import aged_split
from img2img.recipes.photo_lab import as_rgb, preview_rows, split
from img2img.recipes.recipe import Batch, Recipe

LOGITS = "logits of the color classes; the graph's input 'prior' multiplies what each class gets"


class AbRecipe(Recipe):
    """A recipe whose generator predicts the ab of a photo from its L."""

    @dataclass(frozen=True, kw_only=True)
    class Config(Recipe.Config):
        pretrained: bool = True
        """Start the encoder from ImageNet weights; `--init` replaces them."""
        temperature: float = 0.4
        """Of the annealed mean: lower is surer of one colour (Zhang: 0.38)."""
        saturation: float = 1.0
        """Factor on the colours: the mean of what a colour may be is paler than any of it."""
        lambda_perceptual: float = 0.0
        """Weight of how far the coloured picture is from the photo in ImageNet's features: 1 - their cosine."""
        augmentations: ClassVar[tuple[str, ...]] = (*Recipe.Config.augmentations, "aged")
        augment: str = "aged"
        """As for other recipes, or aged: random crops and flips, and half of the greys aged as old photographs are."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("image_size", self.image_size % SIZE_MULTIPLE == 0, f"a multiple of {SIZE_MULTIPLE}")
            deepest = self.batch_size * (self.image_size // SIZE_MULTIPLE) ** 2
            self.require("batch_size", deepest > 1, "2 or more at this image_size: batch norm needs two values")
            self.require("temperature", 0 < self.temperature <= 1, "above 0, at most 1")
            for name in ("saturation", "lambda_perceptual"):
                self.require(name, 0 <= getattr(self, name) < inf, "0 or more")

    task = "colorize"
    averaged = ("generator",)
    exported = "generator"
    output_scale = AB_SCALE
    output_unit = "units of ab"
    size_multiple = SIZE_MULTIPLE
    export_settings: ClassVar[tuple[str, ...]] = ("temperature", "saturation")
    beside = ("frequency",)

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.generator = self.exported_network(config)
        # never those of Lite0, by which models are chosen
        self.features = FrozenFeatures("lite1", pretrained=config.pretrained) if config.lambda_perceptual else None

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> AbNetwork:
        assert isinstance(config, AbRecipe.Config)
        return AbNetwork(config.temperature, config.saturation)

    @classmethod
    def inputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (TensorSpec("L", (1, 1, "H", "W"), "CIE L* / 50 - 1 of the photo's luma", (-1.0, 1.0)),)

    @classmethod
    def outputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        return (TensorSpec("ab", (1, 2, "H", "W"), "CIE ab / 110", (-1.0, 1.0)),)

    @classmethod
    def native_size(cls, config: Recipe.Config) -> int:
        return 192  # no worse than 256 on crops of 128, and 1.6 times as fast

    @classmethod
    def with_options(cls, network: nn.Module) -> nn.Module:
        """With a prior over the classes."""
        assert isinstance(network, AbNetwork)
        return WithPrior(network)

    @classmethod
    def further_outputs(cls, network: nn.Module) -> tuple[TensorSpec, ...]:
        assert isinstance(network, AbNetwork)
        shape = (1, len(network.quantised), "H/4", "W/4")
        return (TensorSpec(WithPrior.further, shape, LOGITS, (-1e6, 1e6)),)

    @classmethod
    def about(cls, network: nn.Module, beside: Mapping[str, Tensor]) -> dict[str, Any]:
        """Where the classes lie and how frequent each was in training, where that was counted."""
        assert isinstance(network, AbNetwork)
        if "frequency" not in beside:
            return {}
        rows = zip(network.quantised.centres.tolist(), beside["frequency"].tolist(), strict=True)
        return {"color_classes": tuple((a, b, float(f"{share:.4g}")) for (a, b), share in rows)}

    def start(self) -> None:
        if self.config.pretrained:
            self.generator.unet.encoder.load_imagenet()

    def compiled(self) -> tuple[nn.Module, ...]:
        return (self.generator.unet,)

    def seen(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What is trained on: L / 50 - 1 (N, 1, H, W) of the greys, ab / 110 (N, 2, H, W) of the clean photos."""
        separated = aged_split if self.config.augment == "aged" else split
        return separated(batch["image"], batch["key"])

    def colors(self, logits: Tensor) -> Tensor:
        """ab / 110 (N, 2, H, W) of class logits (N, Q, H/4, W/4), as an export gives them."""
        return self.generator.decoded(logits, self.config.temperature, self.config.saturation)

    def samples(self, batch: Batch) -> Tensor:
        lightness, _ = self.seen(batch)
        return as_rgb(lightness, self.generator(lightness))

    def preview(self, batch: Batch) -> Tensor:
        lightness, _ = split(batch["image"])
        return preview_rows(lightness, self.generator(lightness), batch["image"])
