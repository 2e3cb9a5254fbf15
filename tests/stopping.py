"""Commands whose process sends itself a signal at a moment that is sure: before a file gets its name.

A test that waits for a file and then sends the signal may be too late on a busy machine: the process has ended.
"""

import signal
from collections.abc import Sequence
from pathlib import Path

_STOPS = """
import os, pathlib, time
named, replace = [], pathlib.Path.replace
def stopping(self, target):
    if pathlib.PurePath(target).match({name!r}):
        named.append(target)
        if len(named) == {before}:
            time.sleep({seconds})
            os.kill(os.getpid(), {number})
    return replace(self, target)
pathlib.Path.replace = stopping
"""
_IMG2IMG = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r})
from img2img.cli.app import main
main()
"""


def stopping(
    command: Sequence[str], number: signal.Signals, *, before: int, name: str, seconds: float = 0
) -> list[str]:
    """The command, `python main.py ...`, `python -m img2img ...` or `python -c PROGRAM ...`, with the signal.

    It comes when the `before`-th file that matches `name` has been written, and has not got its name yet. `seconds`
    pass first, while other threads go on.
    """
    python, how, *words = command
    given = "" if how.endswith("main.py") else words.pop(0)
    program = given if how == "-c" else _IMG2IMG
    stops = _STOPS.format(name=name, before=before, seconds=seconds, number=int(number))
    return [python, "-c", stops + program, *words]
