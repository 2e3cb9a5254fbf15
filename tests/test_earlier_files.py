"""Files that an earlier version wrote (before the package had rooms) still open, and go on: a run, a journal, a model.

`earlier_files/` was made by commit 725287d. `run`: `img2img train dcgan --data digits --steps 6 --seed 3` with tiny
networks, at step 4; `run-ended.pt` is its state at step 6. `coloured`: `img2img colorize photos -o coloured --model
tiny.onnx`.
"""

import os
import shutil
import sqlite3
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.model_file import read_card
from img2img.recipes import recipe_class
from img2img.training.request import TrainingRequest
from img2img.training.start import start

EARLIER = Path(__file__).parent / "earlier_files"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, the working folder, with the times that the journal knows, which git does not keep."""
    shutil.copytree(EARLIER, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    connection = sqlite3.connect("coloured/.img2img-journal.sqlite")
    for source, changed, target, made in connection.execute("SELECT source, mtime, target, made_mtime FROM photos"):
        os.utime(source.decode(), ns=(changed, changed))
        os.utime(Path("coloured", target.decode()), ns=(made, made))
    connection.close()
    return tmp_path


def colorize(*more: str) -> Result:
    return CliRunner().invoke(app, ["colorize", "photos", "-o", "coloured", "--model", "tiny.onnx", *more])


def test_run_of_an_earlier_version_ends_as_it_would_have_there(here: Path) -> None:
    trainer = start(TrainingRequest("dcgan", [], here / "run", resume=True, device="cpu"))
    assert trainer.step == 4
    trainer.train()
    there = torch.load(here / "run-ended.pt", weights_only=True)
    now = torch.load(here / "run" / "state-00000006.pt", weights_only=True)
    defaults = asdict(recipe_class("dcgan").Config())
    since_then = {name: defaults[name] for name in now["config"].keys() - there["config"].keys()}
    assert now["config"] == {**there["config"], **since_then}
    assert now["samples"] == there["samples"]
    for name, tensor in there["networks"].items():
        torch.testing.assert_close(now["networks"][name], tensor, rtol=0, atol=1e-6)  # another processor may round


def test_batch_of_an_earlier_version_is_done_and_stays_so(here: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in Path("coloured").glob("*.png")}
    result = colorize()
    assert result.exit_code == 0, result.output
    assert "3 skipped" in result.output
    assert {path.name: path.stat().st_mtime_ns for path in Path("coloured").glob("*.png")} == before


def test_batch_of_an_earlier_version_goes_on_with_what_is_missing(here: Path) -> None:
    (here / "coloured" / "1.png").unlink()
    result = colorize("--no-provenance")  # of which that version knew nothing
    assert result.exit_code == 0, result.output
    assert "1 coloured into coloured, 0 failed, 2 skipped" in result.output
    with Image.open(here / "coloured" / "1.png") as now, Image.open(EARLIER / "coloured" / "1.png") as before:
        assert now.tobytes() == before.tobytes()


def test_model_of_an_earlier_version_opens(here: Path) -> None:
    assert read_card(here / "tiny.onnx").task == "colorize"
