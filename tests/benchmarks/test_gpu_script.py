"""The script for a machine with a GPU, with a Python that only says what it was called with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu.sh"


@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
def test_both_tables_of_steps_are_left_in_the_folder_even_where_one_fails(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n[ "$1" != benchmarks/train_step.py ]\n')
    python.chmod(0o755)
    given = {"TRAIN_STEP": "--recipes dcgan --set batch_size=2", "CYCLEGAN_STEP": "--batches 1", "DEVICE": "cpu"}
    environment = {**os.environ, "PYTHON": str(python), "OUT": str(tmp_path / "out"), **given}
    subprocess.run([str(SCRIPT), "steps"], env=environment, check=True, capture_output=True)
    tables = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert tables == {
        "train_step.md": "benchmarks/train_step.py --recipes dcgan --set batch_size=2 --device cpu\n",
        "cyclegan_step.md": "benchmarks/cyclegan_step.py --batches 1 --device cpu\n",
    }
