"""Runs of a recipe that translates between two sets: their data, epochs, presets, and weights to start from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_run import QUICK, TINY, again, assert_equal_states, request, train_until
from torch import nn
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import ModelError, SettingError
from img2img.networks.settling_norm import settling_norms
from img2img.recipes import recipe_class
from img2img.recipes.cyclegan import CycleganRecipe
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.runs.run_folder import RunFolder
from img2img.training.start import start

NEVER_MEASURED = replace(QUICK, evaluate_every=0)


def all_networks(recipe: Recipe, tmp_path: Path, *left_out: str, **more: torch.Tensor) -> Path:
    """A file of a recipe's weights and, as averages, the same plus 1."""
    raw = {name: value for name, value in recipe.state_dict().items() if not name.startswith("pool_")}
    averages = {f"ema.{name}": value + 1 for name, value in raw.items() if name.startswith("g_")}
    kept = {name: value for name, value in (raw | averages | more).items() if not name.startswith(left_out)}
    save_file({name: value.contiguous() for name, value in kept.items()}, tmp_path / "all.safetensors")
    return tmp_path / "all.safetensors"


def tiny_cyclegan() -> Recipe:
    torch.manual_seed(99)
    return recipe_class("cyclegan")(make_config(recipe_class("cyclegan"), TINY["cyclegan"]))


def test_init_starts_every_network_that_is_in_the_file(two_sets: Path, tmp_path: Path) -> None:
    donor, seeded = tiny_cyclegan(), start(request(two_sets, tmp_path / "plain", "cyclegan")).recipe
    init = all_networks(donor, tmp_path, "d_b.")
    trainer = start(request(two_sets, tmp_path / "run", "cyclegan", init=init))
    for name, value in trainer.recipe.state_dict().items():
        assert torch.equal(value, (seeded if name.startswith(("d_b.", "pool_")) else donor).state_dict()[name]), name
    for name, value in trainer.ema.averages.state_dict().items():
        assert torch.equal(value, donor.state_dict()[name] + 1), name


def test_generator_of_which_the_average_alone_is_there_starts_from_it(two_sets: Path, tmp_path: Path) -> None:
    donor = tiny_cyclegan()
    trainer = start(request(two_sets, tmp_path / "run", "cyclegan", init=all_networks(donor, tmp_path, "g_", "d_")))
    for name, value in trainer.recipe.get_submodule("g_ba").state_dict().items():
        assert torch.equal(value, donor.get_submodule("g_ba").state_dict()[name] + 1)
        assert torch.equal(value, trainer.ema.averages["g_ba"].state_dict()[name])


def test_init_from_one_generator_starts_the_exported_one_alone(two_sets: Path, tmp_path: Path) -> None:
    donor, seeded = tiny_cyclegan(), start(request(two_sets, tmp_path / "plain", "cyclegan")).recipe
    save_file(
        {name: value.contiguous() for name, value in donor.get_submodule("g_ab").state_dict().items()},
        tmp_path / "g.safetensors",
    )
    recipe = start(request(two_sets, tmp_path / "run", "cyclegan", init=tmp_path / "g.safetensors")).recipe
    for name, expected in (("g_ab", donor), ("g_ba", seeded), ("d_a", seeded)):
        for key, value in recipe.get_submodule(name).state_dict().items():
            assert torch.equal(value, expected.get_submodule(name).state_dict()[key]), (name, key)


LIGHT = (*TINY["cyclegan"], "generator=residual-unet", "norm=act", "settle_at=0.5")


def counted(network: nn.Module) -> tuple[int, int]:
    """How many batches the norms have measured, and whether they have settled, which is the same of all of them."""
    (both,) = {(int(norm.measured), int(norm.settled)) for norm in settling_norms(network)}
    return both


@pytest.mark.parametrize("stopped", [1, 3])  # before they settle, which is after step 2, and after
def test_norms_settle_on_the_way_and_a_resumed_run_is_the_same(two_sets: Path, tmp_path: Path, stopped: int) -> None:
    pace = replace(NEVER_MEASURED, save_every=1)
    asked = request(two_sets, tmp_path / "whole", "cyclegan", settings=LIGHT, steps=4, pace=pace)
    whole = start(asked)
    whole.train()
    train_until(start(replace(asked, out=tmp_path / "cut")), stopped)
    cut = start(again(two_sets, tmp_path / "cut", "cyclegan", pace=pace))
    assert counted(cut.recipe.get_submodule("g_ba")) == (min(stopped, 2), stopped >= 2)
    cut.train()
    assert_equal_states(whole.state(), cut.state())
    for trainer in (whole, cut):
        for network in (trainer.recipe.get_submodule("g_ab"), trainer.ema.averages["g_ab"]):
            assert counted(network) == (2, 1)
            assert all(norm.has_settled for norm in settling_norms(network))


