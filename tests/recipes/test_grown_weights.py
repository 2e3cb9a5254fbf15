"""--init of networks that are wider, or see more, than the file's: they begin as those."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from img2img.errors import ModelError
from img2img.networks.settling_norm import following, settling_norms
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.recipes.weights import initialise
from img2img.training.ema import Ema

SMALL = ("pretrained=false", "discriminator=patch", "discriminator_channels=4", "image_size=64")


def built(*settings: str) -> Recipe:
    recipe = recipe_class("cyclegan")
    return recipe(make_config(recipe, [*SMALL, *settings]))


def pictures() -> Tensor:
    return torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def saved(recipe: Recipe, folder: Path, before: str = "", only: tuple[str, ...] = ("",)) -> Path:
    weights = {name: value.contiguous() for name, value in recipe.state_dict().items() if name.startswith(only)}
    save_file({f"{before}{name}": value for name, value in weights.items()}, folder / f"{before}w.safetensors")
    return folder / f"{before}w.safetensors"


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


@pytest.mark.parametrize(
    "more", [("generator_width=2",), ("context_blocks=1",), ("generator_width=2", "context_blocks=1")]
)
def test_averages_of_a_run_grow_too(more: tuple[str, ...], tmp_path: Path) -> None:
    donor, averages, grown = built(), built(), built(*more)
    with torch.no_grad():
        for parameter in averages.parameters():
            parameter.mul_(1.1)
    both = saved(donor, tmp_path), saved(averages, tmp_path, "ema.", only=("g_ab.", "g_ba."))
    every = tmp_path / "all.safetensors"  # as `export --all-weights` writes them
    save_file({name: value for file in both for name, value in load_file(file).items()}, every)
    averaged = {name: grown.get_submodule(name) for name in grown.averaged}
    loaded = initialise(grown, every)
    ema = Ema(averaged, 0.9)
    ema.start_from(loaded)
    for name in ("g_ab", "g_ba"):
        for file, network in ((donor, grown.get_submodule(name)), (averages, ema.averages[name])):
            before, after = file.eval().get_submodule(name)(pictures()), network.eval()(pictures())
            torch.testing.assert_close(after, before, rtol=0, atol=1e-5)


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
