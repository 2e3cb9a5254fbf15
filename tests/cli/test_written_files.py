"""No command replaces a file that it did not write, unless --overwrite is given: every option that names a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_choice_options import options_of
from typer.main import get_command
from typer.testing import CliRunner

from img2img.batch.report import write_report
from img2img.cli.app import app
from img2img.generation.directions import Fit
from img2img.generation.directions_file import Directions, holds_directions
from img2img.photo.metadata.drawn_by import check_drawing, drawing_exif, is_drawn_by

READ = {
    ("colorize", "--reference"),
    ("suggest", "--reference"),
    ("serve", "--token-file"),
    ("runs", "--folder"),
    ("evaluate", "--weights"),
    ("evaluate", "--lpips-weights"),
    ("generate", "--like"),
    ("generate", "--directions"),
    ("directions show", "--directions"),
    ("train", "--init"),
    ("train", "--config"),
}
FOLDERS = {("train", "--out"), ("data download", "--out")}
"""A folder of a run or a data set; tests of their own hold that one which is there stays as it is."""

THERE, NOT_OURS = "is there already", "no report of img2img's"
WRITTEN: dict[tuple[str, str], tuple[str, str, str]] = {
    ("colorize", "--output"): ("photo.png", ".png", "left alone"),
    ("colorize", "--report"): ("photo.png -o out.png", ".csv", NOT_OURS),
    ("colorize", "--journal"): ("photos -o out", ".journal", "the journal cannot be used"),
    ("translate", "--output"): ("photo.png --model horse2zebra", ".png", "left alone"),
    ("translate", "--report"): ("photo.png -o out.png --model horse2zebra", ".json", NOT_OURS),
    ("translate", "--journal"): ("photos -o out --model horse2zebra", ".journal", "the journal cannot be used"),
    ("runs show", "--output"): ("run", ".png", THERE),
    ("export", "--output"): ("run", ".onnx", THERE),
    ("export", "--reverse"): ("run -o out.onnx", ".onnx", THERE),
    ("export", "--all-weights"): ("run -o out.onnx", ".safetensors", THERE),
    ("export", "--critic"): ("run -o out.onnx", ".onnx", THERE),
    ("import", "--output"): ("net_G.pth", ".onnx", THERE),
    ("evaluate", "--chart"): ("colorizer --data photos", ".png", THERE),
    ("evaluate", "--sheet"): ("colorizer --data photos", ".jpg", THERE),
    ("features", "--output"): ("run", ".webp", THERE),
    ("generate", "--output"): ("--model run", ".png", THERE),
    ("directions fit", "--output"): ("--model run", ".json", THERE),
}
"""(command, option) -> (what else is typed, the file's ending, what is said)."""


def file_options() -> Iterator[tuple[str, str]]:
    for words, option in options_of(get_command(app)):
        name = max(option.opts, key=len)
        if "Path" in type(option.type).__name__ or name == "--output":
            yield "train" if words[0] == "train" else " ".join(words), name


def test_options_that_name_a_file_are_known_to_read_or_to_write_it() -> None:
    assert set(file_options()) == READ | FOLDERS | set(WRITTEN)


@pytest.mark.parametrize(("command", "option"), WRITTEN)
def test_file_of_somebody_else_stays(
    command: str, option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    typed, ending, said = WRITTEN[command, option]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("photo.png", "photos/a.png"):
        Image.new("L", (8, 8), 90).save(name)
    taken = Path(f"mine{ending}")
    taken.write_bytes(b"hours of work")
    result = CliRunner().invoke(app, [*command.split(), *typed.split(), option, str(taken)])
    assert taken.read_bytes() == b"hours of work"
    assert said in " ".join(result.output.split()), result.output
    assert "--overwrite" in result.output or option == "--journal"


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_drawing_is_drawn_again_by_its_own_command_only(tmp_path: Path, kind: str) -> None:
    drawing = tmp_path / f"drawn.{kind}"
    Image.new("RGB", (8, 8)).save(drawing, exif=drawing_exif("evaluate"))
    check_drawing(drawing, "evaluate", overwrite=False)
    assert not is_drawn_by(drawing, "features")
    Image.open(drawing).copy().save(drawing)  # edited elsewhere
    assert not is_drawn_by(drawing, "evaluate")
    check_drawing(drawing, "evaluate", overwrite=True)


def test_directions_of_any_model_are_known(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    Directions("digits", "0" * 64, 0, 10, Fit((), (), {})).save(path)
    assert holds_directions(path)


@pytest.mark.parametrize("content", ["", "3", "[]", "{}", '["format", "model_sha256", "fit"]', "not json"])
def test_other_files_hold_no_directions(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    assert not holds_directions(tmp_path / "other.json")


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_report_is_written_again_over_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8), 90).save("photo.png")
    report = Path(f"report.{ending}")
    write_report([], report)
    done = CliRunner().invoke(app, ["colorize", "photo.png", "-o", "out.png", "--report", str(report)])
    assert done.exit_code == 0, done.output
    assert sources(report) == ["photo.png"]


def sources(report: Path) -> list[Any]:
    text = report.read_text(encoding="utf-8")
    records = json.loads(text)["photos"] if report.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    return [record["source"] for record in records]
