"""`colorizer`: which colour is it? Classification over quantised ab (Zhang et al. 2016, arXiv 1603.08511)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor, nn, optim

from img2img.networks.ab_network import AbNetwork
from img2img.randomness import uniform
from img2img.recipes.ab_recipe import AbRecipe
from img2img.recipes.color_classes import (
    ColorClassesConfig,
    color_cross_entropy,
    go_on_counting,
    head_bias,
    prior_correction,
)
from img2img.recipes.photo_lab import as_rgb
from img2img.recipes.recipe import Batch, Recipe, Update


class ColorizerRecipe(AbRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(ColorClassesConfig):
        decoder_lr: float = 2e-3
        encoder_lr: float = 4e-4
        weight_decay: float = 1e-2
        stochastic_depth: float = 0.0
        """Probability that a block of the encoder adds nothing to a sample in a step: in a line from 0 for the first to
        this for the last, where a block has a shortcut. For many passes over few photos (Huang et al. 2016, arXiv
        1603.09382)."""
        prior_correction: float = 0.0
        """How much of the rarity weights an export takes back: 0 nothing, 1 all of it. The training is not touched."""

        def __post_init__(self) -> None:
            super().__post_init__()
            for name in ("decoder_lr", "encoder_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            self.require("stochastic_depth", 0 <= self.stochastic_depth < 1, "from 0 to below 1")
            self.require("weight_decay", 0 <= self.weight_decay < inf, "0 or more")
            self.require("prior_correction", -1 <= self.prior_correction <= 1, "from -1 to 1")

    name = "colorizer"
    export_settings = (*AbRecipe.export_settings, "prior_correction")

    config: Config
    frequency: Tensor
    smoothing: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        classes = len(self.generator.quantised)
        self.register_buffer("frequency", torch.full((classes,), 1 / classes))
        self.register_buffer("smoothing", self.generator.quantised.smoothing(), persistent=False)

    def optimizers(self) -> dict[str, optim.Optimizer]:
        unet = self.generator.unet
        decoder = [*unet.decoder.parameters(), *unet.head.parameters()]
        return {
            "generator": optim.AdamW(
                [
                    {"params": list(unet.encoder.parameters()), "lr": self.config.encoder_lr},
                    {"params": decoder, "lr": self.config.decoder_lr},
                ],
                weight_decay=self.config.weight_decay,
                fused=True,
            )
        }

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        lightness, ab = self.seen(batch)
        logits = self.generator.logits(lightness, self._kept(batch["key"]))
        entropy = color_cross_entropy(self.generator, logits, ab, self.frequency, self.smoothing, self.config)
        if not self.features:
            update("generator", entropy)
            return {"loss": entropy.detach()}
        unlike = self.features.unlike(as_rgb(lightness, self.colors(logits)), as_rgb(lightness, ab))
        update("generator", entropy + self.config.lambda_perceptual * unlike)
        return {"loss": entropy.detach(), "perceptual": unlike.detach()}

    def _kept(self, key: Tensor) -> Tensor | None:
        """(N, depth) for the encoder: 0 where a block is left out, else as much more as keeps the mean."""
        if not self.config.stochastic_depth:
            return None
        depth = self.generator.unet.encoder.depth
        dropped = torch.linspace(0, self.config.stochastic_depth, depth, device=key.device)
        return (uniform(key, (depth,), "stochastic depth") >= dropped) / (1 - dropped)

    def begin_with(self, beside: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
        go_on_counting(self.generator, self.frequency, beside, settings)

    @classmethod
    @torch.no_grad()
    def settle(cls, network: nn.Module, config: Recipe.Config, beside: Mapping[str, Tensor]) -> None:
        """The prior's correction is a shift of the logits, so of the last bias: the graph stays as it is."""
        assert isinstance(config, cls.Config)
        assert isinstance(network, AbNetwork)
        if config.prior_correction:
            head_bias(network).add_(prior_correction(beside["frequency"], config, config.prior_correction))
