"""Charts are drawn wherever img2img is called, with what is installed for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("settings", [{}, {"MPLCONFIGDIR": "fonts"}])
def test_backend_of_a_notebook_elsewhere_is_not_needed(settings: dict[str, str], tmp_path: Path) -> None:
    program = (
        "from img2img.plotting import private_matplotlib\n"
        "with private_matplotlib():\n"
        "    from matplotlib.figure import Figure\n"
        "    Figure().savefig('empty.png')\n"
    )
    there = {"PYTHONPATH": str(Path(__file__).resolve().parents[1]), "MPLBACKEND": "module://of_another_venv.inline"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | there | settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "empty.png").stat().st_size > 0
