"""The losses that benchmarks/modes.py compares, each as the recipe that ships it, and the loop that plays them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from img2img.randomness import derive_seed
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Batch

Data = Callable[[Tensor], Batch]
"""Keys (N,) -> the batch of real samples that they draw."""


@dataclass(frozen=True)
class Contender:
    """A loss, and where it lives: a recipe with its own rates, n_critic and way to stay Lipschitz."""

    title: str
    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)


LOSSES = {
    "minimax": Contender("minimax", "dcgan", {"adversarial": "minimax"}),
    "bce": Contender("BCE, non-saturating", "dcgan", {"adversarial": "bce"}),
    "least-squares": Contender("least squares", "dcgan", {"adversarial": "least-squares"}),
    "hinge": Contender("hinge", "dcgan", {"adversarial": "hinge"}),
    "bce-r1-r2": Contender("BCE, R1 and R2", "dcgan", {"adversarial": "bce", "r1": 1.0, "r2": 1.0}),
    "relativistic": Contender("relativistic", "dcgan", {"adversarial": "relativistic"}),
    "r3gan": Contender(
        "relativistic, R1 and R2 (R3GAN)", "dcgan", {"adversarial": "relativistic", "r1": 1.0, "r2": 1.0}
    ),
    "wgan": Contender("Wasserstein, weight clipping", "wgan"),
    "wgan-gp": Contender("Wasserstein, gradient penalty", "wgan-gp"),
    "wgan-sn": Contender("Wasserstein, spectral norm", "wgan-sn"),
    "wgan-svc": Contender("Wasserstein, singular value clipping", "wgan-svc"),
}


def trained(
    recipe_type: type[GenerativeRecipe], config: GenerativeRecipe.Config, data: Data, seed: int
) -> GenerativeRecipe:
    """A recipe after `config.steps` steps of its generator, in eval mode; its weights as they are, not averaged."""
    torch.manual_seed(seed)
    recipe = recipe_type(config).train()
    optimizers = recipe.optimizers()

    def update(name: str, loss: Tensor) -> None:
        optimizers[name].zero_grad()
        torch.autograd.backward(loss)
        optimizers[name].step()

    for step in range(config.steps):
        recipe.progress.fill_(step / config.steps)
        recipe.step(data(keys(recipe.samples_per_step, seed, "training", step)), update)
    return recipe.eval()


def keys(count: int, seed: int, purpose: str, step: int = 0) -> Tensor:
    """(count,) int64: what all randomness of as many samples comes from."""
    generator = torch.Generator().manual_seed(derive_seed(seed, purpose, step))
    return torch.randint(2**62, (count,), generator=generator)


def from_uniform(counts: Tensor) -> float:
    """KL divergence, in nats, from what was counted (modes,) to as much of each."""
    share = counts.double() / counts.sum()
    return float(torch.special.xlogy(share, share * len(counts)).sum())
