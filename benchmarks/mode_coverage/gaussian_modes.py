"""How many of 25 Gaussians a loss covers: the 2-D grid of VEEGAN (Srivastava et al. 2017, arXiv 1705.07761, 4.1).

The players are perceptrons, the same for every loss; step, loss, penalty, clipping and optimizer are the recipes' own.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from img2img.randomness import normal, uniform
from img2img.recipes.gan import DcganRecipe
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Batch, Recipe
from img2img.recipes.wgan import WassersteinRecipe, WganGpRecipe, WganRecipe, WganSnRecipe, WganSvcRecipe
from mode_coverage.mode_game import LOSSES, from_uniform, keys, trained

SIDE, SPACING, STD = 5, 2.0, 0.05
DRAWN = 2_500
"""Samples that are counted, as in the paper."""
NEAR = 3
"""A sample is of high quality within this many standard deviations of the nearest mode, as in the paper."""
ENOUGH = 20
"""High-quality samples that cover a mode by a stricter rule than the paper's, which takes one: a fifth of its share."""
WIDTH, Z_DIM, BATCH = 128, 2, 128
STEPS = 4_000
HASTE = 5
"""Factor on every recipe's own rates: these players are small, and as many steps as papers take would be hours."""
GAME_SETTINGS: dict[str, dict[str, Any]] = {
    "bce-r1-r2": {"r1": 0.1, "r2": 0.1},
    "r3gan": {"r1": 0.1, "r2": 0.1},
    "wgan-gp": {"lambda_penalty": 0.1},
}
"""What a paper's own code changes for points in the plane (1704.00028: gan_toy.py)."""


def modes() -> Tensor:
    """(25, 2): the centres, from -4 to 4."""
    along = (torch.arange(SIDE) - SIDE // 2) * SPACING
    return torch.cartesian_prod(along, along)


def real_points(key: Tensor) -> Batch:
    chosen = (uniform(key, (), "mode") * SIDE**2).long()
    return {"image": modes()[chosen] + STD * normal(key, (2,), "around it"), "key": key}


@dataclass(frozen=True)
class Covered:
    """What points in the plane cover."""

    modes: int
    """How many of the 25 are nearest to at least one sample of high quality: the paper's rule."""
    enough: int
    """How many are nearest to at least ENOUGH of these."""
    quality: float
    """Share of samples of high quality."""
    divergence: float
    """KL from the samples' nearest modes, of whatever quality, to the real ones, which are all alike; in nats."""


def covered(points: Tensor) -> Covered:
    """Of points (N, 2); one that is not finite is of no quality."""
    distance, nearest = torch.cdist(points, modes()).min(1)
    good = distance <= NEAR * STD
    around = torch.bincount(nearest[good], minlength=SIDE**2)
    return Covered(
        int((around > 0).sum()),
        int((around >= ENOUGH).sum()),
        float(good.float().mean()),
        from_uniform(torch.bincount(nearest, minlength=SIDE**2)),
    )


def perceptron(inputs: int, outputs: int, activation: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, WIDTH),
        activation,
        nn.Linear(WIDTH, WIDTH),
        activation,
        nn.Linear(WIDTH, WIDTH),
        activation,
        nn.Linear(WIDTH, outputs),
    )


class PointRecipe(GenerativeRecipe):
    """Points in the plane in the place of pictures."""

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> nn.Module:
        return perceptron(Z_DIM, 2, nn.ReLU())

    def real(self, batch: Batch) -> Tensor:
        return batch["image"]


class PointGan(PointRecipe, DcganRecipe):
    def build_discriminator(self) -> nn.Module:
        return perceptron(2, 1, nn.LeakyReLU(0.2))


class PointCritic(PointRecipe, WassersteinRecipe):
    def build_critic(self) -> nn.Module:
        return perceptron(2, 1, nn.LeakyReLU(0.2))


class PointWgan(WganRecipe, PointCritic):
    pass


class PointWganGp(WganGpRecipe, PointCritic):
    pass


class PointWganSn(WganSnRecipe, PointCritic):
    pass


class PointWganSvc(WganSvcRecipe, PointCritic):
    pass


PLAYED: dict[str, type[GenerativeRecipe]] = {
    "dcgan": PointGan,
    "wgan": PointWgan,
    "wgan-gp": PointWganGp,
    "wgan-sn": PointWganSn,
    "wgan-svc": PointWganSvc,
}


def drawn_points(loss: str, seed: int, steps: int) -> Tensor:
    """(2500, 2): what a generator draws that was trained with this loss."""
    contender = LOSSES[loss]
    recipe_type = PLAYED[contender.recipe]
    settings = {**contender.settings, **GAME_SETTINGS.get(loss, {})}
    config = recipe_type.Config(steps=steps, batch_size=BATCH, z_dim=Z_DIM, **settings)
    rates = {rate: HASTE * getattr(config, rate) for rate in ("generator_lr", "discriminator_lr")}
    recipe = trained(recipe_type, replace(config, **rates), real_points, seed)
    with torch.no_grad():
        return recipe.samples({"key": keys(DRAWN, seed, "drawn")})
