"""What benchmarks of whole processes share: running one, and a table of what came of it.

This module imports nothing heavy: a child's peak memory begins at its parent's.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN, PLAIN = ROOT / "main.py", ROOT / "benchmarks" / "sides" / "pytorch_way.py"
TITLE = ("what", "must reach", "img2img", "PyTorch + Kornia", "ratio")


@dataclass(frozen=True)
class Run:
    """One whole process: wall seconds, peak MiB, what it printed, and seconds of processor time."""

    seconds: float
    memory: float
    printed: str
    processor: float


def run(script: Path, *arguments: object) -> Run:
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
    }  # as installed: compiled once
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... failed with exit code {child.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(seconds, usage.ru_maxrss / unit, printed, usage.ru_utime + usage.ru_stime)


def row(what: str, target: str, unit: str, ours: float, theirs: float | None = None) -> tuple[str, ...]:
    """A line of the table."""
    if theirs is None:
        return what, target, unit.format(ours), "", ""
    better = ours / theirs if unit.endswith("/s") else theirs / ours
    return what, target, unit.format(ours), unit.format(theirs), f"{better:.1f} x"


def print_table(rows: Sequence[tuple[str, ...]], title: Sequence[str] = TITLE) -> None:
    for cells in (title, ("---",) * len(title), *rows):
        print(f"| {' | '.join(cells)} |", flush=True)
