"""docs/how-to/serve.md: its commands and programs run, and its options are there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import CHECKOUT, Served, served
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.serving.app import ROUTES

TEXT = (CHECKOUT / "docs" / "how-to" / "serve.md").read_text(encoding="utf-8")
SAMPLES = CHECKOUT / "datasets" / "samples"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert found
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


def run(server: Served, folder: Path, program: list[str], text: str) -> str:
    """What it prints, in a folder with two photos."""
    shutil.copy(SAMPLES / "whitman-1860s.jpg", folder / "photo.jpg")
    shutil.copy(SAMPLES / "killarney-1910.jpg", folder / "another.jpg")
    text = text.replace("http://127.0.0.1:8000", server.address)
    done = subprocess.run([*program, text], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here: apt-get install curl")
@pytest.mark.parametrize("text", blocks("bash"))
def test_the_commands_run(server: Served, tmp_path: Path, text: str) -> None:
    printed = run(server, tmp_path, ["bash", "-e", "-c"], text)
    for name in re.findall(r"-o (\S+)", text):
        assert (tmp_path / name).stat().st_size > 1000
    assert ("event: end" in printed) == ("events" in text)


@pytest.mark.parametrize("text", blocks("python"))
def test_the_python_runs(server: Served, tmp_path: Path, text: str) -> None:
    run(server, tmp_path, [sys.executable, "-c"], text)
    assert (tmp_path / "coloured.jpg").is_file()


@pytest.mark.skipif(not shutil.which("node"), reason="no node here: apt-get install nodejs")
@pytest.mark.parametrize("text", blocks("js"))
def test_the_javascript_runs(server: Served, tmp_path: Path, text: str) -> None:
    run(server, tmp_path, ["node", "--input-type=module", "-e"], text)
    assert (tmp_path / "coloured.jpg").is_file()


def test_the_options_are_the_commands() -> None:
    listed = set(re.findall(r"--[a-z-]+", CliRunner().invoke(app, ["serve", "--help"]).output))
    starts = [line for language in ("sh", "ini") for block in blocks(language) for line in block.splitlines()]
    used = {word for line in starts if "img2img serve" in line for word in re.findall(r"--[a-z-]+", line)}
    (limits,) = re.findall(r"## Limits\n(.*?)\n\n[^|]", TEXT, re.DOTALL)
    used |= set(re.findall(r"--[a-z-]+", limits)) - {"---"}
    assert len(used) >= 10
    assert used <= listed


def test_the_calls_are_the_applications() -> None:
    paths = {route.path for route in ROUTES}
    named = set(re.findall(r"`(?:GET|POST) (/[^`]+)`", TEXT))
    assert named <= paths
    assert {"/api/v1/colorize", "/api/v1/jobs", "/readyz"} <= named
