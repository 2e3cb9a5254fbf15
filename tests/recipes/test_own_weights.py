"""--init of what a recipe exported itself, whatever its networks call their parts."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_run import TINY
from torch import Tensor

from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.recipes.weights import initialise

DIGITS = Path(__file__).parents[2] / "checkpoints" / "digits.safetensors"
FROM_PICTURES = ("condition=embedding", "image_size=32")
KINDS = [*((name, ()) for name in RECIPES), ("cgan", FROM_PICTURES)]


def built(name: str, *settings: str, seed: int = 0) -> Recipe:
    torch.manual_seed(seed)
    recipe = recipe_class(name)
    return recipe(make_config(recipe, [*TINY[name], *settings]))


def saved(path: Path, weights: dict[str, Tensor]) -> Path:
    save_file({name: value.contiguous() for name, value in weights.items()}, path)
    return path


@pytest.mark.parametrize(("name", "settings"), KINDS)
def test_every_recipe_starts_from_the_generator_that_it_exports(
    name: str, settings: tuple[str, ...], tmp_path: Path
) -> None:
    recipe, untouched, donor = (built(name, *settings, seed=seed) for seed in (0, 0, 1))
    weights = donor.get_submodule(recipe.exported).state_dict()
    assert initialise(recipe, saved(tmp_path / "own.safetensors", weights)) == {}
    for key, value in recipe.state_dict().items():
        network, _, inside = key.partition(".")
        expected = weights[inside] if network == recipe.exported else untouched.state_dict()[key]
        assert torch.equal(value, expected), key


@pytest.mark.parametrize(("name", "settings"), KINDS)
def test_every_recipe_starts_from_all_its_networks(name: str, settings: tuple[str, ...], tmp_path: Path) -> None:
    recipe, donor = (built(name, *settings, seed=seed) for seed in (0, 1))
    networks = {key: value for key, value in donor.state_dict().items() if "." in key and not key.startswith("pool_")}
    initialise(recipe, saved(tmp_path / "all.safetensors", networks))
    for key, value in networks.items():
        assert torch.equal(recipe.state_dict()[key], value), key


def test_cgan_starts_from_the_digits_that_are_shipped() -> None:
    recipe = recipe_class("cgan")
    made = recipe(make_config(recipe, ["generator_channels=32"]))
    initialise(made, DIGITS)
    generator = made.get_submodule("generator").state_dict()
    assert all(
        torch.equal(value.to(generator[name].dtype), generator[name]) for name, value in load_file(DIGITS).items()
    )
