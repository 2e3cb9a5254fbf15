"""The notebook of the first GAN runs from top to bottom, with few steps."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import CHECKOUT
from PIL import Image

NOTEBOOK = CHECKOUT / "docs" / "tutorials" / "first_gan.ipynb"


def cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def command(line: str, names: dict[str, Any]) -> None:
    """A line that begins with !, with the values of names in braces, as Jupyter runs it."""
    line = line.removeprefix("!").format(**names)
    assert line.startswith("img2img ")
    program = [sys.executable, str(CHECKOUT / "main.py"), *line.split()[1:]]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}: {done.stderr}"


def run(cell: str, names: dict[str, Any]) -> None:
    code = ""
    for line in cell.splitlines():
        if line.startswith("!"):
            command(line, names)
        else:
            code += line + "\n"
    exec(code, names)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a notebook shows Image.open(...), and closes nothing
@pytest.mark.timeout(900)  # five programs one after the other: on busy cores minutes
def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    first, *rest = cells()
    few, count = re.subn(r"^STEPS = \d+", "STEPS = 20", first, flags=re.MULTILINE)
    assert count == 1
    names: dict[str, Any] = {}
    for cell in (few, *rest):
        run(cell, names)
    assert Path.cwd().parent == tmp_path
    assert {"digits.png", "walk.gif", "table.png", "broken.png"} <= {path.name for path in Path().iterdir()}
    with Image.open("digits.png") as digits:
        assert digits.size[0] > 8 * 32
