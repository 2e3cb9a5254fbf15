"""Films from the command line's side: targets left alone, records, exit codes, and real processes that are killed."""

import csv
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest
import typer
from conftest import StartProcess
from film_clips import first_half, greys, read_film, texture, write_film
from stopping import stopping

from img2img.batch.task import Translating
from img2img.cli.conversion import run_conversion
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.earlier_result import provenance_of
from img2img.errors import FilmError, UsageError

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from img2img.cli.conversion import run_conversion
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.video import film
film.SEGMENT = 20
source, target, model = sys.argv[1:]
run_conversion([source], target, ColorizeOptions(model=model, jobs=1), verb="coloured")
"""


def run(inputs: list[Path], output: Path | None, model: Path, **more: Any) -> int:
    options = ColorizeOptions(model=str(model), jobs=1, **more)
    try:
        run_conversion(
            [str(each) for each in inputs], None if output is None else str(output), options, verb="coloured"
        )
    except typer.Exit as end:
        return end.exit_code
    return 0


def test_films_are_converted_one_after_another_and_then_left_alone(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = [write_film(tmp_path / name, greys(4)) for name in ("a.mp4", "b.mkv")]
    report = tmp_path / "report.csv"
    assert run(films, tmp_path / "out", tiny_model, report=report) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{films[0]} -> {tmp_path / 'out' / 'a.mp4'} (")
    assert second.startswith(f"{films[1]} -> {tmp_path / 'out' / 'b.mkv'} (")
    assert last == "2 coloured, 0 failed, 0 skipped"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mkv"]
    with report.open(newline="") as lines:
        assert [(row["source"], row["status"]) for row in csv.DictReader(lines)] == [
            (str(film), "done") for film in films
        ]
    assert run(films, tmp_path / "out", tiny_model) == 0
    *told, last = capsys.readouterr().out.splitlines()
    targets = [tmp_path / "out" / name for name in ("a.mp4", "b.mkv")]
    assert told == [f"{target}: already there; left alone, --overwrite replaces it" for target in targets]
    assert last == "0 coloured, 0 failed, 2 skipped (2 already there)"
    assert run(films[:1], None, tiny_model) == 0
    assert len(read_film(tmp_path / "a.colorized.mp4")) == 4


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_film_beside_its_source_is_redone_for_other_settings_and_only_then(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    film = write_film(tmp_path / name, greys(4))
    target = film.with_name(f"a.colorized{film.suffix}")

    def again(**more: Any) -> str:
        assert run([film], None, tiny_model, **more) == 0
        return capsys.readouterr().out.splitlines()[-1]

    assert again() == "1 coloured, 0 failed, 0 skipped"
    first = target.read_bytes()
    assert again() == "0 coloured, 0 failed, 1 skipped (1 up to date)"
    assert target.read_bytes() == first
    assert again(strength=0.5) == "1 coloured, 0 failed, 0 skipped"
    assert target.read_bytes() != first
    assert again(strength=0.5, provenance=False, overwrite=True) == "1 coloured, 0 failed, 0 skipped"
    assert again() == "0 coloured, 0 failed, 1 skipped (1 already there)"  # it does not say that it is ours


@pytest.mark.slow
def test_a_damaged_film_is_kept_told_and_counts_as_failed(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_film(tmp_path / "whole.mkv", [texture(48, 64, seed) for seed in range(72)], options={"crf": "10"})
    cut = first_half(whole)
    (tmp_path / "text.mp4").write_text("no film")
    assert run([cut, tmp_path / "text.mp4"], tmp_path / "out", tiny_model) == 1
    printed = capsys.readouterr()
    assert printed.out == "0 coloured, 2 failed, 0 skipped\n"
    first, second = printed.err.splitlines()
    assert first.startswith(f"{cut}: damaged or incomplete: its pictures break off after")
    assert first.endswith(f"what can be read is in {tmp_path / 'out' / 'cut.mkv'}")
    assert second.startswith(f"{tmp_path / 'text.mp4'}: damaged or incomplete")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cut.mkv"]


def test_what_could_be_read_of_a_damaged_film_is_never_called_up_to_date(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_film(tmp_path / "whole.mkv", [texture(48, 64, seed) for seed in range(48)], options={"crf": "10"})
    cut = first_half(whole)
    assert run([cut], None, tiny_model) == 1
    capsys.readouterr()
    assert run([cut], None, tiny_model) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 coloured, 0 failed, 1 skipped (1 already there)"
    said = provenance_of(tmp_path / "cut.colorized.mkv")
    assert said
    assert said.options["source"] == "damaged"
    assert said.sha256


def test_what_is_left_out_is_said(tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "film.mkv", greys(4), codec="ffv1", pixels="yuva444p", options={})
    assert run([film], tmp_path / "new.mp4", tiny_model) == 0
    assert capsys.readouterr().err == f"{tmp_path / 'new.mp4'}: without transparency\n"


def test_without_the_packages_it_says_what_to_install(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("img2img.conversion.films.find_spec", lambda name: None)
    with pytest.raises(FilmError, match=r"pip install '\.\[video\]'"):
        run([tmp_path / "film.mp4"], None, tiny_model)


def test_a_rate_is_for_numbered_pictures(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="--fps is for numbered pictures"):
        run([tmp_path / "film.mp4"], None, tiny_model, fps=24.0)


@pytest.mark.parametrize("what", [{"cycle": True}, {"score": True}])
def test_what_only_photos_can_have_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="for photos"):
        Translating("horse2zebra", **what).open_for_films(1)


class Colour(Protocol):
    """Starts a process that colours `source`, and that gets a signal before a segment's state has its name."""

    def __call__(
        self, source: Path, target: Path, number: signal.Signals | None = None, *, before: int = 0
    ) -> "subprocess.Popen[str]": ...


@pytest.fixture
def colour(start_process: StartProcess, tiny_model: Path) -> Colour:
    def start(
        source: Path, target: Path, number: signal.Signals | None = None, *, before: int = 0
    ) -> "subprocess.Popen[str]":
        words = [sys.executable, "-c", PROGRAM, str(source), str(target), str(tiny_model)]
        if number is not None:
            words = stopping(words, number, before=1, name=f"{before:05}.npz")
        return start_process(words, env={"PYTHONPATH": str(ROOT)})

    return start


@pytest.mark.slow
def test_killed_again_and_again_the_film_is_the_same(tmp_path: Path, colour: Colour) -> None:
    source = write_film(tmp_path / "film.mp4", greys(160, 240, 320), options={"crf": "20", "g": "30"}, tone=True)
    process = colour(source, tmp_path / "whole.mp4")
    process.communicate(timeout=120)
    assert process.returncode == 0
    target = tmp_path / "new.mp4"
    for segments in (1, 3, 6):
        process = colour(source, target, signal.SIGKILL, before=segments)
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        assert not target.exists()
    assert colour(source, target).communicate(timeout=120)[0].endswith("\n1 coloured, 0 failed, 0 skipped\n")
    assert target.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"film.mp4", "whole.mp4", "new.mp4"}


@pytest.mark.slow
def test_ctrl_c_ends_at_once_and_says_how_to_go_on(tmp_path: Path, colour: Colour) -> None:
    source = write_film(tmp_path / "film.mp4", greys(160, 240, 320), options={"crf": "20", "g": "30"})
    target = tmp_path / "new.mp4"
    process = colour(source, target, signal.SIGINT, before=2)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "continues from here" in printed
    assert not target.exists()
    assert (tmp_path / ".new.mp4.img2img" / "00001.npz").exists()
