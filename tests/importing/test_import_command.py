"""`img2img import`, as a person types it, and every command of docs/how-to/import.md in real processes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import peer_checkpoints as peer
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.importing.unet_layout import LEVELS, unet_layout

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docs" / "how-to" / "import.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def img2img(words: str) -> Result:
    return CliRunner().invoke(app, words.split())


@pytest.mark.slow
def test_checkpoint_translates_a_photo_with_two_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tensors = peer.resnet(1, channels=2)
    peer.saved({f"module.{name}": one for name, one in tensors.items()}, tmp_path / "latest_net_G_A.pth", legacy=True)
    photo = np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    (tmp_path / "x.onnx").write_bytes(b"an earlier one")
    imported = img2img("import latest_net_G_A.pth -o x.onnx --overwrite")
    assert (imported.exit_code, imported.stderr) == (0, "")
    first, *parities, last = imported.stdout.splitlines()
    assert first.startswith("Imported from latest_net_G_A.pth")
    assert first.endswith("as cycle_gan and CUT are trained; --result picture says otherwise.")
    assert len(parities) == 4
    assert last == "x.onnx: 0.0 MB"
    translated = img2img("translate photo.png --model x.onnx --size native --quiet")
    assert (translated.exit_code, translated.stderr) == (0, "")
    padded = np.pad(photo, ((0, -37 % 16), (0, -50 % 16), (0, 0)), mode="reflect")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None] / 127.5 - 1
    expected = (peer.resnet_forward(tensors, x, 1)[0, :, :37, :50].permute(1, 2, 0).numpy() + 1) * 127.5
    drawn = np.asarray(Image.open(tmp_path / "photo.x.png"))
    np.testing.assert_allclose(drawn, expected, atol=0.6)


def test_document_and_help_say_the_size_that_is_assumed_of_every_unet() -> None:
    shown = " ".join(CliRunner().invoke(app, ["import", "--help"], env={"COLUMNS": "200"}).stdout.split())
    assert "default 256; of a U-Net of 7, 9 or 10 levels 128 (unet_128), 512 or 1024" in shown
    said = {7: "(128 for `unet_128`", 9: "512 for 9 levels", 10: "1024 for 10)"}
    for levels in LEVELS:
        layout = unet_layout(peer.unet(levels, channels=1))
        assert layout
        assert layout.native_size == {7: 128, 9: 512, 10: 1024}.get(levels, 256)
        assert said.get(levels, "256 px") in " ".join(TEXT.split())


def test_a_refusal_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "net_G.pth").write_bytes(b"hello")
    (tmp_path / "net_D.pth").mkdir()
    for name in ("net_G.pth", "net_D.pth", "none.pth"):
        result = CliRunner().invoke(app, ["import", str(tmp_path / name), "-o", str(tmp_path / "x.onnx")])
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {tmp_path / name}: ")
        assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "x.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_commands_of_the_document_run(block: str, tmp_path: Path) -> None:
    for name in ("latest_net_G_A.pth", "latest_net_G_B.pth", "latest_net_G.pth"):
        peer.saved(peer.resnet(1, channels=2), tmp_path / name)
    peer.saved(peer.unet(7, channels=1), tmp_path / "facades_net_G.pth")
    for name in ("photo.jpg", "mask.jpg"):
        shutil.copy(CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg", tmp_path / name)
    lines = [line.split("#")[0].strip() for line in block.splitlines()]
    assert all(line.startswith("img2img ") for line in lines if line)
    script = "\n".join(line.replace("img2img", f"{sys.executable} {CHECKOUT / 'main.py'}", 1) for line in lines)
    done = subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in re.findall(r"-o (\S+)", block):
        assert (tmp_path / name).stat().st_size > 1000
    assert len(list(tmp_path.glob("*.*.jpg"))) == block.count("img2img translate")
