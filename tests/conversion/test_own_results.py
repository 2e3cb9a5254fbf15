"""Earlier results among many inputs: left out and counted, known by name or by what they say of themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from film_clips import greys, write_film
from PIL import Image
from tiny_translator import NEGATIVE, matrix_translator
from typer.testing import CliRunner

from img2img import Outcome, convert
from img2img.batch.outcome import OWN_RESULT, UP_TO_DATE
from img2img.cli.app import app
from img2img.conversion import earlier_result
from img2img.photo import read_xmp

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return matrix_translator(tmp_path / "day2night.onnx", NEGATIVE)


@pytest.fixture
def album(tmp_path: Path, model: Path) -> Path:
    """A photo, its result beside it, that result under another name, and one that only its name gives away."""
    folder = tmp_path / "album"
    folder.mkdir()
    Image.fromarray(PIXELS).save(folder / "a.png")
    (made,) = convert(folder / "a.png", model=model)
    assert made.target == folder / "a.day2night.png"
    shutil.copy(folder / "a.day2night.png", folder / "renamed.png")
    Image.fromarray(PIXELS).save(folder / "b.day2night.bmp")
    Image.fromarray(PIXELS).save(folder / "b.day2night.cycle.bmp")
    return folder


RESULTS = ("a.day2night.png", "b.day2night.bmp", "b.day2night.cycle.bmp", "renamed.png")
LEFT_OUT = "skipped", (OWN_RESULT,)


def done(inputs: Path, output: Path, model: Path, **options: object) -> dict[str, Outcome]:
    return {each.source.name: each for each in convert(inputs, output, model=model, **options)}


def test_folder_leaves_its_translators_results_out_and_does_not_read_them_again(
    album: Path, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = done(album, out, model)
    assert first.pop("a.png").status == "done"
    assert {name: (each.status, each.flags) for name, each in first.items()} == dict.fromkeys(RESULTS, LEFT_OUT)
    assert {each.name for each in out.iterdir()} == {"a.png", ".img2img-journal.sqlite"}
    monkeypatch.setattr("img2img.batch.job_files.read_photo", None)
    again = done(album, out, model)
    assert {name: each.flags[0] for name, each in again.items()} == {
        "a.png": UP_TO_DATE,
        **dict.fromkeys(RESULTS, OWN_RESULT),
    }


def test_results_of_another_model_are_photos(album: Path, tmp_path: Path, model: Path) -> None:
    back = matrix_translator(tmp_path / "night2day.onnx", NEGATIVE)
    assert {each.status for each in done(album, tmp_path / "out", back).values()} == {"done"}


def test_result_named_alone_is_converted_also_where_a_journal_left_it_out(
    album: Path, tmp_path: Path, model: Path
) -> None:
    out = tmp_path / "out"
    done(album, out, model)
    assert done(album / "renamed.png", out, model)["renamed.png"].status == "done"
    assert done(album, out, model)["renamed.png"].flags == (UP_TO_DATE,)


def test_closing_line_counts_them_and_says_how_to_convert_one(album: Path, tmp_path: Path, model: Path) -> None:
    result = CliRunner().invoke(app, ["translate", str(album), "-o", str(tmp_path / "out"), "--model", str(model)])
    assert "1 translated" in result.stdout
    assert f"4 skipped (4 {OWN_RESULT})" in result.stdout
    assert "name it alone" in result.stderr


def test_films_named_as_results_are_left_out_of_several(tmp_path: Path, tiny_model: Path) -> None:
    films = [str(write_film(tmp_path / f"a{word}.mp4", greys(3))) for word in ("", ".colorized")]
    words = ["colorize", *films, "-o", f"{tmp_path}/out/", "--model", str(tiny_model)]
    dry = CliRunner().invoke(app, [*words, "--dry-run"])
    assert f"{films[1]}: {OWN_RESULT}; left out\n" in dry.stdout
    result = CliRunner().invoke(app, words)
    assert f"{films[1]}: skipped, {OWN_RESULT}\n" in result.stdout
    assert f"1 coloured, 0 failed, 1 skipped (1 {OWN_RESULT})" in result.stdout
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["a.mp4"]
    beside = CliRunner().invoke(app, ["colorize", *films, "--model", str(tiny_model)])
    assert (beside.exit_code, "a.colorized.mp4: already there" in beside.stdout) == (0, True)


def test_film_named_alone_is_converted_whatever_its_name(tmp_path: Path, tiny_model: Path) -> None:
    film = write_film(tmp_path / "a.colorized.mp4", greys(3))
    (outcome,) = convert(film, tmp_path / "out.mp4", model=tiny_model)
    assert outcome.status == "done"


@pytest.mark.parametrize(("gone", "status"), [("a.day2night.png", "done"), ("a.png", "failed")])
def test_photo_or_result_that_goes_while_it_is_looked_at_is_no_mistake_of_ours(
    album: Path, model: Path, monkeypatch: pytest.MonkeyPatch, gone: str, status: str
) -> None:
    def read_before(path: Path) -> bytes | None:
        xmp = read_xmp(path)
        (album / gone).unlink()
        return xmp

    monkeypatch.setattr(earlier_result, "read_xmp", read_before)
    (outcome,) = convert(album / "a.png", model=model)
    assert outcome.status == status
    assert "no such file" in (outcome.error or "no such file")
