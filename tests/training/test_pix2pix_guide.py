"""Every command of docs/how-to/pairs.md runs, one after the other, on pairs small enough for a test."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from mean_colour import mean_colour
from PIL import Image
from tiny_pairs import saved, scene
from tiny_run import TINY
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.evaluation.pairs import pair_figures, pair_quality
from img2img.model_file import read_card

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "pairs.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split(" # ")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]
SMALL = [word for setting in TINY["pix2pix"] for word in ("--set", setting)]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the guide's commands name, in the working folder."""
    for number in range(20):
        for side, other in (("edges", "photos"), ("damaged", "restored")):
            saved(tmp_path / side / f"{number}.png", 255 - scene(number))
            saved(tmp_path / other / f"{number}.png", scene(number))
        saved(tmp_path / "facades" / "train" / f"{number}.png", np.concatenate([scene(number)] * 2, 1))
    saved(tmp_path / "drawing.png", 255 - scene(99))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pair_figures, "feature_network", lambda *_: mean_colour())
    monkeypatch.setattr(pair_quality, "feature_network", lambda **_: mean_colour())
    monkeypatch.setattr(pair_figures, "Lpips", lambda *_: lambda *_: 0.5)
    return tmp_path


def run(line: str, turn: int) -> None:
    """As it stands, but that a training is tiny and has a folder of its own."""
    _, *words = shlex.split(line)
    if words[0] == "train" and "--list-settings" not in words:
        own = ["generator=residual-unet", "dropout=0"] if "result=change" in words else []
        given = [word for word in words if word in ("--set", "result=change")]
        words = [word for word in words if word not in given]
        words += [*SMALL, "--steps", "2", "--device", "cpu", *(word for one in own for word in ("--set", one)), *given]
        if turn and "--out" not in words:
            words += ["--out", f"runs/{turn}"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, f"{line}: {result.output}"


@pytest.mark.slow
@pytest.mark.usefixtures("graphs_once")
def test_commands_of_the_guide_run(folders: Path) -> None:
    assert sum(line.startswith("img2img ") for line in COMMANDS) == len(COMMANDS) == 9
    for turn, line in enumerate(COMMANDS):
        run(line, turn)
    drawn = next(path for path in folders.glob("drawing*") if path.name != "drawing.png")
    with Image.open(drawn) as picture:
        assert picture.size == (56, 48)
    card = read_card(folders / "edges2photo.onnx")
    assert card.metrics["lpips"] == 0.5
    assert card.metrics_command.startswith("img2img evaluate edges2photo --data edges --real photos --lpips-weights")
