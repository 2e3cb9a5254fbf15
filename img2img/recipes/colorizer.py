"""`colorizer`: which colour is it? Classification over quantised ab (Zhang et al. 2016, arXiv 1603.08511)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from img2img.losses import soft_cross_entropy
from img2img.networks.ab_network import AbNetwork
from img2img.networks.quantised_ab import QuantisedAb
from img2img.recipes.ab_recipe import AbRecipe
from img2img.recipes.recipe import Batch, Recipe, Update


class ColorizerRecipe(AbRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(AbRecipe.Config):
        decoder_lr: float = 2e-3
        encoder_lr: float = 4e-4
        weight_decay: float = 1e-2
        rarity: float = 0.5
        """Exponent on 1 / frequency in a colour's weight: 0 weighs all alike, 1 lifts rare colours all the way."""
        uniform_share: float = 0.5
        """Share of a uniform distribution mixed into the frequencies (lambda in Zhang, eq. 4)."""
        prior_correction: float = 0.0
        """How much of the rarity weights an export takes back: 0 nothing, 1 all of it. The training is not touched."""

        def __post_init__(self) -> None:
            super().__post_init__()
            for name in ("decoder_lr", "encoder_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            for name in ("weight_decay", "rarity"):
                self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
            self.require("uniform_share", 0 < self.uniform_share <= 1, "above 0, at most 1")
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

    def compiled(self) -> tuple[nn.Module, ...]:
        return (self.generator.unet,)

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        lightness, ab = self.seen(batch)
        classes, share = self.generator.quantised.encode(F.avg_pool2d(ab, 4))
        weights = self._rarity_weights(classes, share)
        loss = soft_cross_entropy(self.generator.logits(lightness), classes, share, weights)
        update("generator", loss)
        return {"loss": loss.detach()}

    @torch.no_grad()
    def _rarity_weights(self, classes: Tensor, share: Tensor) -> Tensor:
        """(N, H, W): how much each position counts, from how often its colour was seen before; 1 on average."""
        weights = class_weights(self.frequency, self.smoothing, self.config)
        seen_now = torch.zeros_like(self.frequency).index_add_(0, classes.flatten(), share.flatten())
        self.frequency.lerp_(seen_now / seen_now.sum(), 0.002)
        return (share * weights[classes]).sum(1)

    @torch.no_grad()
    def begin_with(self, beside: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
        """With the frequencies that were counted before, and without what that export took back of the weights."""
        if "frequency" in beside:
            self.frequency.copy_(beside["frequency"])
            if settings.get("prior_correction"):
                then = self.Config(**settings)
                _head_bias(self.generator).sub_(prior_correction(self.frequency, then, then.prior_correction))

    @classmethod
    @torch.no_grad()
    def settle(cls, network: nn.Module, config: Recipe.Config, beside: Mapping[str, Tensor]) -> None:
        """The prior's correction is a shift of the logits, so of the last bias: the graph stays as it is."""
        assert isinstance(config, cls.Config)
        assert isinstance(network, AbNetwork)
        if config.prior_correction:
            _head_bias(network).add_(prior_correction(beside["frequency"], config, config.prior_correction))


def class_weights(frequency: Tensor, smoothing: Tensor, config: ColorizerRecipe.Config) -> Tensor:
    """(Q,): how much a colour of each class counts in the loss, 1 on average (Zhang, eq. 4)."""
    seen = frequency @ smoothing
    mixed = seen.lerp(torch.full_like(seen, 1 / len(seen)), config.uniform_share)
    weights = mixed**-config.rarity
    balanced: Tensor = weights / (seen * weights).sum()
    return balanced


def prior_correction(frequency: Tensor, config: ColorizerRecipe.Config, share: float) -> Tensor:
    """(Q,), to be added to the logits: takes back a share of what the class weights made of the posterior.

    Weights w make the softmax learn p w, up to a factor; so the logits of p are less by log w (Menon, arXiv
    2007.07314, section 3).
    """
    return -share * class_weights(frequency, QuantisedAb().smoothing(), config).log()


def _head_bias(network: AbNetwork) -> Tensor:
    bias = network.unet.head.bias
    assert bias is not None
    return bias
