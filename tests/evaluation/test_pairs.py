"""A translator of pairs beside its targets: what is measured, while it trains and of a model file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mean_colour import draw_colours, mean_colour
from PIL import Image
from tiny_translator import IDENTITY, NEGATIVE, matrix_translator
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.data.image_source import Subset
from img2img.data.open_source import open_source
from img2img.errors import UsageError
from img2img.evaluation.chart import figure_panels
from img2img.evaluation.pairs.pair_figures import compare_pairs
from img2img.evaluation.pairs.pair_quality import PairQuality
from img2img.evaluation.request import EvaluationRequest
from img2img.model_file import read_card

PAIRS = 12
LEVEL = 10 * np.log10(255**2 / 100)
"""PSNR in dB of pictures that are 10 levels of 255 apart everywhere."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `a`, of reddish pictures, and `b`, of their negatives; models that invert and that do nothing."""
    folder = tmp_path_factory.mktemp("pairs")
    draw_colours(folder / "a", PAIRS, (150, 90, 80), side=32)
    (folder / "b").mkdir()
    for path in (folder / "a").iterdir():
        with Image.open(path) as image:
            Image.fromarray(255 - np.asarray(image)).save(folder / "b" / path.name)
    about: dict[str, Any] = {"paired": True, "result": "picture", "native_size": 32}
    matrix_translator(folder / "invert.onnx", NEGATIVE, **about)
    matrix_translator(folder / "idle.onnx", IDENTITY, **about)
    matrix_translator(folder / "unpaired.onnx", NEGATIVE, native_size=32)
    return folder


@pytest.fixture
def in_world(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    monkeypatch.setattr("img2img.evaluation.pairs.pair_figures.feature_network", lambda *_: mean_colour())


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def quality(world: Path) -> PairQuality:
    sources = (open_source([world / side]) for side in "ab")
    return PairQuality(*sources, image_size=32, features=mean_colour())


def test_quality_of_targets_is_perfect_and_of_inputs_that_of_the_reference(world: Path) -> None:
    measured = quality(world)
    perfect = measured.measure(lambda x: -x)
    assert perfect["psnr"] == 100
    assert perfect["ssim"] == pytest.approx(1)
    assert perfect["fd"] == pytest.approx(0, abs=1e-6)
    idle = measured.measure(lambda x: x)
    assert {f"{name}_ceiling": value for name, value in idle.items()} == measured.reference


def test_quality_of_targets_ten_levels_off_is_that_worked_by_hand(world: Path) -> None:
    """Noise that strays to the ends of the range is rare at these colours, so none is clipped by ten levels."""
    off = quality(world).measure(lambda x: -x + 20 / 255)
    assert off["psnr"] == pytest.approx(LEVEL, abs=0.02)
    assert off["fd"] == pytest.approx(3 * (20 / 255) ** 2, rel=0.05)  # the mean colour's three values move alike


def test_each_input_is_measured_by_its_own_target(world: Path) -> None:
    inputs, targets = (open_source([world / side]) for side in "ab")
    others = Subset(inputs, range(6)), Subset(targets, range(6, 12))
    assert PairQuality(*others, image_size=32, features=mean_colour()).measure(lambda x: -x)["psnr"] < 30


def test_measuring_draws_no_random_numbers(world: Path) -> None:
    measured, before = quality(world), torch.get_rng_state()
    measured.measure(lambda x: x)
    assert torch.equal(torch.get_rng_state(), before)


def test_rows_are_of_what_was_made_and_of_the_untouched_inputs(world: Path) -> None:
    inputs, targets = (open_source([world / side]) for side in "ab")

    def invert(picture: Image.Image) -> Image.Image:
        return Image.fromarray(255 - np.asarray(picture))

    made, untouched = compare_pairs(invert, inputs, targets, size=32, features=mean_colour())
    assert (made.pictures, made.number, made.psnr, made.lpips) == ("translated", PAIRS, 100, None)
    assert made.ssim == pytest.approx(1)
    assert made.frechet_distance == pytest.approx(0, abs=1e-6)
    assert (untouched.pictures, untouched.number) == ("untouched", PAIRS)
    apart = np.subtract((150, 90, 80), (105, 165, 175)) / 127.5
    assert untouched.frechet_distance == pytest.approx(np.sum(apart**2), rel=0.15)
    assert untouched.psnr < 15


@pytest.mark.usefixtures("in_world")
def test_command_measures_pairs_and_puts_the_figures_on_the_card(tmp_path: Path) -> None:
    words = ["invert.onnx", "--data", "a", "--real", "b"]
    files = ["--chart", str(tmp_path / "bars.png"), "--sheet", str(tmp_path / "sheet.png"), "--count", "3"]
    result = evaluate(*words, *files, "--json", "--save")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["psnr"] > 45  # the model file computes in float32 and 8 bits
    assert [row["pictures"] for row in figures["pairs"]] == ["translated", "untouched"]
    assert figures["measured_on"] == f"{PAIRS} pairs of a and b at 32 px"
    assert {panel.title.split()[0] for panel in figure_panels(figures)} == {"PSNR", "SSIM", "Frechet"}
    card = read_card(Path("invert.onnx"))
    assert card.metrics == figures
    assert card.metrics_command == "img2img evaluate invert --data a --real b"
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * (3 * 192 + 6) - 6, 2 * (192 + 6) - 6)
    with Image.open(tmp_path / "bars.png") as bars:
        assert bars.width > 400


@pytest.mark.usefixtures("in_world")
def test_table_says_what_was_not_measured_and_what_it_takes() -> None:
    result = evaluate("idle.onnx", "--data", "a", "--real", "b", "--held-out", "1")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "lpips not measured: --lpips-weights FILE" in words
    assert "frechet_distance not measured: 1 pairs, and it takes 10 or more" in words
    assert "the last 1 pairs of a and b at 32 px" in words


def test_model_of_pairs_takes_pairs_and_another_takes_none(world: Path) -> None:
    both: dict[str, Any] = {"data": ("a",), "real": ("b",)}
    paired, unpaired = (str(world / f"{name}.onnx") for name in ("invert", "unpaired"))
    assert EvaluationRequest(paired, **both).subject() == "pairs"
    assert EvaluationRequest(unpaired, **both).subject() == "translate"
    with pytest.raises(UsageError, match="is a translator of pairs: give --real as well"):
        EvaluationRequest(paired, data=("a",)).subject()
    with pytest.raises(UsageError, match="leave out --lpips-weights, which is for a colorizer or a translator of"):
        EvaluationRequest(unpaired, **both, lpips_weights=Path("alexnet.pth")).subject()


@pytest.mark.usefixtures("in_world")
def test_pictures_without_their_other_side_are_named() -> None:
    result = evaluate("invert.onnx", "--data", "a", "--real", "a/000.png")
    assert result.exit_code == 1
