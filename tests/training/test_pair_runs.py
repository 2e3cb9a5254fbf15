"""Runs of a recipe that learns from pairs: their quality and best state, and what they are exported as."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mean_colour import mean_colour
from PIL import Image
from tiny_pairs import saved, scene
from tiny_run import QUICK, TINY, request
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.evaluation.pairs import pair_quality
from img2img.inference.translator import Translator
from img2img.model_file import read_card
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_records import RunRecords, badness
from img2img.runs.state import load_best
from img2img.training import validation
from img2img.training.start import start


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty pairs: a picture and its negative."""
    folder = tmp_path_factory.mktemp("twenty")
    for number in range(20):
        saved(folder / "a" / f"{number:02}.png", scene(number))
        saved(folder / "b" / f"{number:02}.png", 255 - scene(number))
    return folder


@pytest.fixture(scope="module")
def run(twenty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six steps, with a look at the quality of two held-out pairs at every second one."""
    out = tmp_path_factory.mktemp("runs") / "pairs"
    settings = (*TINY["pix2pix"], "held_out=2", "generator_lr=5e-3")
    domains = {side: [twenty / side] for side in "ab"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "FEWEST_PAIRS", 2)
        patch.setattr(pair_quality, "feature_network", lambda **_: mean_colour())
        pace = replace(QUICK, evaluate_every=2, preview_every=6)
        start(request("", out, "pix2pix", settings=settings, domains=domains, pace=pace)).train()
    return out


def test_quality_of_held_out_pairs_is_recorded_and_the_least_distance_kept(run: Path) -> None:
    records = RunFolder(run).quality()
    assert [record["step"] for record in records] == [2, 4, 6]
    assert set(records[0]) == {"step", "psnr", "ssim", "fd", "reference"}
    assert set(records[0]["reference"]) == {"psnr_ceiling", "ssim_ceiling", "fd_ceiling"}
    best = min(records, key=lambda record: record["fd"])
    assert load_best(run).step == best["step"]
    assert load_best(run).quality == {name: best[name] for name in ("psnr", "ssim", "fd")}
    assert RunRecords(run).best == best


def test_best_pairs_have_the_least_distance() -> None:
    assert badness({"psnr": 30.0, "ssim": 0.9, "fd": 2.5}) == 2.5


@pytest.mark.slow
def test_run_is_shown_with_its_quality_beside_that_of_the_inputs(run: Path) -> None:
    result = CliRunner().invoke(app, ["runs", "show", str(run)])
    assert result.exit_code == 0, result.output
    reference = RunRecords(run).reference
    assert f"({reference['psnr_ceiling']:.3g})" in result.stdout
    assert (run / "chart.png").is_file()


def test_preview_shows_held_out_inputs_what_is_drawn_and_targets(run: Path) -> None:
    preview = max((run / "previews").glob("*.png"))
    with Image.open(preview) as grid:
        assert grid.size == (3 * 34 + 2, 34 + 2)
        pixels = np.asarray(grid).astype(int)
    given, target = pixels[2:34, 2:34], pixels[2:34, 70:102]
    assert np.abs(given + target - 255).max() <= 2


def test_too_few_pairs_are_said(twenty: Path, tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    domains = {side: [twenty / side] for side in "ab"}
    settings = (*TINY["pix2pix"], "held_out=2")
    pace = replace(QUICK, evaluate_every=2)
    start(request("", tmp_path / "run", "pix2pix", settings=settings, domains=domains, pace=pace))
    assert "quality is not measured: it takes 10 held-out pairs, and there are 2 (a tenth" in log.text


@pytest.mark.slow  # an export
@pytest.mark.usefixtures("graphs_once")
def test_exported_model_says_that_it_learnt_from_pairs_and_draws_its_own_picture(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "negative.onnx"
    result = CliRunner().invoke(app, ["export", str(run), "-o", str(target), "--which", "last"])
    assert result.exit_code == 0, result.output
    card = read_card(target)
    assert (card.task, card.paired, card.result, card.reverse) == ("translate", True, "picture", None)
    assert (card.recipe, card.native_size, card.size_multiple, card.data) == ("pix2pix", 32, 32, "a, b")
    assert read_card(target.with_suffix(".safetensors")).paired
    shown = CliRunner().invoke(app, ["models", "show", str(target)]).stdout
    assert "a, b, in pairs" in shown
    photo = Image.fromarray(scene(40, 96, 64))
    drawn = Translator(target)(photo)
    assert drawn.size == photo.size
    small = np.asarray(photo.resize((64, 32), Image.Resampling.BICUBIC))
    whole = Translator(target)(Image.fromarray(small), size="native")
    again = np.asarray(drawn.resize((64, 32), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(again - np.asarray(whole)).mean() < 12  # what it drew, enlarged; the photo itself is not in it


@pytest.mark.slow  # with the export
@pytest.mark.usefixtures("graphs_once")
def test_command_translates_with_the_exported_model(run: Path, tmp_path: Path) -> None:
    target, photo = tmp_path / "negative.onnx", saved(tmp_path / "photo.png", scene(41))
    assert CliRunner().invoke(app, ["export", str(run), "-o", str(target)]).exit_code == 0
    result = CliRunner().invoke(app, ["translate", str(photo), "-o", str(tmp_path / "out.png"), "--model", str(target)])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out.png") as out:
        assert out.size == (56, 48)


def test_weights_of_a_model_start_another_run(run: Path, twenty: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    weights = {
        name.removeprefix("averages.generator."): value.contiguous() for name, value in load_best(run).ema.items()
        if name.startswith("averages.generator.")
    }  # fmt: skip
    save_file(weights, tmp_path / "own.safetensors")
    domains = {side: [twenty / side] for side in "ab"}
    begun = start(request("", tmp_path / "run", "pix2pix", domains=domains, init=tmp_path / "own.safetensors"))
    now = begun.recipe.get_submodule("generator").state_dict()
    assert all(torch.equal(value, now[name]) for name, value in weights.items())
