"""Cross entropy over quantised ab, rare colours weighted up (Zhang et al. 2016, arXiv 1603.08511, section 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.losses import soft_cross_entropy
from img2img.networks.ab_network import AbNetwork
from img2img.networks.quantised_ab import QuantisedAb
from img2img.recipes.ab_recipe import AbRecipe

NEWEST = 0.002
"""Share of the counted frequencies that a step's own colours make up."""


@dataclass(frozen=True, kw_only=True)
class ColorClassesConfig(AbRecipe.Config):
    """How much a colour counts, by how rare it is."""

    rarity: float = 0.5
    """Exponent on 1 / frequency in a colour's weight: 0 weighs all alike, 1 lifts rare colours all the way."""
    uniform_share: float = 0.5
    """Share of a uniform distribution mixed into the frequencies (lambda in Zhang, eq. 4)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("rarity", 0 <= self.rarity < inf, "0 or more")
        self.require("uniform_share", 0 < self.uniform_share <= 1, "above 0, at most 1")


def color_cross_entropy(
    generator: AbNetwork, logits: Tensor, ab: Tensor, frequency: Tensor, smoothing: Tensor, config: ColorClassesConfig
) -> Tensor:
    """Scalar, of logits (N, Q, H/4, W/4) for true ab / 110 (N, 2, H, W).

    Counts the colours in `frequency` (Q,), after their weights were taken from it; `smoothing` (Q, Q) blurs it.
    """
    classes, share = generator.quantised.encode(F.avg_pool2d(ab, 4))
    return soft_cross_entropy(logits, classes, share, rarity_weights(classes, share, frequency, smoothing, config))


@torch.no_grad()
def rarity_weights(
    classes: Tensor, share: Tensor, frequency: Tensor, smoothing: Tensor, config: ColorClassesConfig
) -> Tensor:
    """(N, H, W): how much each position counts, from how often its colour was seen before; 1 on average."""
    weights = class_weights(frequency, smoothing, config)
    seen_now = torch.zeros_like(frequency).index_add_(0, classes.flatten(), share.flatten())
    frequency.lerp_(seen_now / seen_now.sum(), NEWEST)
    return (share * weights[classes]).sum(1)


@torch.no_grad()
def go_on_counting(
    generator: AbNetwork, frequency: Tensor, beside: Mapping[str, Tensor], settings: Mapping[str, Any]
) -> None:
    """With the frequencies that lay beside a model's weights, and without what its export took back of the weights."""
    if "frequency" not in beside:
        return
    frequency.copy_(beside["frequency"])
    if settings.get("prior_correction"):
        then = ColorClassesConfig(rarity=settings["rarity"], uniform_share=settings["uniform_share"])
        head_bias(generator).sub_(prior_correction(frequency, then, settings["prior_correction"]))


def head_bias(generator: AbNetwork) -> Tensor:
    """(Q,): what the last layer adds to the logits."""
    bias = generator.unet.head.bias
    assert bias is not None
    return bias


def class_weights(frequency: Tensor, smoothing: Tensor, config: ColorClassesConfig) -> Tensor:
    """(Q,): how much a colour of each class counts in the loss, 1 on average (Zhang, eq. 4)."""
    seen = frequency @ smoothing
    mixed = seen.lerp(torch.full_like(seen, 1 / len(seen)), config.uniform_share)
    weights = mixed**-config.rarity
    balanced: Tensor = weights / (seen * weights).sum()
    return balanced


def prior_correction(frequency: Tensor, config: ColorClassesConfig, share: float) -> Tensor:
    """(Q,), to be added to the logits: takes back a share of what the class weights made of the posterior.

    Weights w make the softmax learn p w, up to a factor; so the logits of p are less by log w (Menon, arXiv
    2007.07314, section 3).
    """
    return -share * class_weights(frequency, QuantisedAb().smoothing(), config).log()
