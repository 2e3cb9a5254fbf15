"""The commands that convert: their options are those of `convert`, the help has groups, the shell completes models."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import tiny_model as tiny
from tiny_translator import NEGATIVE, matrix_translator
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.cli.conversion_command import OTHERS
from img2img.conversion.colorize_options import ColorizeOptions
from img2img.conversion.option import Group
from img2img.conversion.options import ConversionOptions
from img2img.conversion.translate_options import TranslateOptions

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = pytest.mark.parametrize(
    ("name", "options"), [("colorize", ColorizeOptions), ("translate", TranslateOptions)]
)


@COMMANDS
def test_every_field_is_an_option_with_the_fields_default(name: str, options: type[ConversionOptions]) -> None:
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    parameters = {each.name: each for each in commands.commands[name].params}
    assert parameters.keys() - {"inputs", "output", "quiet", "dry_run"} == {each.name for each in fields(options)}
    for field in fields(options):
        assert parameters[field.name].default == field.default, field.name


@COMMANDS
def test_every_option_reaches_the_conversion(
    name: str, options: type[ConversionOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[list[str], str | None, ConversionOptions]] = []
    monkeypatch.setattr(f"img2img.cli.{name}.run_conversion", lambda *words, **_: given.append(words))
    words = "--format png --quality 9 --overwrite --first-frame --max-pixels 7 --device cpu --runtime openvino --jobs 3"
    words += (
        " --from-file l --no-recursive --report r.csv --journal j --on-error stop --watch --engine ray --address h:1"
    )
    words += " --fps 12 --model m.onnx --no-provenance --keep-times"
    colours = " --if-color copy --strength 0.5 --reference r.jpg --influence 0.5 --palette #fff,#000"
    colours += " --warmth -1 --hint 1%,2%=#fff"
    own = {
        "colorize": f"{colours} --hint 3%,4%=#f00 --hints auto",
        "translate": " --size 96 --cycle --score --min-score 0.2",
    }[name]
    assert CliRunner().invoke(app, [name, "a.jpg", "-o", "out", *(words + own).split()]).exit_code == 0
    ((inputs, output, chosen),) = given
    assert (inputs, output, type(chosen)) == (["a.jpg"], "out", options)
    assert [each.name for each in fields(options) if chosen.__dict__[each.name] == each.default] == []
    assert (chosen.quality, chosen.report, chosen.fps, chosen.recursive) == (9, Path("r.csv"), 12.0, False)


@COMMANDS
def test_help_stands_in_groups(name: str, options: type[ConversionOptions]) -> None:
    lines = CliRunner().invoke(app, [name, "--help"]).stdout.splitlines()
    titles = ["Arguments", *get_args(Group), OTHERS]
    if name == "translate":
        titles.remove("Colours")
    places = [lines.index(f"{title}:") for title in titles]
    assert places == sorted(places)
    between = dict(
        zip(titles, ("\n".join(lines[a:b]) for a, b in zip(places, [*places[1:], None], strict=True)), strict=True)
    )
    assert "--overwrite" in between["Results"]
    assert "--output" in between["Results"]
    assert name == "translate" or "--palette" in between["Colours"]
    assert "--jobs" in between["Speed"]
    assert "--journal" in between["Big batches"]
    assert "--fps" in between["Films"]
    assert "--quiet" in between["Options"]


def completed(words: str, home: Path) -> list[str]:
    """What the shell is offered for these words; asking for torch or a socket fails."""
    program = (
        "import sys, socket\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = refuse\n"
        f"sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from pathlib import Path\n"
        "from img2img.model_file import lookup\n"
        "lookup.checkpoints = lambda: Path('shelf')\n"
        "from img2img.cli.app import main\n"
        "try: main()\n"
        "finally: assert 'torch' not in sys.modules and 'onnxruntime' not in sys.modules\n"
    )
    environment = os.environ | {
        "_IMG2IMG_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "HOME": str(home),
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=home, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_the_shell_completes_models_that_the_command_can_use(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    tiny.write_tiny_model(shelf / "colours.onnx", tiny.tiny_model(0, 0))
    for name in ("a2b", "a2c", "b2a"):
        matrix_translator(shelf / f"{name}.onnx", NEGATIVE)
    (shelf / "broken.onnx").write_text("not a model")
    assert completed("img2img colorize --model ", tmp_path) == ["colours"]
    assert completed("img2img translate --model a", tmp_path) == ["a2b", "a2c"]
    assert completed("img2img colorize --over", tmp_path) == ["--overwrite"]


def test_completion_is_installed_for_bash(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    words = [sys.executable, str(CHECKOUT / "main.py"), "--install-completion", "bash"]
    done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_IMG2IMG_COMPLETE=complete_bash" in (tmp_path / ".bash_completions" / "img2img.sh").read_text()
    assert "img2img.sh" in (tmp_path / ".bashrc").read_text()
