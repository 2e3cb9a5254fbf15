"""`cgan`: a DCGAN that draws what it is asked for (Mirza & Osindero 2014, arXiv 1411.1784)."""

from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.model_file import TensorSpec
from img2img.networks.conditional import (
    ConditionalDiscriminator,
    ConditionalGenerator,
    LabelEmbedding,
    PictureEmbedding,
)
from img2img.networks.dcgan import DcganDiscriminator, DcganGenerator
from img2img.recipes.game import Draw, Judge
from img2img.recipes.gan import DcganRecipe
from img2img.recipes.generative import PREVIEW_SIDE, in_rows
from img2img.recipes.recipe import Batch, Recipe

EMBEDDING_PLANES = 16


class CganRecipe(DcganRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(DcganRecipe.Config):
        condition: str = "label"
        """label: the class to draw; embedding: a picture to draw the like of, as ImageNet's encoder sees it."""
        classes: int = 10
        """How many labels there are; read from the data."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("condition", self.condition in ("label", "embedding"), "label or embedding")
            self.require("classes", self.classes >= 1, "1 or more")
            if self.condition == "embedding":
                self.require("image_size", self.image_size >= 32, "32 or more for the encoder of the condition")

        def for_classes(self, count: int) -> Self:
            return replace(self, classes=count)

    name = "cgan"

    config: Config
    generator: ConditionalGenerator

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> ConditionalGenerator:
        assert isinstance(config, CganRecipe.Config)
        by_label = config.condition == "label"
        embedding = LabelEmbedding(config.classes) if by_label else PictureEmbedding()
        return ConditionalGenerator(
            embedding,
            DcganGenerator(
                config.z_dim + embedding.size,
                config.image_channels,
                config.image_size,
                config.generator_channels,
                config.upsampling,
            ),
            gain=sqrt(config.classes) if by_label else 1.0,  # then a one-hot vector's elements have a mean square of 1
        )

    @classmethod
    def inputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        assert isinstance(config, CganRecipe.Config)
        label = TensorSpec("label", ("N", config.classes), "one-hot", (0.0, 1.0))
        picture = TensorSpec(
            "condition", ("N", 3, config.image_size, config.image_size), "RGB, black -1, white 1", (-1.0, 1.0)
        )
        return (*super().inputs(config), label if config.condition == "label" else picture)

    def build_discriminator(self) -> ConditionalDiscriminator:
        config, size = self.config, self.generator.embedding.size
        planes = size if config.condition == "label" else EMBEDDING_PLANES
        norm = self.game.norm(nn.BatchNorm2d)
        channels = config.image_channels + planes
        judge = DcganDiscriminator(channels, config.image_size, config.discriminator_channels, norm)
        return ConditionalDiscriminator(judge, size, planes)

    def start(self) -> None:
        if isinstance(self.generator.embedding, PictureEmbedding):
            self.generator.embedding.encoder.load_imagenet()

    def compiled(self) -> tuple[nn.Module, ...]:
        return (self.generator.generator,)

    def players(self, batch: Batch) -> tuple[Draw, Judge]:
        wanted = self.embedded(batch)
        return partial(self.generator.draw, embedded=wanted), partial(self.discriminator, embedded=wanted)

    @torch.no_grad()
    def embedded(self, batch: Batch) -> Tensor:
        """(N, size), float32: what each sample is asked to be: its own label, or its own picture's embedding.

        The encoder gives bf16 under autocast, and a penalty on the gradient is computed outside it.
        """
        by_label = self.config.condition == "label"
        wanted = F.one_hot(batch["label"], self.config.classes) if by_label else batch["image"]
        return self._embed(wanted.float()).float()

    def _embed(self, condition: Tensor) -> Tensor:
        embedded: Tensor = self.generator.embedding(condition)
        return embedded

    def trunk(self, image: Tensor) -> tuple[nn.Sequential, Tensor]:
        """As if nothing had been asked for: the planes of the condition are 0."""
        assert isinstance(self.discriminator, ConditionalDiscriminator)
        x = self.real({"image": image})
        planes = x.new_zeros(len(x), self.discriminator.plane_count, *x.shape[2:])
        return self.discriminator.discriminator.features, torch.cat([x, planes], 1)

    def samples(self, batch: Batch) -> Tensor:
        return self.generator.draw(self.latents(batch["key"], "samples"), self.embedded(batch))

    def preview(self, batch: Batch) -> Tensor:
        """A row for each label, or for each picture, which stands first; the same latents in every row."""
        by_label = self.config.condition == "label"
        device = self.progress.device
        wanted = self._embed(torch.eye(self.config.classes, device=device) if by_label else batch["image"])
        fixed = torch.arange(PREVIEW_SIDE, device=device).repeat(len(wanted))
        drawn = self.generator.draw(self.latents(fixed, "preview"), wanted.repeat_interleave(PREVIEW_SIDE, 0))
        rows = in_rows(drawn, PREVIEW_SIDE)
        return rows if by_label else torch.cat([batch["image"][:, None], rows], 1)
