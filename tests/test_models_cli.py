"""`img2img models`: what is at hand, and the cards, without loading anything heavy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_model import CARD, tiny_model, write_tiny_model
from typer.testing import CliRunner

from img2img import model_file
from img2img.cli.app import app

RUNNER = CliRunner()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(model_file, "checkpoints", lambda: tmp_path)
    metrics = {"psnr": 23.456789, "curve": {"0.38": 22.1}}
    write_tiny_model(tmp_path / "colorizer.onnx", tiny_model(0, 0), metrics=metrics, parameters=4_567_890)
    return tmp_path


def test_list_tells_of_each_model(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 0
    for word in ("colorizer", "colorize", "MB", "4.6 M parameters", CARD.data, "psnr 23.46", "Apache-2.0"):
        assert word in result.stdout
    assert "curve" not in result.stdout


def test_list_of_no_models_says_how_to_make_one(shelf: Path) -> None:
    (shelf / "colorizer.onnx").unlink()
    assert "img2img train" in RUNNER.invoke(app, ["models"]).stdout


def test_show_prints_the_card(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models", "show", "colorizer"])
    assert result.exit_code == 0
    for word in (
        "L (1, 1, h, w), L / 50 - 1, -1 to 1",
        "about 256 x 256 px",
        "7 steps",
        "curve {'0.38': 22.1}",
    ):
        assert word in result.stdout
    assert "way back" not in result.stdout


def test_show_takes_a_file_and_prints_json(shelf: Path) -> None:
    path = write_tiny_model(shelf / "other.onnx", tiny_model(0, 0), notes="[red]kept[/red]", native_size=384)
    card = json.loads(RUNNER.invoke(app, ["models", "show", str(path), "--json"]).stdout)
    assert card["native_size"] == 384
    assert card["data"] == CARD.data
    assert "[red]kept[/red]" in RUNNER.invoke(app, ["models", "show", str(path)]).stdout


def test_unknown_model_exits_1_with_the_names_at_hand(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models", "show", "nothing"])
    assert result.exit_code == 1
    assert "Models at hand: colorizer" in result.stderr


def test_models_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from img2img.cli.app import app\n"
        "assert CliRunner().invoke(app, ['models']).exit_code == 0\n"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
