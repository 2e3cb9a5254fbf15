"""`img2img models add` and `remove`: what they print, what every other command then knows, and a stop in between."""

import hashlib
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest
from conftest import DrawPhoto, StartProcess
from file_server import served_file
from tiny_critic import scored_pair
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import NEGATIVE, matrix_translator
from typer.testing import CliRunner, Result
from waiting import wait_for

from img2img import Colorizer, convert, load
from img2img.cli.app import app
from img2img.cli.conversion_command import _models_for
from img2img.cli.models.remove import _added_names
from img2img.serving.model_cards import model_cards, model_names

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "how-to" / "models.md").read_text(encoding="utf-8")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


@pytest.fixture
def snow(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "snow.onnx", tiny_model(0.2, 0.4), name="snow", notes="x" * 400_000)


def img2img(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def models(*words: object) -> Result:
    return img2img("models", *words)


def test_what_came_is_said_with_its_sha256_and_what_is_next(home: Path, snow: Path) -> None:
    result = models("add", snow, "--name", "winter")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"winter: added, {home / 'winter'}",
        f"  winter.onnx, 0.4 MB, from {snow}",
        f"  sha256 {hashlib.sha256(snow.read_bytes()).hexdigest()}",
        "next: img2img colorize PHOTO --model winter",
    ]
    again = models("add", snow, "--name", "winter")
    assert again.exit_code == 1
    assert "--overwrite replaces it" in again.stderr
    assert models("add", snow, "--name", "a/b").exit_code == 2


