"""Trainings that are given pairs: by which options and file, how a run remembers them, and how it goes on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_pairs import beside, folder_of, scene
from tiny_run import QUICK, TINY, again, assert_equal_states, request, train_until
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.pairs.open_pairs import open_pairs
from img2img.errors import DataError, SettingError, UsageError
from img2img.recipes import recipe_class
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import load_latest
from img2img.training.run_data import begun_with
from img2img.training.start import start

RUNNER = CliRunner()


@pytest.fixture
def ab(tmp_path: Path) -> Path:
    """Seven pairs side by side: dark on the left, bright on the right."""
    return folder_of(tmp_path / "ab", {f"{n}.png": beside(scene(n) // 2, 255 - scene(n) // 2) for n in range(7)})


def train(recipe: str, *words: object) -> tuple[int, str]:
    settings = [word for setting in TINY[recipe] for word in ("--set", setting)]
    result = RUNNER.invoke(app, ["train", recipe, "--device", "cpu", *map(str, words), "--steps", "1", *settings])
    return result.exit_code, result.stderr


@pytest.mark.parametrize(("words", "domain"), [((), "ab"), (("--direction", "b2a"), "ba")])
def test_command_trains_on_pictures_side_by_side(ab: Path, tmp_path: Path, words: tuple[str, ...], domain: str) -> None:
    code, said = train("pix2pix", "--ab", ab, *words, "--out", tmp_path / "run")
    assert code == 0, said
    assert f"{tmp_path / 'run'}: done; next: img2img export {tmp_path / 'run'} -o pix2pix.onnx" in said
    info = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (info["data"], info["domains"], info["images"]) == ([str(ab)], {domain: [str(ab)]}, 14)


def test_command_trains_on_two_folders(sides: Path, tmp_path: Path) -> None:
    a, b = sides / "trainA", sides / "trainB"
    code, said = train("pix2pix", "--a", a, "--b", b, "--direction", "b2a", "--out", tmp_path / "run")
    assert code == 0, said
    assert RunFolder(tmp_path / "run").read_info().domains == {"a": [str(b)], "b": [str(a)]}


def test_missing_pair_stops_before_a_run_is_made(sides: Path, ab: Path, tmp_path: Path) -> None:
    code, said = train("pix2pix", "--a", sides / "trainA", "--b", ab / "none", "--out", tmp_path / "run")
    assert (code, "none: no such folder or tar file" in said) == (1, True)
    (ab / "6.png").unlink()
    code, said = train("pix2pix", "--a", sides / "trainA", "--b", ab, "--out", tmp_path / "run")
    assert (code, f"1 of a without b: {sides}/trainA/6.png; pairs have one name" in said) == (1, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("recipe", "words", "message"),
    [
        ("cyclegan", ("--ab", "x"), "--ab: cyclegan learns from images that are no pairs; give --a and --b"),
        ("cyclegan", ("--a", "x", "--b", "y", "--direction", "b2a"), "--direction b2a: cyclegan does not learn from"),
        ("gan", ("--ab", "x"), "--ab: gan learns from one set of images; give it as --data"),
    ],
)
def test_other_recipes_take_no_pairs(recipe: str, words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    code, said = train(recipe, *words, "--out", tmp_path / "run")
    assert (code, message in said) == (2, True)


def test_help_offers_pairs_to_recipes_of_pairs_alone() -> None:
    for recipe, offered in (("pix2pix", True), ("cyclegan", False), ("gan", False)):
        text = RUNNER.invoke(app, ["train", recipe, "--help"], env={"COLUMNS": "160"}).stdout
        assert ("--ab" in text, "--direction" in text) == (offered, offered)


def test_file_may_name_pairs(ab: Path, sides: Path, tmp_path: Path) -> None:
    recipe, file = recipe_class("pix2pix"), tmp_path / "pairs.toml"
    file.write_text(f'steps = 3\n[ab]\n"{ab}" = 2\n')
    asked = request("", tmp_path / "run", "pix2pix", config=file)
    assert begun_with(recipe, asked, announce=False).domains == {"ab": [f"{ab}=2"]}
    swapped = request("", tmp_path / "run", "pix2pix", config=file, direction="b2a")
    assert begun_with(recipe, swapped, announce=False).domains == {"ba": [f"{ab}=2"]}
    file.write_text(f'[a]\n"{sides}/trainA" = 1\n[b]\n"{sides}/trainB" = 1\n')
    assert len(open_pairs(begun_with(recipe, asked, announce=False).domains)["a"]) == 7
    file.write_text(f'[data]\n"{ab}" = 1\n')
    with pytest.raises(SettingError, match=r"give each a table, \[a\] and \[b\], or \[ab\] for pictures side by side"):
        begun_with(recipe, asked, announce=False)


@pytest.mark.parametrize("cache", ["none", pytest.param("memory", marks=pytest.mark.slow)])
def test_resumed_run_on_pairs_computes_what_an_uninterrupted_one_does(ab: Path, tmp_path: Path, cache: str) -> None:
    pace = replace(QUICK, cache=cache)
    given: Any = {"domains": {"ab": [ab]}, "direction": "b2a", "pace": pace}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    start(request("", whole, "pix2pix", **given)).train()
    train_until(start(request("", broken, "pix2pix", **given)), 3)
    start(again("", broken, "pix2pix", pace=pace)).train()
    assert_equal_states(load_latest(whole), load_latest(broken))


def test_run_goes_on_in_its_own_direction_and_with_its_own_pairs(ab: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(request("", run, "pix2pix", domains={"ab": [ab]}, steps=2)).train()
    with pytest.raises(UsageError, match="--direction b2a: --resume goes on in the run's own, a2b; leave it out"):
        start(again("", run, "pix2pix", steps=4, direction="b2a"))
    (ab / "6.png").unlink()
    with pytest.raises(DataError, match="12 images, and the run began with 14"):
        start(again("", run, "pix2pix", steps=4))


def test_direction_of_a_run_stays_when_its_data_is_named_again(ab: Path, sides: Path, tmp_path: Path) -> None:
    halves = {side: [sides / f"train{side.upper()}"] for side in "ab"}
    for name, domains, begun_on in (("one", {"ab": [ab]}, "ba"), ("two", halves, "ab")):
        run = tmp_path / name
        start(request("", run, "pix2pix", domains=domains, direction="b2a", steps=2)).train()
        info = RunFolder(run).read_info()
        assert (info.direction, "".join(info.domains)) == ("b2a", begun_on)
        before = start(again("", run, "pix2pix", steps=4)).data.train["a"].rgb(0)
        for own in (None, "b2a"):
            now = start(again("", run, "pix2pix", steps=4, domains=domains, direction=own)).data.train["a"].rgb(0)
            assert (now == before).all()
        for named in ({}, domains):
            with pytest.raises(UsageError, match="--direction a2b: --resume goes on in the run's own, b2a; leave it"):
                start(again("", run, "pix2pix", steps=4, domains=named, direction="a2b"))


def test_run_of_before_its_direction_was_recorded_goes_on_as_named(ab: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(request("", run, "pix2pix", domains={"ab": [ab]}, direction="b2a", steps=2)).train()
    earlier = json.loads((run / "config.json").read_text())
    del earlier["direction"]
    (run / "config.json").write_text(json.dumps(earlier))
    begun_on = start(again("", run, "pix2pix", steps=4)).data.train["a"].rgb(0)
    assert (begun_on > 127).all()
    named = {"domains": {"ab": [ab]}, "direction": "b2a"}
    assert (start(again("", run, "pix2pix", steps=4, **named)).data.train["a"].rgb(0) == begun_on).all()
    assert RunFolder(run).read_info().direction == "b2a"


def test_older_run_whose_pairs_are_named_without_a_direction_goes_from_a_to_b_from_then_on(
    ab: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    start(request("", run, "pix2pix", domains={"ab": [ab]}, steps=2)).train()
    earlier = json.loads((run / "config.json").read_text())
    del earlier["direction"]
    (run / "config.json").write_text(json.dumps(earlier))
    start(again("", run, "pix2pix", steps=4, domains={"ab": [ab]}))
    with pytest.raises(UsageError, match="the run's own, a2b"):
        start(again("", run, "pix2pix", steps=4, domains={"ab": [ab]}, direction="b2a"))
