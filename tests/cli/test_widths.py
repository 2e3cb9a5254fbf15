"""Every table of the command line at 60, 80 and 120 columns: no line is longer, no name is cut."""

import json
from pathlib import Path

import pytest
from tiny_model import tiny_model, write_tiny_model
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.check.findings import DataFinding, DataReport
from img2img.data.check.findings_text import as_text
from img2img.evaluation.measure import table
from img2img.generation.directions import Direction, Fit
from img2img.generation.directions_file import Directions

WIDTHS = pytest.mark.parametrize("width", [60, 80, 120])
NAME = "a-name-of-forty-characters-for-its-width"


def shown(width: int, *words: str | Path) -> str:
    result = CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result.output
    return result.stdout


def assert_fits(text: str, width: int, *names: str) -> None:
    too_long = [line for line in text.splitlines() if len(line) > width and "/" not in line]  # paths are one word
    assert too_long == []
    for name in names:
        assert name in " ".join(text.split())


@WIDTHS
def test_models(width: int) -> None:
    names = ("colorizer", "horse2zebra-critic", "zebra2horse")
    assert_fits(shown(width, "models"), width, *names, "Apache-2.0")


@WIDTHS
def test_a_card(width: int, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / f"{NAME}.onnx", tiny_model(0, 0), name=NAME, notes="words " * 60)
    assert_fits(shown(width, "models", "show", "colorizer"), width)
    assert_fits(shown(width, "models", "show", model), width, NAME)


@WIDTHS
def test_runs(width: int, tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"recipe": "cyclegan", "config": {"steps": 2000}}))
    scalars = {f"loss_of_{name}": 1.2345 for name in ("generator", "discriminator_a", "discriminator_b", "cycle")}
    (folder / "stats.jsonl").write_text(json.dumps({"step": 12, "seconds": 90, **scalars}) + "\n")
    found = {"name": "mode collapse", "sentence": "samples are all alike: take wgan-gp, or a lower rate " * 3}
    (folder / "health.jsonl").write_text(json.dumps({"step": 12, "findings": [found]}) + "\n")
    assert_fits(shown(width, "runs", "--folder", tmp_path), width, NAME, "mode collapse")
    assert_fits(shown(width, "runs", "show", folder), width, "mode collapse")


@WIDTHS
def test_evaluate(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    row = {f"figure_{number}": 0.123456 for number in range(9)}
    figures = {
        "measured_on": "1000 photos of " + "photos-val.tar, " * 8,
        "means": {"photos": 1000, "psnr": 20.5},
        "sets": [{"set": NAME, **row}, {"set": "all", **row}],
    }
    assert_fits(table(figures), width, NAME, "figure_8")


@WIDTHS
def test_data_check(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    findings = {"duplicates": [DataFinding(f"{NAME}.jpg", "of another")], "grey": [DataFinding("a.jpg", "")]}
    report = DataReport(
        images=1234,
        bytes=10**9,
        groups={},
        smallest=(10, 10),
        median=(1000, 1000),
        largest=(10000, 10000),
        findings=findings,
    )
    assert_fits(as_text(report), width, f"{NAME}.jpg", "delete all but one")


@WIDTHS
@pytest.mark.parametrize("count", [0, 1, 14])
def test_directions(width: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    found = tuple(Direction(f"property-{number}", "", (1.0,), 1.0, 0.5, 0.0, 1.0) for number in range(count))
    fit = Fit(found, ((0.5,) * count,) * count, {"hue": "all pictures are grey, " * 6})
    told = Directions("digits", "abc", 0, 100, fit, ("a note of some length, " * 6,)).table()
    assert_fits(told, width, *(each.name for each in found), "hue")
    assert ("no direction was found" in told) == (count == 0)
