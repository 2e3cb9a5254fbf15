"""The model that goes back from an imported one: named on the card, checked where it is there."""

from dataclasses import replace
from pathlib import Path

import peer_checkpoints as peer
import pytest
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import IMAGE, NEGATIVE, matrix_translator
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import ModelError, SettingError
from img2img.importing.import_model import import_model
from img2img.importing.way_back import way_back
from img2img.inference.translator import Translator
from img2img.model_file import lookup


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no models at hand."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shelf").mkdir()
    monkeypatch.setattr(lookup, "checkpoints", lambda: tmp_path / "shelf")


@pytest.mark.parametrize(
    ("target", "reverse", "name"),
    [
        ("a2b.onnx", "b2a.onnx", "b2a"),
        ("a2b.onnx", "b2a", "b2a"),
        ("models/a2b.onnx", "models/b2a.onnx", "b2a"),
        ("models/a2b.onnx", "b2a", "b2a"),
        ("a2b.onnx", "./b2a.onnx", "b2a"),
        ("a2b.onnx", "b2a.v2", "b2a.v2"),
    ],
)
def test_file_or_name_of_what_is_not_there_yet_is_taken_as_its_name(target: str, reverse: str, name: str) -> None:
    back = way_back(Path(target), reverse)
    assert (back.name, back.beside, back.file) == (name, Path(target).with_name(f"{name}.onnx"), None)


@pytest.mark.parametrize("reverse", ["b2a.onnx", "elsewhere/b2a.onnx", "elsewhere/b2a", "../b2a.onnx", "", "."])
def test_file_elsewhere_would_never_be_found(reverse: str) -> None:
    with pytest.raises(SettingError, match=r"give a model's name, or an \.onnx file beside models/a2b\.onnx"):
        way_back(Path("models/a2b.onnx"), reverse)


@pytest.mark.parametrize("reverse", ["a2b", "a2b.onnx", "./a2b.onnx"])
def test_model_is_not_its_own_way_back(reverse: str) -> None:
    with pytest.raises(SettingError, match="is the name of the model itself"):
        way_back(Path("a2b.onnx"), reverse)


def test_translator_beside_or_at_hand_is_found() -> None:
    matrix_translator(Path("shelf/b2a.onnx"), NEGATIVE)
    assert way_back(Path("a2b.onnx"), "b2a").file == Path.cwd() / "shelf" / "b2a.onnx"
    matrix_translator(Path("b2a.onnx"), NEGATIVE)
    assert way_back(Path("a2b.onnx"), "b2a").file == Path("b2a.onnx")


def test_what_is_there_must_be_a_translator_of_such_pictures() -> None:
    write_tiny_model(Path("colorizer.onnx"), tiny_model(0, 0))
    with pytest.raises(SettingError, match=r"--reverse colorizer: colorizer\.onnx is a model for 'colorize'"):
        way_back(Path("a2b.onnx"), "colorizer")
    matrix_translator(Path("b2a.onnx"), NEGATIVE, inputs=(replace(IMAGE, unit="sRGB / 255"),))
    with pytest.raises(SettingError, match=r"b2a\.onnx takes image .*, sRGB / 255; what this model draws is sRGB / 12"):
        way_back(Path("a2b.onnx"), "b2a.onnx")
    Path("b2a.onnx").write_bytes(b"hello")
    with pytest.raises(ModelError, match=r"b2a\.onnx: "):
        way_back(Path("a2b.onnx"), "b2a.onnx")


@pytest.mark.slow
def test_imported_pair_goes_there_and_back() -> None:
    checkpoint = peer.saved(peer.resnet(1, channels=2), Path("latest_net_G_A.pth"))
    words = ["import", str(checkpoint), "-o", "a2b.onnx", "--reverse", "b2a.onnx"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.stderr
    assert first.stdout.splitlines()[-1].startswith("b2a.onnx: not there yet; translate --cycle needs it")
    second = import_model(checkpoint, Path("b2a.onnx"), reverse="a2b.onnx")
    assert (second.card.reverse, second.awaited) == ("a2b", None)
    assert Translator("a2b.onnx").reverse().reverse().card.name == "a2b"