@pytest.mark.parametrize(("norms", "begins", "ends"), [("instance", 0, 1), ("unsettled", 7, 8), ("settled", 7, 7)])
def test_generators_go_on_with_norms_that_settle(
    norms: str, begins: int, ends: int, two_sets: Path, tmp_path: Path
) -> None:
    """From instance norms, and from norms that have measured 7 batches; one step, of two, after which they settle."""
    kind = "instance" if norms == "instance" else "act"
    donor = recipe_class("cyclegan")(make_config(recipe_class("cyclegan"), [*LIGHT, f"norm={kind}"]))
    for norm in settling_norms(donor):
        norm.measured.fill_(7)
        norm.mean.fill_(0.25)
        norm.settled.fill_(norms == "settled")
    save_file({name: value.contiguous() for name, value in donor.state_dict().items()}, tmp_path / "g.safetensors")
    asked = request(two_sets, tmp_path / "run", "cyclegan", init=tmp_path / "g.safetensors", settings=LIGHT, steps=2)
    trainer = start(replace(asked, pace=NEVER_MEASURED))
    generator = trainer.recipe.get_submodule("g_ab")
    assert counted(generator) == (begins, norms == "settled")
    train_until(trainer, 1)
    assert counted(generator) == (ends, 1)
    means = {bool((norm.mean == 0.25).all()) for norm in settling_norms(generator)}
    assert means == {norms == "settled"}


def test_init_from_networks_that_do_not_fit_is_refused(two_sets: Path, tmp_path: Path) -> None:
    donor = tiny_cyclegan()
    unknown = all_networks(donor, tmp_path, critic=torch.zeros(3))
    with pytest.raises(
        ModelError, match=r"another recipe than this: 1 of \d+ belong to none of .*g_ab, g_ba, d_a, d_b"
    ):
        start(request(two_sets, tmp_path / "run", "cyclegan", init=unknown))
    narrow = (*TINY["cyclegan"], "discriminator_channels=2")
    with pytest.raises(ModelError, match=r"another network than this recipe trains \(size mismatch"):
        start(request(two_sets, tmp_path / "run", "cyclegan", init=all_networks(donor, tmp_path), settings=narrow))
    assert not (tmp_path / "run").exists()


