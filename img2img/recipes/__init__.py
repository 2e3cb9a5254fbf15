"""The table of recipes. Adding a model is one file here and one line below; nothing else names it.

Reading the table imports no torch: a recipe's module is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from img2img.choices import meant_or_all
from img2img.errors import SettingError

if TYPE_CHECKING:
    from torch import nn

    from img2img.model_file import ModelCard
    from img2img.recipes.recipe import Recipe


@dataclass(frozen=True)
class RecipeEntry:
    """Where a recipe lives, and what it is in one line."""

    module: str
    name: str
    summary: str
    task: Literal["colorize", "translate", "generate"] = "generate"
    """The recipe's own `task`."""
    paired: bool = False
    """The recipe's own `paired`."""
    presets: tuple[str, ...] = ()
    """The names of the recipe's own `presets`."""


RECIPES = {
    "colorizer": RecipeEntry(
        "img2img.recipes.colorizer",
        "ColorizerRecipe",
        "Grey to colour: classification over ab (Zhang 2016).",
        "colorize",
    ),
    "colorizer-gan": RecipeEntry(
        "img2img.recipes.colorizer_gan",
        "ColorizerGanRecipe",
        "Grey to colour: L1 + PatchGAN (pix2pix), from --init.",
        "colorize",
    ),
    "cyclegan": RecipeEntry(
        "img2img.recipes.cyclegan",
        "CycleganRecipe",
        "One kind of picture to another and back (Zhu 2017).",
        "translate",
        presets=("paper",),
    ),
    "pix2pix": RecipeEntry(
        "img2img.recipes.pix2pix",
        "Pix2pixRecipe",
        "Any picture to any other, learnt from pairs (Isola 2017).",
        "translate",
        paired=True,
        presets=("paper",),
    ),
    "gan": RecipeEntry("img2img.recipes.gan", "GanRecipe", "Digits from noise, fully connected (Goodfellow 2014)."),
    "dcgan": RecipeEntry(
        "img2img.recipes.gan",
        "DcganRecipe",
        "Pictures from noise by convolutions (Radford 2016).",
        presets=("quick",),
    ),
    "cgan": RecipeEntry(
        "img2img.recipes.cgan",
        "CganRecipe",
        "The digit you ask for, or pictures like a photo (Mirza 2014).",
        presets=("quick",),
    ),
    "wgan": RecipeEntry(
        "img2img.recipes.wgan", "WganRecipe", "A Wasserstein critic with clipped weights (Arjovsky 2017)."
    ),
    "wgan-gp": RecipeEntry(
        "img2img.recipes.wgan", "WganGpRecipe", "The same with a gradient penalty (Gulrajani 2017)."
    ),
    "wgan-sn": RecipeEntry("img2img.recipes.wgan", "WganSnRecipe", "The same with spectral norm (Miyato 2018)."),
    "wgan-svc": RecipeEntry(
        "img2img.recipes.wgan", "WganSvcRecipe", "The same with singular value clipping (Saito 2017)."
    ),
    "tgan": RecipeEntry(
        "img2img.recipes.tgan", "TganRecipe", "Moving digits: latents per frame, 3-D critic (Saito 2017)."
    ),
}


def check_preset(recipe: str, presets: Collection[str], name: str) -> None:
    """Raises SettingError for a name that is none of a recipe's presets."""
    if not presets:
        raise SettingError(f"--preset {name}: {recipe} has none; leave it out, or change settings with --set")
    if name not in presets:
        raise SettingError(f"--preset {name}: {recipe} has no such preset; {meant_or_all(name, presets)}")


def split_assignment(assignment: str) -> tuple[str, str]:
    """The name and the value that `--set` gives; raises SettingError for what has no `=`."""
    name, equals, text = assignment.partition("=")
    if not equals:
        raise SettingError(f"--set {assignment}: write it as name=value")
    return name, text


def check_setting(recipe: str, names: Collection[str], name: str, source: str) -> None:
    """Raises SettingError, which begins with `source`, for a name that is none of a recipe's settings."""
    if name not in names:
        raise SettingError(f"{source}: {recipe} has no setting {name!r}; {meant_or_all(name, names)}")


IMPORTED = "imported"
"""What the card of a model says that was trained with another framework."""


def recipe_class(name: str) -> type[Recipe]:
    """The recipe of that name; raises SettingError with the names that exist."""
    if name not in RECIPES:
        raise SettingError(f"no recipe is called {name!r}; {meant_or_all(name, RECIPES)}")
    entry = RECIPES[name]
    recipe: type[Recipe] = getattr(import_module(entry.module), entry.name)
    return recipe


def build_exported(card: ModelCard) -> nn.Module:
    """The network that a model file of this card holds, in eval mode and without its weights."""
    recipe = recipe_class(card.recipe)
    return recipe.exported_network(recipe.Config(**card.settings)).eval()
