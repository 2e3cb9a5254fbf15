"""Long commands say how far they are in a notebook, and nothing where neither a notebook nor a terminal is."""

import hashlib
import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import DrawPhoto
from file_server import served_file
from film_clips import greys, write_film
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import NEGATIVE, matrix_translator
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.cli.progress import FilmBar


@pytest.fixture(params=[True, False], ids=["notebook", "log"], autouse=True)
def notebook(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether commands run in one, or into a log."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("img2img.progress_bar.TELLING_PAUSE", 0.0)
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    if request.param:
        monkeypatch.setenv("JPY_PARENT_PID", "1")
    return bool(request.param)


@pytest.fixture
def album(draw_photo: DrawPhoto) -> Path:
    for name in "abc":
        draw_photo(Path("album", f"{name}.png"), mode="RGB")
    return Path("album")


def said(*words: object, fails: bool = False) -> list[str]:
    """The lines on stderr."""
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == fails, result.output
    return result.stderr.splitlines()


def test_photos_are_counted_without_those_left_out(
    notebook: bool, album: Path, colour_photos: Path, tiny_model: Path
) -> None:
    shutil.copy(colour_photos / "0.png", album / "d.png")
    counted = said("colorize", album, "-o", "out", "--model", tiny_model, "--jobs", 1)
    counts = ["1 of 4", "2 of 4", "3 of 4", "3 of 3"] * notebook
    assert [line for line in counted if "of" in line.split()] == [f"colouring: {count} photos" for count in counts]


def test_photos_that_fail_are_counted(notebook: bool, album: Path, tiny_model: Path) -> None:
    (album / "a.png").write_bytes(b"no picture")
    lines = sorted(said("colorize", album, "-o", "out", "--model", tiny_model, fails=True))
    assert lines[0].startswith(str(album / "a.png"))
    assert lines[1:] == [f"colouring: {n} of 3 photos" for n in (1, 2, 3) if notebook]


def test_translated_photos_are_counted(notebook: bool, album: Path) -> None:
    model = matrix_translator(Path("negative.onnx"), NEGATIVE)
    assert said("translate", album, "-o", "out", "--model", model) == [
        f"translating: {n} of 3 photos" for n in (1, 2, 3) if notebook
    ]


def test_one_photo_watching_and_quiet_need_no_counts(album: Path, tiny_model: Path) -> None:
    colorize = ["colorize", "--model", tiny_model]
    assert said(*colorize, album / "a.png") == []
    assert said(*colorize, album, "-o", "out", "--quiet") == []
    film = write_film(Path("film.mp4"), greys(4))
    assert said(*colorize, film, "--quiet") == []


def test_frames_of_films_are_counted_under_their_names(notebook: bool, tiny_model: Path) -> None:
    films = [write_film(Path(name), greys(4)) for name in ("a.mp4", "b.mkv")]
    counted = said("colorize", *films, "-o", "out", "--model", tiny_model)
    assert [line for line in counted if line.startswith("a")] == [
        f"a.mp4: {n} of 4 frames" for n in (1, 2, 3, 4) if notebook
    ]
    assert [line.split(":")[0] for line in counted] == ["a.mp4"] * 4 * notebook + ["b.mkv"] * 4 * notebook


def test_film_of_unknown_length_has_no_total(notebook: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with FilmBar(shown=True) as bar:
        bar(Path("a.mkv"), 3, 0)
    assert capsys.readouterr().err == "a.mkv: 3 frames\n" * notebook


def test_bytes_of_a_data_set_are_counted(notebook: bool) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("trainA/1.bin", os.urandom(2_000_000))
    with served_file("/toys.zip", packed.getvalue()) as site:
        counted = said("data", "download", "toys", "--url", site.url())
    assert counted[:1] == ["downloading: 0.3 of 2.0 MB"] * notebook
    assert counted[-1:] == ["downloading: 2.0 of 2.0 MB"] * notebook


def test_bytes_of_a_model_are_counted(notebook: bool) -> None:
    model = write_tiny_model(Path("snow.onnx"), tiny_model(0.2, 0.4), name="snow", notes="x" * 400_000)
    content = model.read_bytes()
    with served_file("/snow.onnx", content) as site:
        counted = said("models", "add", f"{site.url()}#sha256={hashlib.sha256(content).hexdigest()}")
    assert counted == ["downloading: 0.3 of 0.4 MB", "downloading: 0.4 of 0.4 MB"] * notebook


def test_looked_at_images_are_counted(notebook: bool, album: Path) -> None:
    assert said("data", "check", album) == [f"checking: {n} of 3 images" for n in (1, 2, 3) if notebook]
