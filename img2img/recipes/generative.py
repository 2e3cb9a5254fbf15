"""What the recipes that draw from noise have in common: latents, players' rates, and what a sampler ships as."""

from dataclasses import dataclass, replace
from math import inf
from typing import ClassVar, Self

import torch
from torch import Tensor, nn, optim

from img2img.model_file import TensorSpec
from img2img.networks.dcgan import UPSAMPLING, DcganGenerator, stage_count
from img2img.randomness import normal
from img2img.recipes.game import Game, GameConfig
from img2img.recipes.recipe import Batch, Recipe, trained

PREVIEW_SIDE = 8


class GenerativeRecipe(Recipe):
    """A generator from z (N, z_dim), drawn from N(0, 1), to pictures; digits at 32 px unless told otherwise."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GameConfig):
        batch_size: int = 64
        image_size: int = 32
        warmup: float = 0.0
        image_channels: int = 1
        """1: grey pictures, 3: colour."""
        z_dim: int = 100
        generator_lr: float = 2e-4
        discriminator_lr: float = 2e-4
        betas: tuple[float, float] = (0.5, 0.999)
        """Of Adam, for both players."""
        generator_channels: int = 64
        """Of the generator's largest feature map; the smaller maps have up to 8 times as many."""
        discriminator_channels: int = 64
        upsampling: str = "transposed"
        """The generator's: transposed as in the paper, or resize, which leaves no checkerboards."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("image_size", stage_count(self.image_size) > 0, "8, 16, 32, 64 ...")
            self.require("image_channels", self.image_channels in (1, 3), "1 (grey) or 3 (colour)")
            for name in ("z_dim", "generator_channels", "discriminator_channels"):
                self.require(name, getattr(self, name) >= 1, "1 or more")
            for name in ("generator_lr", "discriminator_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            self.require("betas", all(0 <= beta < 1 for beta in self.betas), "from 0 to below 1")
            self.require_one_of("upsampling", UPSAMPLING)

        def in_color(self) -> Self:
            return replace(self, image_channels=3)

    task = "generate"
    averaged = ("generator",)
    exported = "generator"
    output_scale = 127.5
    output_unit = "grey levels of 255"
    size_multiple = 1
    judge_name: ClassVar[str] = "discriminator"

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.game = Game(config)
        self.generator = self.exported_network(config)

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> nn.Module:
        assert isinstance(config, GenerativeRecipe.Config)
        return DcganGenerator(
            config.z_dim, config.image_channels, config.image_size, config.generator_channels, config.upsampling
        )

    @classmethod
    def inputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        assert isinstance(config, GenerativeRecipe.Config)
        return (TensorSpec("z", ("N", config.z_dim), "N(0, 1)", (-6.0, 6.0)),)

    @classmethod
    def outputs(cls, config: Recipe.Config) -> tuple[TensorSpec, ...]:
        assert isinstance(config, GenerativeRecipe.Config)
        shape = ("N", config.image_channels, config.image_size, config.image_size)
        return (TensorSpec("image", shape, _unit(config.image_channels), (-1.0, 1.0)),)

    def optimizers(self) -> dict[str, optim.Optimizer]:
        return {
            self.judge_name: self.optimizer(self.get_submodule(self.judge_name), self.config.discriminator_lr),
            "generator": self.optimizer(self.generator, self.config.generator_lr),
        }

    def optimizer(self, network: nn.Module, rate: float) -> optim.Optimizer:
        return optim.Adam(trained(network), lr=rate, betas=self.config.betas, fused=True)

    def real(self, batch: Batch) -> Tensor:
        """The batch's pictures (N, image_channels, S, S)."""
        image = batch["image"]
        return image if self.config.image_channels == 3 else image.mean(1, keepdim=True)

    def trunk(self, image: Tensor) -> tuple[nn.Sequential, Tensor]:
        """The discriminator's layers up to its head, and what they take for pictures (N, 3, S, S)."""
        layers = self.get_submodule(self.judge_name).features
        assert isinstance(layers, nn.Sequential)
        return layers, self.real({"image": image})

    def latents(self, key: Tensor, purpose: str) -> Tensor:
        """(N, z_dim) from N(0, 1), one for each sample's key."""
        return normal(key, (self.config.z_dim,), purpose)

    def samples(self, batch: Batch) -> Tensor:
        drawn: Tensor = self.generator(self.latents(batch["key"], "samples"))
        return drawn

    def preview(self, batch: Batch) -> Tensor:
        """A square of samples, the same latents every time."""
        fixed = torch.arange(PREVIEW_SIDE**2, device=self.progress.device)
        return in_rows(self.generator(self.latents(fixed, "preview")), PREVIEW_SIDE)

    def lr_multiplier(self, progress: float) -> float:
        """Constant rates after the warm-up: players that slow down together stop where they are."""
        return min(1.0, progress / self.config.warmup) if self.config.warmup else 1.0


def in_rows(image: Tensor, length: int) -> Tensor:
    """(N * length, 1 or 3, H, W) -> (N, length, 3, H, W)."""
    return image.expand(-1, 3, -1, -1).view(-1, length, 3, *image.shape[2:])


def _unit(channels: int) -> str:
    return "RGB, black -1, white 1" if channels == 3 else "grey, black -1, white 1"
