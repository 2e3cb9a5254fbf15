"""One look for every bar of progress on a terminal: photos, frames, bytes, training steps."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


TELLING_PAUSE = 10.0
"""Seconds between two lines of a notebook on how far a command has come."""


def takes_bars() -> bool:
    """Whether standard error is a terminal on which lines can be drawn again.

    A notebook runs `!img2img ...` on one that is shown line after line: a bar would be there hundreds of times.
    """
    return sys.stderr.isatty() and not takes_lines()


def takes_lines() -> bool:
    """Whether standard error is a notebook's, in which a command that says nothing for minutes seems to hang."""
    return "JPY_PARENT_PID" in os.environ  # which Jupyter sets for its kernels


def counted_lines(doing: str, unit: str) -> Callable[[int, int], None]:
    """For a notebook: tell it of the units that are done, and of how many, and it says so from time to time."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= TELLING_PAUSE:
            last = now
            print(f"{doing}: {done:,} of {total:,} {unit}", file=sys.stderr, flush=True)

    return tell


def progress_bar(name: str = "", *, unit: str = "") -> Progress:
    """A bar on stderr that goes away at its end: add one task to it, with a `note=` (Rich's markup) to stand last.

    `name` stands first. `unit` is what the speed is shown in, as in "photos"; "bytes" makes the counts sizes.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f} {unit}/s" if task.speed else "")

    columns: list[ProgressColumn] = [TextColumn(escape(name))] if name else []
    columns += [BarColumn(), DownloadColumn() if unit == "bytes" else MofNCompleteColumn()]
    if unit:
        columns.append(TransferSpeedColumn() if unit == "bytes" else Speed())
    columns += [TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
    return Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True)


@contextmanager
def transfer_bar() -> Iterator[Callable[[int, int | None], None]]:
    """Bytes, rate and time left on a terminal, nothing elsewhere: tell it of the bytes that are here, and of all."""
    if not takes_bars():
        yield lambda here, total: None
        return
    with progress_bar(unit="bytes") as bar:
        task = bar.add_task("", total=None, note="")
        yield lambda here, total: bar.update(task, completed=here, total=total)


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Tell it what is being done: a line on a terminal that goes away at its end, lines in a notebook, else nothing."""
    if not takes_bars():
        yield _say if takes_lines() else lambda doing: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("starting") as status:
        yield lambda doing: status.update(escape(doing))


def _say(doing: str) -> None:
    print(f"{doing} ...", file=sys.stderr, flush=True)
