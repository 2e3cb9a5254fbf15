"""`--dry-run` of films: it says what the command then does."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DrawPhoto
from film_clips import greys, write_film
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.video.work_folder import WorkFolder


@pytest.fixture
def films(tmp_path: Path, draw_photo: DrawPhoto) -> Path:
    write_film(tmp_path / "a.mp4", greys(4))
    for number in (1, 2):
        draw_photo(tmp_path / f"in/f_{number:03}.png")
    return tmp_path


def run(model: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["colorize", *words, "--model", str(model)])


@pytest.mark.parametrize(
    "words",
    [
        ["a.mp4"],
        ["a.mp4", "in/f_%03d.png", "-o", "out/"],
        ["in/f_%03d.png", "-o", "b.mp4", "--fps", "12"],
        ["a.mp4", "a.colorized.mp4"],
    ],
)
def test_it_tells_what_would_be_made_and_then_what_is_there(
    films: Path, tiny_model: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(films)
    forecast = run(tiny_model, *words, "--dry-run")
    assert forecast.exit_code == 0
    would = [line.split(" would become ") for line in forecast.stdout.splitlines() if " would become " in line]
    done = run(tiny_model, *words)
    assert done.exit_code == 0
    made = [line.rpartition(" (")[0].split(" -> ") for line in done.stdout.splitlines() if " -> " in line]
    assert would == made != []
    again = run(tiny_model, *words, "--dry-run"), run(tiny_model, *words)
    told, then = (
        [line for line in each.stdout.splitlines() if "left alone" in line or "up to date" in line] for each in again
    )
    assert told == then[: len(told)]
    assert len(told) == len(made)


@pytest.mark.parametrize(
    "words",
    [
        ["gone.mp4"],
        ["gone.gif", "-o", "b.gif"],
        ["gone/f_%03d.png", "-o", "b.mp4"],
        ["a.mp4", "--quality", "80"],
        ["a.mp4", "--fps", "12"],
        ["in/f_%03d.png", "-o", "b.mp4", "--fps", "inf"],
        ["in/f_%03d.png", "-o", "b.mp4", "--keep-times"],
        ["a.mp4", "-o", "out/f_%d.png", "--keep-times"],
        ["a.mp4", "--first-frame"],
        ["a.mp4", "--no-recursive"],
        ["a.mp4", "-o", "b.txt"],
    ],
)
def test_what_the_command_refuses_it_refuses(
    films: Path, tiny_model: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(films)
    option = next((each for each in words if each.startswith("--")), "")
    forecast, real = run(tiny_model, *words, "--dry-run"), run(tiny_model, *words)
    assert (forecast.exit_code, forecast.stderr) == (real.exit_code, real.stderr)
    assert forecast.exit_code
    assert option in real.stderr
    assert "would become" not in forecast.stdout


def test_a_replacement_that_was_interrupted_would_go_on(
    films: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(films)
    (films / "b.mp4").write_bytes(b"the film before")
    assert "left alone" in run(tiny_model, "a.mp4", "-o", "b.mp4", "--dry-run").stdout
    WorkFolder.path_for(Path("b.mp4")).mkdir()
    assert run(tiny_model, "a.mp4", "-o", "b.mp4", "--dry-run").stdout == "a.mp4 would become b.mp4\n"
