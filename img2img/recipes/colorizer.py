"""`colorizer`: which colour is it? Classification over quantised ab (Zhang et al. 2016, arXiv 1603.08511)."""

from dataclasses import dataclass
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from img2img.losses import soft_cross_entropy
from img2img.recipes.ab_recipe import AbRecipe
from img2img.recipes.recipe import Batch, Update


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

        def __post_init__(self) -> None:
            super().__post_init__()
            for name in ("decoder_lr", "encoder_lr"):
                self.require(name, 0 < getattr(self, name) < inf, "above 0")
            for name in ("weight_decay", "rarity"):
                self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
            self.require("uniform_share", 0 < self.uniform_share <= 1, "above 0, at most 1")

    name = "colorizer"

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
        seen = self.frequency @ self.smoothing
        mixed = seen.lerp(torch.full_like(seen, 1 / len(seen)), self.config.uniform_share)
        weights = mixed**-self.config.rarity
        weights = weights / (seen * weights).sum()
        seen_now = torch.zeros_like(self.frequency).index_add_(0, classes.flatten(), share.flatten())
        self.frequency.lerp_(seen_now / seen_now.sum(), 0.002)
        return (share * weights[classes]).sum(1)
