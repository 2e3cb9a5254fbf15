"""A recipe small enough for a test, a batch for it, and a step as the trainer has it taken."""

import torch
from tiny_run import TINY
from torch import Tensor, nn
from torch.optim import Optimizer

from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe, Update
from img2img.recipes.settings import make_config

SMALL_PLAYERS = ("image_size=8", "z_dim=4", "generator_channels=8", "discriminator_channels=8")


def tiny_recipe(name: str, *settings: str) -> Recipe:
    torch.manual_seed(0)
    recipe_type = recipe_class(name)
    small = (
        [*SMALL_PLAYERS, *(["frames=4"] if name == "tgan" else [])] if recipe_type.task == "generate" else [*TINY[name]]
    )
    return recipe_type(make_config(recipe_type, [*small, *settings])).train()


def photos(count: int = 3, size: int = 64) -> torch.Tensor:
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return nn.functional.interpolate(coarse, size, mode="bilinear")


def batch(recipe: Recipe, count: int = 3) -> dict[str, torch.Tensor]:
    """What the trainer would give to one step: all batches of it, joined."""
    count *= recipe.batches_per_step
    size = 64 if recipe.task == "colorize" else recipe.config.image_size
    still = photos(count, size)
    pictures = {domain: still.roll(turn, 1) for turn, domain in enumerate(recipe.domains)}
    if recipe.frames > 1:
        pictures = {"video": torch.stack([still] * recipe.frames, 2)}
    return {**pictures, "key": torch.arange(count), "label": torch.arange(count) % 10}


def stepper(recipe: Recipe) -> tuple[Update, dict[str, Optimizer], list[str]]:
    """An `update` as the trainer gives it, that records whom it was called for."""
    optimizers = recipe.optimizers()
    called: list[str] = []

    def update(name: str, loss: Tensor) -> None:
        called.append(name)
        optimizers[name].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizers[name].step()

    return update, optimizers, called


def losses(of: Recipe, pictures: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a step gives to each optimizer; none of them takes it."""
    given: dict[str, Tensor] = {}
    of.step(pictures, lambda name, loss: given.update({name: loss.detach()}))
    return given
