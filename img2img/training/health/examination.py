"""What a health check looks at, measured on one step without changing the run."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, optim

from img2img.evaluation.diversity import MOST, diversity_figures
from img2img.recipes.recipe import Batch, Recipe
from img2img.training.health.health import gradient_norm


@dataclass(frozen=True)
class Examination:
    """The arguments of `Health.check`."""

    scalars: dict[str, float]
    gradient_norms: dict[str, float]
    figures: dict[str, float]


def examine(
    recipe: Recipe, optimizers: Mapping[str, optim.Optimizer], batch: Batch, scalars: Mapping[str, Tensor]
) -> Examination:
    """Measures right after a step on `batch`, which returned `scalars`; waits for the device once."""
    norms = {
        player: gradient_norm(parameter for group in optimizer.param_groups for parameter in group["params"])
        for player, optimizer in optimizers.items()
    }
    parts = (scalars, norms, _figures(recipe, {name: tensor[:MOST] for name, tensor in batch.items()}))
    device = recipe.progress.device
    values = iter(
        torch.stack([value.detach().double().to(device) for part in parts for value in part.values()]).tolist()
    )
    return Examination(*({name: next(values) for name in part} for part in parts))


@torch.no_grad()
def _figures(recipe: Recipe, batch: Batch) -> dict[str, Tensor]:
    """Of samples drawn in eval mode: batch norm would follow them, and ask the other processes for theirs."""
    recipe.eval()
    try:
        data = batch["video" if recipe.frames > 1 else recipe.domains[-1]]
        return {**diversity_figures(recipe.samples(batch), data), **recipe.figures(batch)}
    finally:
        recipe.train()
