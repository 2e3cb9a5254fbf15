"""What the README tells a user to type works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from film_clips import greys, write_film
from PIL import Image
from tiny_translator import NEGATIVE, matrix_translator
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text()


def commands(text):
    """The img2img commands of a document's shell blocks, what is piped into them left out."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [re.split(r"\s# ", line)[0].split(" | ")[-1].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("img2img ")]


COMMANDS = commands(README)
OF_DOCUMENTS = [
    line
    for name in ("batch", "from-cyclegan", "pix2pix", "scaling", "steer")
    for line in commands((CHECKOUT / "docs" / f"{name}.md").read_text())
]
CONVERTING = [line for line in COMMANDS if line.split()[1] in ("colorize", "suggest", "translate", "models")]
SAMPLE = CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg"


def test_readme_shows_commands_of_both_halves() -> None:
    assert {line.split()[1] for line in COMMANDS} == {
        *("colorize", "suggest", "translate", "models", "train", "export", "evaluate"),
        *("generate", "directions", "features", "import", "runs", "serve"),
    }


@pytest.mark.parametrize("line", [*COMMANDS, *OF_DOCUMENTS])
def test_command_has_words_that_the_command_line_takes(line: Any) -> None:
    words = shlex.split(line)[1:]
    if words[-1] == "--list-settings":  # answered while the line is read
        assert CliRunner().invoke(app, words).exit_code == 0
        return
    command = get_command(app)
    context = command.make_context("img2img", words)
    while hasattr(command, "commands"):
        words = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        if not words:
            return
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)


@pytest.mark.parametrize("line", [line for line in CONVERTING if "mine.onnx" not in line])
def test_readme_command_runs(line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "album").mkdir()
    for name in ("photo.jpg", "other.jpg", "grey.jpg", "album/one.jpg"):
        shutil.copy(SAMPLE, tmp_path / name)
    with tarfile.open(tmp_path / "scans.tar", "w") as archive:
        archive.add(SAMPLE, "scan.jpg")
    Image.open(SAMPLE).save(tmp_path / "drawing.png")
    for name in ("edges2photo", "summer2winter"):
        matrix_translator(tmp_path / f"{name}.onnx", NEGATIVE)
    write_film(tmp_path / "film.mp4", greys(3))
    (tmp_path / "img2img").write_text(f'#!/bin/sh\nexec {sys.executable} {CHECKOUT / "main.py"} "$@"\n')
    (tmp_path / "img2img").chmod(0o755)
    before = len(list(tmp_path.rglob("*")))
    typed(line, tmp_path, monkeypatch)
    if "colorize" in line:
        assert len(list(tmp_path.rglob("*"))) > before


def typed(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks something of the shell goes through one, to a real process; the rest is done in this process."""
    if re.search(r"[|<>*?$;&~]", line):
        environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(line, shell=True, cwd=folder, env=environment, check=True, capture_output=True)
        return
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output


def test_readme_python_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(CHECKOUT / "datasets")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(code, names)
    assert names["coloured"].mode == names["zebra"].mode == "RGB"
    assert names["horse"].size == names["zebra"].size
    assert names["outcome"].status == "done"
    assert len(list(Path("coloured").glob("*.jpg"))) == len(list(SAMPLE.parent.glob("*.jpg")))


def test_pictures_that_the_readme_shows_are_there() -> None:
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (CHECKOUT / path).is_file(), path


def test_files_that_the_readme_links_to_are_there() -> None:
    for path in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", README):
        assert (CHECKOUT / path).exists(), path
