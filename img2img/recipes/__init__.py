"""The table of recipes. Adding a model is one file here and one line below; nothing else names it.

Reading the table imports no torch: a recipe's module is imported when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from img2img.errors import SettingError

if TYPE_CHECKING:
    from torch import nn

    from img2img.model_file import ModelCard
    from img2img.recipes.recipe import Recipe


@dataclass(frozen=True)
class Entry:
    """Where a recipe lives, and what it is in one line."""

    module: str
    name: str
    summary: str


RECIPES = {
    "colorizer": Entry(
        "img2img.recipes.colorizer",
        "ColorizerRecipe",
        "Grey to colour: classification over ab (Zhang 2016).",
    ),
    "colorizer-gan": Entry(
        "img2img.recipes.colorizer_gan",
        "ColorizerGanRecipe",
        "Grey to colour: L1 + PatchGAN (pix2pix), from --init.",
    ),
}


def recipe_class(name: str) -> type[Recipe]:
    """The recipe of that name; raises SettingError with the names that exist."""
    if name not in RECIPES:
        raise SettingError(f"no recipe is called {name!r}; there are: {', '.join(RECIPES)}")
    entry = RECIPES[name]
    recipe: type[Recipe] = getattr(import_module(entry.module), entry.name)
    return recipe


def build_exported(card: ModelCard) -> nn.Module:
    """The network that a model file of this card holds, in eval mode and without its weights."""
    recipe = recipe_class(card.recipe)
    return recipe.exported_network(recipe.Config(**card.settings)).eval()
