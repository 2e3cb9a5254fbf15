"""Every command of every document has words that the command line takes, and runs."""

import os
import re
import shlex
import tarfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from documents import CHECKOUT, DOCUMENTS, NOT_HERE, Typist, commands, lines, short
from film_clips import greys, write_film
from PIL import Image
from tiny_pairs import beside, saved, scene
from tiny_translator import NEGATIVE, matrix_translator
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app

ELSEWHERE = {
    "how-to/import.md": "importing/test_import_command.py",
    "how-to/models.md": "cli/test_models_add_cli.py",
    "how-to/pairs.md": "training/test_pix2pix_guide.py",
    "how-to/serve.md": "serving/test_serve_doc.py",
}
"""Documents whose commands have a test of their own, which runs them."""
TYPED = [document for document in DOCUMENTS if lines(document)]
RUN_HERE = [document for document in TYPED if not any(document.as_posix().endswith(name) for name in ELSEWHERE)]
ALL_COMMANDS = sorted({line for document in TYPED for line in commands(document)})


def test_documents_of_all_kinds_have_commands() -> None:
    kinds = {document.parent.name for document in TYPED}
    assert kinds >= {"tutorials", "how-to", "explanation"}
    assert len(ALL_COMMANDS) > 80
    assert all((CHECKOUT / "tests" / test).is_file() for test in ELSEWHERE.values())


@cache
def whole_command() -> Any:
    """The application put together once, not for each of a hundred lines."""
    return get_command(app)


@pytest.mark.parametrize("line", ALL_COMMANDS)
def test_command_has_words_that_the_command_line_takes(line: str) -> None:
    words = shlex.split(line)[1:]
    if words[-1] == "--list-settings":  # answered while the line is read
        assert CliRunner().invoke(app, words).exit_code == 0
        return
    command: Any = whole_command()
    context = command.make_context("img2img", words)
    while hasattr(command, "commands"):
        words = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        if not words:
            return
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typist:
    """A folder that has all that the documents speak of, small."""
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "home"))
    (tmp_path / "datasets").mkdir()
    for name in ("samples", "drawn"):
        (tmp_path / "datasets" / name).symlink_to(CHECKOUT / "datasets" / name)
    (tmp_path / "docs").symlink_to(CHECKOUT / "docs")
    photos(tmp_path)
    sets(tmp_path)
    films(tmp_path)
    for name in ("summer2winter", "edges2photo", "a2b"):
        matrix_translator(tmp_path / f"{name}.onnx", NEGATIVE)
    return Typist(tmp_path, monkeypatch)


def grey(pixels: np.ndarray) -> np.ndarray:
    """In three equal channels."""
    return np.repeat(pixels[..., 1:2], 3, axis=2)


def photos(folder: Path) -> None:
    saved(folder / "photo.jpg", grey(scene(0, 400, 300)))
    for name in ("other.jpg", "horse.jpg", "grey.jpg", "drawing.png", "autumn.jpg"):
        saved(folder / name, scene(len(name)))
    for name in ("album/a.jpg", "scans/a.jpg", "inbox/b.jpg", "mnt/scans/1905/box/a.tif", "home/Pictures/scans/a.jpg"):
        saved(folder / name, grey(scene(len(name))))
    with (
        tarfile.open(folder / "donation.tar.gz", "w:gz") as tar,
        zipfile.ZipFile(folder / "donation.zip", "w") as packed,
    ):
        tar.add(folder / "photo.jpg", "a.jpg")
        packed.write(folder / "photo.jpg", "a.jpg")
    (folder / "last-run").touch()
    os.utime(folder / "last-run", (0, 0))


def sets(folder: Path) -> None:
    names = ("summer", "winter", "striped", "my-photos", "held-out", "edges", "photos", "landscapes")
    for number in range(12):
        for place in (
            *names,
            "my-sets/trainA",
            "my-sets/trainB",
            "datasets/horse2zebra/trainA",
            "datasets/horse2zebra/trainB",
            "datasets/maps/trainA",
            "datasets/maps/trainB",
            "datasets/maps/testA",
            "datasets/maps/testB",
        ):
            saved(folder / place / f"{number}.png", scene(100 * number + len(place)))
        saved(folder / "facades" / f"{number}.png", beside(scene(number), scene(number)))
    for name in ("more.tar", "zebras.tar"):
        with tarfile.open(folder / name, "w") as tar:
            tar.add(folder / "my-photos" / "1.png", "1.png")


def films(folder: Path) -> None:
    for name in ("film.mp4", "reel1.avi", "reel2.mov", "field.mp4"):
        write_film(folder / name, greys(3))
    for number in (1, 2):
        saved(folder / "scan" / f"frame_{number:05}.png", scene(number))
    frames = [Image.fromarray(scene(number)) for number in (1, 2)]
    frames[0].save(folder / "dance.gif", save_all=True, append_images=frames[1:])


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a document is up to thirty commands
@pytest.mark.usefixtures("graphs_once")
@pytest.mark.parametrize("document", RUN_HERE, ids=lambda path: path.stem)
def test_commands_of_the_document_run(document: Path, desk: Typist) -> None:
    turns: dict[str, int] = {}
    for line in lines(document):
        if not any(word in line for word in NOT_HERE):
            recipe = " ".join(line.split()[:3])
            desk.type(short(line, turns.get(recipe, 0)))
            turns[recipe] = turns.get(recipe, 0) + 1


@pytest.mark.parametrize("name", ["README.md", "docs/how-to/steer.md"])
def test_python_of_the_document_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "datasets").symlink_to(CHECKOUT / "datasets")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", (CHECKOUT / name).read_text(encoding="utf-8"), re.DOTALL):
        exec(code, names)
    assert names["coloured"].mode == "RGB"
