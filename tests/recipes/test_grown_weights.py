"""--init of networks that are wider, or see more, than the file's: they begin as those."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from img2img.errors import ModelError
from img2img.networks.settling_norm import following, settling_norms
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.recipes.weights import initialise

SMALL = ("pretrained=false", "discriminator=patch", "discriminator_channels=4", "image_size=64")


def built(*settings: str) -> Recipe:
    recipe = recipe_class("cyclegan")
    return recipe(make_config(recipe, [*SMALL, *settings]))


def pictures() -> Tensor:
    return torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def saved(recipe: Recipe, folder: Path) -> Path:
    save_file({name: value.contiguous() for name, value in recipe.state_dict().items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


@pytest.mark.parametrize("norm", ["instance", "act"])
@pytest.mark.parametrize(
    "more", [("generator_width=1.5",), ("context_blocks=2",), ("generator_width=2", "context_blocks=1")]
)
def test_grown_network_begins_as_the_one_of_the_file(norm: str, more: tuple[str, ...], tmp_path: Path) -> None:
    donor, grown = built(f"norm={norm}"), built(f"norm={norm}", *more)
    with following(donor):
        donor.train().get_submodule("g_ab")(pictures())
    for each in settling_norms(donor):
        each.settle()
    initialise(grown, saved(donor, tmp_path))
    for name in ("g_ab", "g_ba"):
        before, after = donor.eval().get_submodule(name)(pictures()), grown.eval().get_submodule(name)(pictures())
        torch.testing.assert_close(after, before, rtol=0, atol=1e-5)
    assert sum(map(torch.numel, grown.parameters())) > sum(map(torch.numel, donor.parameters()))


def test_what_is_new_learns(tmp_path: Path) -> None:
    grown = built("generator_width=2", "context_blocks=1").train()
    initialise(grown, saved(built(), tmp_path))
    generator: Any = grown.get_submodule("g_ab")
    generator(pictures()).square().mean().backward()
    assert not generator.head.weight[:, 20:].any()
    assert generator.head.weight.grad[:, 20:].abs().min() > 0
    assert generator.context[0].layers[-1][-1][1].weight.grad.abs().min() > 0


def test_discriminator_on_more_networks_begins_with_what_the_file_has(tmp_path: Path) -> None:
    donor = built("discriminator=projected")
    both = built("discriminator=projected", "discriminator_features=lite1,lite2")
    fresh = {name: value.clone() for name, value in both.get_submodule("d_a").state_dict().items()}
    initialise(both, saved(donor, tmp_path))
    known, now = donor.get_submodule("d_a").state_dict(), both.get_submodule("d_a").state_dict()
    assert [name for name in now if name not in known] == [name for name in now if name.startswith("further.0.")] != []
    assert all(torch.equal(value, known[name] if name in known else fresh[name]) for name, value in now.items())


@pytest.mark.parametrize("more", ["generator_width=1.5", "context_blocks=1"])
def test_smaller_network_than_the_files_is_refused(more: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="weights of another network"):
        initialise(built(), saved(built(more), tmp_path))
