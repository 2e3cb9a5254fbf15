"""A sampler's figures: variety, and whether it draws what it was asked for."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_sampler import SIZE, linear_sampler
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.open_source import open_source
from img2img.errors import ModelError
from img2img.evaluation.evaluate_sampler import evaluate_sampler
from img2img.evaluation.request import EvaluationRequest
from img2img.inference.sampler import Sampler

NAMES = ("dark", "left", "right")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 noisy pictures of each class: dark, bright at the left, bright at the right."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for index in range(90):
        pixels = rng.integers(0, 90, (SIZE, SIZE))
        pixels += (160 * (_of_class(index % 3) + 1) / 2).astype(int)
        target = folder / NAMES[index % 3] / f"{index}.png"
        target.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(target)
    return folder


def _of_class(label: int) -> np.ndarray:
    """(SIZE, SIZE) in [-1, 1]."""
    picture = np.full((SIZE, SIZE), -1.0)
    if label:
        half = slice(0, SIZE // 2) if label == 1 else slice(SIZE // 2, SIZE)
        picture[:, half] = 1.0
    return picture


def sampler(path: Path, order: tuple[int, ...] = (0, 1, 2), spread: float = 0.05) -> Path:
    """Draws the class's picture with noise, or that of another class where `order` says so."""
    basis = spread * np.random.default_rng(1).standard_normal((16, 1, SIZE, SIZE))
    labels = 0.7 * np.stack([_of_class(label)[None] for label in order])
    return linear_sampler(path, basis, labels=labels, classes=NAMES)


def test_sampler_that_draws_what_it_is_asked_for_is_told_from_one_that_mixes_two_classes_up(
    pictures: Path, tmp_path: Path
) -> None:
    source = open_source([pictures])
    good = evaluate_sampler(Sampler(sampler(tmp_path / "good.onnx")), source, seed=0)
    mixed = evaluate_sampler(Sampler(sampler(tmp_path / "mixed.onnx", (0, 2, 1))), source, seed=0)
    assert good["asked_for"] > 0.95
    assert good["classifier_accuracy"] > 0.95
    assert mixed["asked_for_by_class"]["dark"] > 0.95
    assert mixed["asked_for_by_class"]["left"] < 0.05
    assert mixed["asked_for"] == pytest.approx(1 / 3, abs=0.05)


def test_sampler_that_ignores_its_latents_has_no_variety_within_a_class(pictures: Path, tmp_path: Path) -> None:
    source = open_source([pictures])
    varied = evaluate_sampler(Sampler(sampler(tmp_path / "varied.onnx", spread=0.15)), source, seed=0)
    stuck = evaluate_sampler(Sampler(sampler(tmp_path / "stuck.onnx", spread=0.0)), source, seed=0)
    assert varied["duplicates"] < 0.1
    assert stuck["duplicates"] == 1.0
    assert stuck["diversity"] < varied["diversity"]


def test_classes_must_be_those_of_the_model(pictures: Path, colour_photos: Path, tmp_path: Path) -> None:
    model = Sampler(sampler(tmp_path / "good.onnx"))
    with pytest.raises(ModelError, match="draws dark, left, right; give --data with these classes"):
        evaluate_sampler(model, open_source([colour_photos]), seed=0)


def test_command_prints_and_saves_the_figures(pictures: Path, tmp_path: Path) -> None:
    model = sampler(tmp_path / "good.onnx")
    result = CliRunner().invoke(app, ["evaluate", str(model), "--data", str(pictures), "--json", "--save"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    shown = CliRunner().invoke(app, ["models", "show", str(model), "--json"])
    assert json.loads(shown.stdout)["metrics"] == printed
    assert "asked_for" in CliRunner().invoke(app, ["evaluate", str(model), "--data", str(pictures)]).stdout


@pytest.mark.parametrize(
    "words", [["--size", "64"], ["--size", "256"], ["--temperatures", "0.5"], ["--sheet", "sheet.png"]]
)
def test_options_for_photos_are_refused_before_any_work(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = sampler(tmp_path / "good.onnx")
    result = CliRunner().invoke(app, ["evaluate", str(model), "--data", "nowhere", *words, "--temperatures", "0.4"])
    assert result.exit_code == 2
    assert f"{words[0]}" in result.stderr
    assert "good.onnx is a sampler: leave out " in result.stderr


def test_table_has_only_what_can_be_read_from_it(pictures: Path, tmp_path: Path) -> None:
    figures = evaluate_sampler(Sampler(sampler(tmp_path / "good.onnx")), open_source([pictures]), seed=0)
    assert list(figures) == ["diversity", "duplicates", "asked_for", "classifier_accuracy", "asked_for_by_class"]
    command = EvaluationRequest("good.onnx", data=("digits",)).command()
    assert command == "img2img evaluate good --data digits", "the command on the card must be one that runs"
