"""benchmarks/serve.py runs and prints its table."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_table_has_a_row_for_each_number_of_clients() -> None:
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(BENCHMARKS / "serve.py"), "--photos", "8", "--runs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]
    assert len(lines) == 2 + 2 * 3 + 2
    assert all(len(cells) == 5 for cells in lines)
    assert [cells[0].split(":")[0] for cells in lines[2:8:2]] == ["1 client", "8 clients", "32 clients"]
