"""Runs that go on with other data than they began with: what is accepted, and that the run remembers it."""

import shutil
from pathlib import Path

import pytest
from tiny_run import again, in_classes, request

from img2img.export.card import card_of
from img2img.export.training_pictures import training_pictures
from img2img.recipes import recipe_class
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import load_latest
from img2img.training.start import start


@pytest.fixture
def fewer(colour_photos: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "fewer"
    folder.mkdir()
    for path in sorted(colour_photos.iterdir())[:5]:
        shutil.copy(path, folder)
    return folder


def test_data_that_a_run_goes_on_with_is_its_own_from_then_on(
    colour_photos: Path, fewer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_on, run = tmp_path / "begun", tmp_path / "run"
    shutil.copytree(colour_photos, begun_on)
    start(request(begun_on, run, steps=2)).train()
    shutil.rmtree(begun_on)
    monkeypatch.chdir(fewer.parent)
    start(again("fewer", run, steps=4)).train()
    info = RunFolder(run).read_info()
    assert (info.data, info.domains, info.images) == ([str(fewer)], {"image": [str(fewer)]}, 5)
    monkeypatch.chdir(run)
    assert start(again("", run, steps=6)).data.images == 5
    assert len(training_pictures(run, held_out=0)["image"]) == 5
    state, recipe = load_latest(run), recipe_class("gan")
    assert card_of(run, state, recipe, recipe.Config(**state.config)).data == "fewer"


def test_both_domains_that_a_run_goes_on_with_are_recorded(two_sets: Path, tmp_path: Path) -> None:
    run, halves = tmp_path / "run", {"a": [two_sets / "trainB"], "b": [two_sets / "trainA"]}
    start(request(two_sets, run, "cyclegan", steps=1)).train()
    start(again("", run, "cyclegan", steps=2, domains=halves))
    info = RunFolder(run).read_info()
    assert info.domains == {"a": [str(two_sets / "trainB")], "b": [str(two_sets / "trainA")]}
    assert info.data == [str(two_sets / "trainB"), str(two_sets / "trainA")]
    assert {domain: len(source) for domain, source in start(again("", run, "cyclegan")).data.train.items()} == {
        "a": 3,
        "b": 4,
    }


def test_labels_that_a_recipe_does_not_learn_may_change(colour_photos: Path, tmp_path: Path) -> None:
    start(request(in_classes(colour_photos, tmp_path / "classes"), tmp_path / "run", "dcgan", steps=1)).train()
    assert start(again(colour_photos, tmp_path / "run", "dcgan", steps=2)).data.images == 7
    assert RunFolder(tmp_path / "run").read_info().classes == []
