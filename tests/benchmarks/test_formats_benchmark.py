"""benchmarks/formats.py runs, and prints a row for each format."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_table_has_a_row_for_each_format_and_size() -> None:
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    words = ["png", "png16", "tiff", "--photos", "8", "--large", "0", "--runs", "1"]
    command = [sys.executable, str(BENCHMARKS / "formats.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    of_formats, beside_bare = map(rows, re.split(r"^(?=\| format )", done.stdout, flags=re.MULTILINE)[1:])
    assert [cells[0] for cells in of_formats] == ["png", "png16", "tiff"]
    assert [cells[0] for cells in beside_bare] == ["png"]
    sizes = [float(cells[-1]) for cells in of_formats]
    assert sizes[1] > sizes[0] > 0  # 16 bits, mostly noise below 8, take more


def rows(table: str) -> list[list[str]]:
    """The cells of each row below the titles."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