def test_list_says_where_added_models_lie(home: Path, snow: Path) -> None:
    before = models().stdout
    models("add", snow)
    listed = models()
    assert listed.exit_code == 0
    assert re.search(r"^snow +colorize", listed.stdout, re.MULTILINE)
    assert listed.stdout.splitlines()[-1] == f"snow: added, {home / 'snow' / 'snow.onnx'}"
    assert "added" not in before
    assert "snow" not in models("--markdown").stdout, "the page is of those that ship"
    removed = models("remove", "snow", "--yes")
    assert removed.stdout == f"removed {home / 'snow' / 'snow.onnx'}\n"
    assert models().stdout == before


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input passes for one."""
    monkeypatch.setattr(sys.modules[_added_names.__module__], "_is_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_removing_shows_the_files_and_asks(home: Path, snow: Path) -> None:
    models("add", snow)
    models("add", snow, "--name", "winter")
    files = [home / name / f"{name}.onnx" for name in ("snow", "winter")]
    words = ["models", "remove", "snow", "winter", "snow"]
    refused = CliRunner().invoke(app, words, input="n\n")
    assert refused.exit_code == 1
    assert refused.stdout.startswith(f"{files[0]}\n{files[1]}\nDelete these 2 files? [y/N]: ")
    assert refused.stdout.endswith("nothing was removed\n")
    assert CliRunner().invoke(app, words, input="").exit_code == 130
    assert all(path.is_file() for path in files)
    done = CliRunner().invoke(app, words, input="y\n")
    assert (done.exit_code, list(home.glob("*/*.onnx"))) == (0, [])
    assert done.stdout.endswith(f"removed {files[0]}\nremoved {files[1]}\n")


def test_nothing_is_removed_where_nobody_can_be_asked(home: Path, snow: Path) -> None:
    models("add", snow)
    result = models("remove", "snow")
    assert result.exit_code == 2
    assert "there is no terminal to ask on: add --yes" in result.stderr
    assert models("show", "snow").exit_code == 0


def test_nothing_is_removed_beside_a_name_that_is_none(home: Path, snow: Path) -> None:
    models("add", snow)
    assert models("remove", "snow", "colorizer", "--yes").exit_code == 1
    assert (home / "snow" / "snow.onnx").is_file()


def test_shipped_and_unknown_names_are_not_removed(home: Path, snow: Path) -> None:
    models("add", snow)
    for name, words in (("colorizer", "ships with img2img, and stays"), ("gone", "there are: snow")):
        result = models("remove", name, "--yes")
        assert result.exit_code == 1
        assert words in result.stderr
    assert models("show", "snow").exit_code == 0


def test_damaged_added_model_is_named_and_the_others_are_listed(home: Path, snow: Path) -> None:
    models("add", snow)
    (home / "snow" / "snow.onnx").write_bytes(snow.read_bytes()[:100])
    result = models()
    assert result.exit_code == 1
    assert re.search("^snow +cannot be used", result.stdout, re.MULTILINE)
    assert "colorizer" in result.stdout
    assert "Error: " in result.stderr
    assert models("remove", "snow", "--yes").exit_code == 0
    assert models().exit_code == 0


def test_card_of_a_stranger_does_not_steer_the_terminal(home: Path, tmp_path: Path) -> None:
    said = "\x1b[2J\x1b]0;mine\x07 photos\r\x9b"
    model = write_tiny_model(tmp_path / "a.onnx", tiny_model(0, 0), name="a", data=said, metrics={said: said})
    models("add", model)
    for result, word in ((models(), "colorize"), (models("show", "a"), "photos")):
        assert result.exit_code == 0
        assert word in result.stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout)


def test_every_way_to_a_model_knows_the_name(
    home: Path, snow: Path, tmp_path: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    models("add", snow)
    photo = draw_photo(tmp_path / "photo.jpg")
    assert img2img("colorize", photo, "--model", "snow", "-o", tmp_path / "out.jpg").exit_code == 0
    assert isinstance(load("snow", device="cpu", threads=1), Colorizer)
    (outcome,) = convert(photo, tmp_path / "again.jpg", model="snow")
    assert outcome.status == "done"
    assert _models_for("colorize")("sn") == ["snow"]
    assert _added_names("s") == ["snow"]
    model_cards.cache_clear()
    try:
        assert "snow" in model_names("colorize")
    finally:
        model_cards.cache_clear()
    assert "Available models: colorizer, digits" in (stderr := models("show", "nothing").stderr)
    assert stderr.rstrip().endswith(", snow")


def test_added_translator_goes_there_and_back_and_scores(
    home: Path, tmp_path: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pair").mkdir()
    monkeypatch.chdir(tmp_path)
    added = models("add", scored_pair(tmp_path / "pair"), "--name", "winter")
    assert added.stdout.splitlines()[-1] == "next: img2img translate PHOTO --model winter"
    photo = draw_photo(tmp_path / "photo.jpg", mode="RGB")
    result = img2img("translate", photo, "--model", "winter", "--cycle", "--score")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "photo.winter.cycle.jpg").is_file()
    (tmp_path / "pair" / "critic.onnx").unlink()
    lacking = models("add", tmp_path / "pair" / "a2b.onnx")
    assert lacking.exit_code == 0
    assert lacking.stderr == "a2b: its critic, critic, is missing, so --score will not work: add it too\n"
    refused = img2img("translate", photo, "--model", "a2b", "--score")
    assert "or `img2img models add` it" in refused.stderr


def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on(
    home: Path, snow: Path, start_process: StartProcess
) -> None:
    """The answer stops at 280,000 bytes and the connection stays open: the command waits when the signal comes."""
    with served_file("/snow.onnx", snow.read_bytes()) as site:
        released = site.stall(280_000)
        source = f"{site.url()}#sha256={hashlib.sha256(site.content).hexdigest()}"
        process = start_process([sys.executable, str(CHECKOUT / "main.py"), "models", "add", source])
        wait_for(lambda: any(part.stat().st_size for part in home.glob(".parts/*.part")))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        released.set()
        assert process.returncode == 130
        assert "stopped; 0.3 MB are kept: the same command goes on from there" in said
        assert [path.name for path in home.iterdir() if not path.name.startswith(".")] == []
        assert models("add", source).exit_code == 0
        assert re.fullmatch(r"bytes=2\d{5}-", site.asked[-1] or "")
        assert not list(home.glob(".parts/*"))


def test_nothing_but_adding_an_address_needs_a_network(
    home: Path, snow: Path, tmp_path: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    photo = draw_photo(tmp_path / "photo.jpg")
    for words in (
        ["models", "add", snow],
        ["models"],
        ["models", "show", "snow"],
        ["colorize", photo, "--model", "snow"],
        ["models", "remove", "snow", "--yes"],
    ):
        assert img2img(*words).exit_code == 0


def test_documents_commands_run(
    home: Path, tmp_path: Path, draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    lines = [shlex.split(re.sub(r"\s#.*", "", line)) for block in blocks for line in block.splitlines()]
    assert len(lines) == 9
    snow = matrix_translator(tmp_path / "snow.onnx", NEGATIVE).read_bytes()
    draw_photo(tmp_path / "photo.jpg", mode="RGB")
    monkeypatch.chdir(tmp_path)
    with served_file("/snow.onnx", snow) as site:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{site.port}")
        hub = "/OWNER/NAME/resolve"
        site.others = dict.fromkeys(
            (f"{hub}/{COMMIT}/snow.onnx", f"{hub}/main/snow.onnx", f"{hub}/main/model.onnx"), snow
        )
        stand_ins = {
            "https://example.org/": site.url(""),
            "SHA256": hashlib.sha256(snow).hexdigest(),
            "COMMIT": COMMIT,
        }
        for program, *words in lines:
            for said, meant in stand_ins.items():
                words = [word.replace(said, meant) for word in words]
            result = img2img(*words)
            assert (program, result.exit_code) == ("img2img", 0), f"{words}: {result.output}"
            if words[:2] == ["models", "add"] and words[2] != "snow.onnx":
                assert models("remove", "snow", "--yes").exit_code == 0