def test_two_domains_are_found_again_from_any_folder(
    two_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(two_sets)
    start(request(".", tmp_path / "set", "cyclegan", steps=2)).train()
    domains = {"a": ["trainA"], "b": ["trainB"]}
    start(request("", tmp_path / "each", "cyclegan", steps=2, domains=domains)).train()
    monkeypatch.chdir(tmp_path)
    for name, data in (("set", [str(two_sets)]), ("each", [str(two_sets / half) for half in ("trainA", "trainB")])):
        info = RunFolder(tmp_path / name).read_info()
        assert info.data == data
        assert info.domains == {half[-1].lower(): [str(two_sets / half)] for half in ("trainA", "trainB")}
        resumed = start(again("", tmp_path / name, "cyclegan", steps=3))
        assert {domain: len(source) for domain, source in resumed.data.train.items()} == {"a": 4, "b": 3}


@pytest.mark.parametrize(
    ("steps", "settings", "expected", "said"),
    [
        (None, ("epochs=3",), (3, 6), ["3 epochs of 4 images: 6 steps"]),
        (None, ("epochs=3", "batch_size=5"), (3, 3), ["3 epochs of 4 images: 3 steps"]),
        (9, ("epochs=0",), (0, 9), []),
        (None, ("steps=7",), (0, 7), []),
        (None, (), (0, recipe_class("cyclegan").Config().steps), []),
    ],
)
def test_epochs_are_counted_in_the_larger_set_unless_steps_are_given(
    steps: int | None,
    settings: tuple[str, ...],
    expected: Any,
    said: list[str],
    two_sets: Path,
    tmp_path: Path,
    log: pytest.LogCaptureFixture,
) -> None:
    tiny = (*TINY["cyclegan"], *settings)
    trainer = start(request(two_sets, tmp_path, "cyclegan", steps=steps, settings=tiny, pace=NEVER_MEASURED))
    assert isinstance(trainer.recipe.config, CycleganRecipe.Config)
    assert (trainer.recipe.config.epochs, trainer.recipe.config.steps) == expected
    assert [line for line in log.messages if line.endswith("steps")] == said


@pytest.mark.parametrize(
    ("file", "steps", "settings", "expected"),
    [
        ("steps = 5", None, ("epochs=1",), (1, 2)),
        ("epochs = 1", None, ("steps=5",), (0, 5)),
        ("epochs = 1", 5, (), (0, 5)),
        ("epochs = 1", None, (), (1, 2)),
        ("steps = 5", None, ("epochs=0",), (0, 5)),
        ("steps = 5\nepochs = 3", 7, (), (0, 7)),
    ],
)
def test_command_says_over_its_file_how_long_to_train(
    file: str, steps: int | None, settings: tuple[str, ...], expected: Any, two_sets: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text(file)
    asked = request(two_sets, tmp_path / "run", "cyclegan", steps=steps, settings=(*TINY["cyclegan"], *settings))
    trainer = start(replace(asked, config=tmp_path / "settings.toml", pace=NEVER_MEASURED))
    assert isinstance(trainer.recipe.config, CycleganRecipe.Config)
    assert (trainer.recipe.config.epochs, trainer.recipe.config.steps) == expected


@pytest.mark.parametrize(
    ("file", "steps", "settings", "says"),
    [
        ("", 9, ("epochs=3",), "the command: steps=9 and epochs=3 both say how long to train; give one"),
        ("steps = 5", None, ("epochs=3", "steps=7"), "the command: steps=7 and epochs=3 both"),
        ("steps = 5\nepochs = 3", None, (), "settings.toml: steps=5 and epochs=3 both"),
    ],
)
def test_steps_and_epochs_in_one_place_are_refused(
    file: str, steps: int | None, settings: tuple[str, ...], says: str, two_sets: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text(file)
    asked = request(two_sets, tmp_path / "run", "cyclegan", steps=steps, settings=(*TINY["cyclegan"], *settings))
    with pytest.raises(SettingError, match=says):
        start(replace(asked, config=tmp_path / "settings.toml"))
    assert not (tmp_path / "run").exists()


def test_run_that_goes_on_for_other_steps_has_no_epochs_any_more(two_sets: Path, tmp_path: Path) -> None:
    settings = (*TINY["cyclegan"], "epochs=1")
    start(request(two_sets, tmp_path, "cyclegan", steps=None, settings=settings, pace=NEVER_MEASURED)).train()
    for steps, expected in ((None, (1, 2)), (2, (1, 2)), (9, (0, 9))):
        start(again("", tmp_path, "cyclegan", steps=steps, pace=NEVER_MEASURED))
        config = RunFolder(tmp_path).read_info().config
        assert (config["epochs"], config["steps"]) == expected


def test_epochs_of_a_preset_give_way_to_steps(two_sets: Path, tmp_path: Path) -> None:
    small = ("generator=separable", "generator_channels=4", "blocks=1", "discriminator_channels=4", "image_size=32")
    asked = request(two_sets, tmp_path / "a", "cyclegan", steps=None, settings=small, preset="paper")
    assert start(asked).recipe.config.steps == 800
    asked = request(two_sets, tmp_path / "b", "cyclegan", steps=2, settings=small, preset="paper")
    assert (start(asked).recipe.config.steps, asked.preset) == (2, "paper")


def test_preview_of_a_translator_shows_both_ways_and_back(two_sets: Path, tmp_path: Path) -> None:
    start(request(two_sets, tmp_path, "cyclegan", steps=2, pace=replace(QUICK, preview_count=2))).train()
    (preview,) = (tmp_path / "previews").glob("*.png")
    with Image.open(preview) as grid:
        assert grid.size == (6 * 34 + 2, 2 * 34 + 2)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("gan --a x", 2, "--a: gan learns from one set of images; give it as --data"),
        ("cyclegan --a x", 2, "--a without --b"),
        ("cyclegan --data x --data y --data z", 2, "--data given 3 times"),
        ("cyclegan --data nowhere", 1, "nowhere: no such folder"),
        ("gan --preset paper", 1, "--preset paper: gan has none"),
    ],
)
def test_command_refuses_what_does_not_fit_the_recipe(words: str, code: int, says: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", *words.split(), "--out", str(tmp_path)])
    assert result.exit_code == code
    assert says in result.stderr


def test_options_for_two_sets_are_shown_where_they_are_for() -> None:
    shown, hidden = (CliRunner().invoke(app, ["train", name, "--help"]).stdout for name in ("cyclegan", "gan"))
    for option in ("--a ", "--b ", "--preset ", "--evaluate-every "):
        assert option in shown
        assert option not in hidden
