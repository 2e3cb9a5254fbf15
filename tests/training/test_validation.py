"""The quality of a translator, measured while it trains, and the best state that is kept by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_run import QUICK, TINY, again, assert_equal_states, request, train_until
from tiny_sets import tree
from torch import nn

from img2img.errors import RunError
from img2img.evaluation.sets import translation
from img2img.evaluation.sets.feature_network import PooledFeatures
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import load_best, load_latest
from img2img.saved_states import best_file
from img2img.training import reporter, validation
from img2img.training.request import TrainingRequest
from img2img.training.start import start
from img2img.training.validation import Validation, badness

NAMES = ("kid_ab", "fd_ab", "kid_ba", "fd_ba")
REFERENCE = {f"{name}_{end}": value for name in NAMES for end, value in (("floor", 0.0), ("ceiling", 1.0))}


def figures(kid: float) -> dict[str, float]:
    return {"kid_ab": kid, "fd_ab": 0.5, "kid_ba": kid / 4, "fd_ba": 0.25}


class Scripted:
    """A quality that gets what it is to say."""

    reference = REFERENCE

    def __init__(self, kids: list[float]) -> None:
        self._kids = kids
        self.seen: list[tuple[nn.Module, nn.Module]] = []

    def measure(self, g_ab: nn.Module, g_ba: nn.Module) -> dict[str, float]:
        self.seen.append((g_ab, g_ba))
        torch.rand(7)
        return figures(self._kids.pop(0))


@pytest.fixture(scope="session")
def twenty_each(colour_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    photos = sorted(colour_photos.iterdir())
    folder = tmp_path_factory.mktemp("twenty_each")
    for number in range(20):
        tree(folder, photos[number % 7], f"trainA/{number:02}.png")
        tree(folder, photos[(3 * number + 1) % 7], f"trainB/{number:02}.png")
    return folder


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """KIDs that the next measurements find."""
    kids: list[float] = []
    monkeypatch.setattr(validation, "FEWEST", 2)
    monkeypatch.setattr(translation, "TranslationQuality", lambda *_, **__: Scripted(kids))
    return kids


def asked(data: Path, out: Path, *, every: int = 2, **changes: Any) -> TrainingRequest:
    settings = (*TINY["cyclegan"], "held_out=2")
    pace = replace(QUICK, evaluate_every=every)
    return request(data, out, "cyclegan", **{"settings": settings, "pace": pace, **changes})


def test_quality_is_measured_every_so_many_steps_and_at_the_last(
    twenty_each: Path, tmp_path: Path, script: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    script += [5.0, 3.0]
    start(asked(twenty_each, tmp_path, every=4)).train()
    first, last = RunFolder(tmp_path).quality()
    assert first == {"step": 4, **figures(5.0), "reference": REFERENCE}
    assert last == {"step": 6, **figures(3.0)}
    said = capsys.readouterr().err
    assert said.count("measuring the quality; the first time takes longer") == 1
    assert (
        "step 4: quality: kid_ab 5 (0 to 1)  fd_ab 0.5 (0 to 1)  kid_ba 1.25 (0 to 1)  fd_ba 0.25 (0 to 1), the" in said
    )


def test_averaged_generators_are_measured(twenty_each: Path, tmp_path: Path, script: list[float]) -> None:
    script += [1.0]
    trainer = start(asked(twenty_each, tmp_path, every=1000))
    trainer.train()
    assert trainer.validation is not None
    (seen,) = trainer.validation._quality.seen
    assert seen == (trainer.ema.averages["g_ab"], trainer.ema.averages["g_ba"])
    assert not any(generator.training for generator in seen)


def test_best_state_is_kept_with_its_quality(
    twenty_each: Path, tmp_path: Path, script: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    script += [5.0, 3.0, 4.0]
    start(asked(twenty_each, tmp_path)).train()
    best = load_best(tmp_path)
    assert (best.step, best.quality) == (4, figures(3.0))
    states = {4: torch.load(tmp_path / "state-00000004.pt", weights_only=True)}
    for name, value in states[4]["networks"].items():
        assert torch.equal(best.networks[name], value)
    assert load_latest(tmp_path).step == 6
    assert load_latest(tmp_path).quality == {}
    told = [
        line.endswith(", the best so far") for line in capsys.readouterr().err.splitlines() if ": quality: " in line
    ]
    assert told == [True, True, False]


def test_best_state_is_remembered_by_a_run_that_goes_on(twenty_each: Path, tmp_path: Path, script: list[float]) -> None:
    script += [3.0, 4.0, 2.0]
    pace = replace(QUICK, evaluate_every=2)
    train_until(start(asked(twenty_each, tmp_path)), step=3)
    resumed = start(again(twenty_each, tmp_path, "cyclegan", pace=pace))
    train_until(resumed, step=5)
    assert load_best(tmp_path).step == 2
    start(again(twenty_each, tmp_path, "cyclegan", pace=pace)).train()
    assert load_best(tmp_path).step == 6
    assert [record["step"] for record in RunFolder(tmp_path).quality()] == [2, 4, 6]


def test_best_state_resumes_nothing_and_is_never_rotated_away(
    twenty_each: Path, tmp_path: Path, script: list[float]
) -> None:
    script += [1.0, *[2.0] * 5]
    pace = replace(QUICK, evaluate_every=1, save_every=1, keep=1)
    start(asked(twenty_each, tmp_path, pace=pace)).train()
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["best.pt", "state-00000006.pt"]
    assert start(again(twenty_each, tmp_path, "cyclegan", steps=7)).step == 6


@pytest.mark.slow
def test_measuring_changes_nothing_of_the_run(twenty_each: Path, tmp_path: Path, script: list[float]) -> None:
    script += [1.0] * 6
    for every in (0, 1):
        start(asked(twenty_each, tmp_path / str(every), every=every)).train()
    assert_equal_states(load_latest(tmp_path / "0"), load_latest(tmp_path / "1"))
    assert not best_file(tmp_path / "0").exists()
    assert not RunFolder(tmp_path / "0").quality()


def test_speed_is_that_of_training_alone(
    twenty_each: Path, tmp_path: Path, script: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    script += [1.0] * 3
    clock = iter(range(10**6))
    monkeypatch.setattr(reporter, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))  # its own look alone
    measure = Scripted.measure
    monkeypatch.setattr(Scripted, "measure", lambda *words: [next(clock) for _ in range(1000)] and measure(*words))
    start(asked(twenty_each, tmp_path)).train()
    # A second passes at each look at the clock: one for each of six records, and two around the two measurements.
    (*_, last) = RunFolder(tmp_path).stats()
    assert last["seconds"] == 6 + 2 * 1002
    assert last["images_per_second"] == round(6 * 2 / (6 + 2), 2)


def test_new_run_leaves_the_best_of_one_that_saved_nothing_and_measures_from_nothing_once_it_is_gone(
    twenty_each: Path, tmp_path: Path, script: list[float]
) -> None:
    script += [1.0, 9.0]
    pace = replace(QUICK, evaluate_every=1, save_every=1000)
    train_until(start(asked(twenty_each, tmp_path, pace=pace)), step=1)
    assert load_best(tmp_path).step == 1
    with pytest.raises(RunError, match=r"best\.pt: an earlier run's, which a new one would delete; move it"):
        start(asked(twenty_each, tmp_path, every=1000, steps=2))
    best_file(tmp_path).unlink()
    start(asked(twenty_each, tmp_path, every=1000, steps=2)).train()
    assert load_best(tmp_path).quality == figures(9.0)
    assert [record["step"] for record in RunFolder(tmp_path).quality()] == [2]


def test_weights_that_are_not_finite_are_neither_measured_nor_kept(
    twenty_each: Path, tmp_path: Path, script: list[float]
) -> None:
    trainer = start(asked(twenty_each, tmp_path, every=3))
    original = trainer._train_step

    def break_at_three(batch):
        scalars = original(batch)
        if trainer.step == 3:
            with torch.no_grad():
                next(trainer.recipe.g_ba.parameters()).fill_(float("nan"))
        return scalars

    trainer._train_step = break_at_three
    with pytest.raises(RunError, match=r"g_ba\..* not finite any more"):
        trainer.train()
    assert not best_file(tmp_path).exists()


def test_too_few_images_are_said_once_and_nothing_is_measured(
    two_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], log: pytest.LogCaptureFixture
) -> None:
    start(asked(two_sets, tmp_path / "run")).train()
    said = "quality is not measured: it takes 20 held-out images of each domain, and of one there are 0 ("
    assert sum(message.startswith(said) for message in log.messages) == 1
    log.clear()
    capsys.readouterr()
    start(asked(two_sets, tmp_path / "never", every=0)).train()
    start(request(two_sets, tmp_path / "gan")).train()
    assert "quality" not in capsys.readouterr().err + log.text
    assert not list(tmp_path.rglob("quality.jsonl"))


def test_quality_sees_what_is_trained_on_and_what_is_held_out(
    twenty_each: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(validation, "FEWEST", 2)
    monkeypatch.setattr(translation, "TranslationQuality", lambda *sources, **more: made.append((sources, more)))
    trainer = start(asked(twenty_each, tmp_path))
    ((sources, more),) = made
    assert [len(source) for source in sources] == [18, 18, 2, 2]
    assert Path(sources[0].name(0)).parent.name == "trainA"
    assert [Path(sources[3].name(index)).name for index in range(2)] == ["18.png", "19.png"]
    assert more["image_size"] == trainer.recipe.config.image_size


def test_real_measure_finds_figures_for_both_ways(
    twenty_each: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    tiny = PooledFeatures(nn.Conv2d(3, 4, 5, 2), side=16, name="tiny")
    monkeypatch.setattr(validation, "FEWEST", 2)
    monkeypatch.setattr(translation, "feature_network", lambda **_: tiny)
    start(asked(twenty_each, tmp_path, steps=2)).train()
    (record,) = RunFolder(tmp_path).quality()
    assert set(record) == {"step", "reference", *NAMES}
    assert set(record["reference"]) == set(REFERENCE)
    assert load_best(tmp_path).quality == {name: record[name] for name in NAMES}


def test_least_kid_both_ways_together_is_the_best(tmp_path: Path) -> None:
    assert badness({"kid_ab": 1.0, "kid_ba": 2.5, "fd_ab": 9.0}) == 3.5
    judged = Validation(Scripted([]), RunFolder(tmp_path))
    kids = [(5.0, 5.0), (9.0, 0.5), (9.0, 0.5), (float("nan"), 0.0), (0.0, 9.4)]
    assert [judged.is_best({"kid_ab": ab, "kid_ba": ba}) for ab, ba in kids] == [True, True, False, False, True]


def test_other_held_out_images_are_said(
    twenty_each: Path, tmp_path: Path, script: list[float], log: pytest.LogCaptureFixture
) -> None:
    script += [5.0]
    start(asked(twenty_each, tmp_path, steps=2)).train()
    swapped = {"a": [twenty_each / "trainB"], "b": [twenty_each / "trainA"]}
    said = "quality: measured on other held-out images from here; older figures, best.pt's too, are no match"
    for domains, told in (({}, False), (swapped, True), (swapped, False)):
        log.clear()
        start(again("", tmp_path, "cyclegan", steps=4, domains=domains))
        assert (said in log.messages) == told
