"""`img2img suggest`: the likeliest colours at a place, in a terminal's colours, as text and as JSON."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from img2img import Colorizer
from img2img.cli.app import app
from img2img.steering.colors import parse_color

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steered_model: Path, tiny_model: Path) -> None:
    """half.png is dark at its left and light at its right, where the model is surer of orange."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(steered_model, "steered.onnx")
    shutil.copy(tiny_model, "plain.onnx")
    half = Image.new("L", (128, 64), 60)
    half.paste(180, (64, 0, 128, 64))
    half.save("half.png")


def suggest(*words: str, model: str = "steered.onnx") -> Result:
    return CliRunner().invoke(app, ["suggest", "half.png", *words, "--model", model])


def as_json(*words: str) -> list[tuple[str, float]]:
    result = suggest(*words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return [(row["color"], row["probability"]) for row in json.loads(result.stdout)]


def test_the_likeliest_comes_first_and_they_are_those_of_the_place() -> None:
    left, right = as_json("25%,50%"), as_json("75%,50%")
    for rows in (left, right):
        shares = [share for _, share in rows]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.001
        assert len({code for code, _ in rows}) == len(rows)
    assert right[0][1] > left[0][1]
    assert as_json("96,32") == right
    assert len(as_json("75%,50%", "--count", "2")) == 2


def test_what_is_asked_for_counts() -> None:
    Image.new("RGB", (32, 32), (40, 60, 160)).save("blue.png")
    plain = as_json("60%,50%", "--count", "1")
    for words in (["--palette", "#283ca0"], ["--reference", "blue.png"], ["--warmth", "-1"]):
        (first,) = as_json("60%,50%", "--count", "1", *words)
        assert first != plain[0], words


def test_python_says_the_same() -> None:
    with Image.open("half.png") as image:
        suggested = Colorizer("steered.onnx").suggest(np.asarray(image), 0.75, 0.5)
    shown = as_json("75%,50%")
    assert [round(each.probability, 4) for each in suggested] == [share for _, share in shown]


def test_without_a_terminal_it_is_text() -> None:
    result = suggest("75%,50%")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == [code for code, _ in as_json("75%,50%")]
    assert all(line[1].endswith("%") for line in lines)
    assert "\x1b" not in result.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize("colours", [{"COLORTERM": "truecolor"}, {"COLORTERM": "truecolor", "NO_COLOR": "1"}])
def test_a_terminal_shows_swatches_unless_no_colour_is_wanted(colours: dict[str, str]) -> None:
    import pty

    ours, theirs = pty.openpty()
    words = [sys.executable, str(CHECKOUT / "main.py"), "suggest", "half.png", "75%,50%", "--model", "steered.onnx"]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run(words, stdout=theirs, env=environment | {"TERM": "xterm"} | colours, timeout=120, check=True)
    os.close(theirs)
    shown = os.read(ours, 2**16).decode()
    os.close(ours)
    assert done.returncode == 0
    for code, _ in as_json("75%,50%"):
        red, green, blue = parse_color(code)
        assert code in shown
        assert (f"48;2;{red};{green};{blue}m" in shown) == ("NO_COLOR" not in colours)


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (["75%"], 2, "75%"),
        (["500,3"], 2, "500"),
        (["75%,50%", "--influence", "0.5"], 2, "--influence works only with a --reference or --palette"),
        (["75%,50%", "--reference", "gone.jpg"], 1, "gone.jpg: "),
        (["75%,50%", "--count", "0"], 2, "--count"),
    ],
)
def test_what_cannot_be_is_told(words: list[str], exit_code: int, says: str) -> None:
    result = suggest(*words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert says in result.stderr


def test_a_photo_or_model_that_cannot_be_used_is_told() -> None:
    result = suggest("75%,50%", model="plain.onnx")
    assert result.exit_code == 1
    assert "plain.onnx: this model cannot be steered" in result.stderr
    result = CliRunner().invoke(app, ["suggest", "gone.png", "75%,50%", "--model", "steered.onnx"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: gone.png: ")
