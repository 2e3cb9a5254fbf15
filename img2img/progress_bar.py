"""How far long work is: one look for every bar on a terminal, lines in a notebook, nothing elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress


TELLING_PAUSE = 10.0
"""Seconds between two lines of a notebook on how far a command has come."""


def takes_bars() -> bool:
    """Whether standard error is a terminal on which lines can be drawn again.

    A notebook runs `!img2img ...` on one that is shown line after line: a bar would be there hundreds of times.
    """
    return sys.stderr.isatty() and not _takes_lines()


def _takes_lines() -> bool:
    """Whether standard error is a notebook's, in which a command that says nothing for minutes seems to hang."""
    return "JPY_PARENT_PID" in os.environ  # which Jupyter sets for its kernels


class ProgressCounter(Protocol):
    """Told of what is done by now, and of how much there is, if that is known; `note` is for a bar alone."""

    def __call__(self, done: int, total: int | None, note: str = ...) -> None: ...


@contextmanager
def counted_progress(
    doing: str = "", *, name: str = "", unit: str = "", total: int | None = None, note: str = "", shown: bool = True
) -> Iterator[ProgressCounter]:
    """How far long work is: a bar on a terminal, a line every TELLING_PAUSE seconds in a notebook, nothing elsewhere.

    `name` and `unit` are as in `progress_bar`, and stand in the lines as well; without a name, `doing` begins them.
    The bar has `note` until it is told of another.
    """
    if shown and takes_bars():
        with progress_bar(name, unit=unit) as bar:
            task = bar.add_task("", total=total, note=note)

            def advance(done: int, total: int | None, note: str = note) -> None:
                # Rich leaves the first step out of the speed: what an earlier run did, says nothing about this one's.
                bar.update(task, completed=done, total=total, note=note)

            yield advance
    elif shown and _takes_lines():
        yield _counted_lines(name or doing, unit)
    else:
        yield lambda done, total, note="": None


def _counted_lines(doing: str, unit: str) -> ProgressCounter:
    last = time.monotonic()

    def advance(done: int, total: int | None, note: str = "") -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= TELLING_PAUSE:
            last = now
            print(f"{doing}: {_counts(done, total, unit)}", file=sys.stderr, flush=True)

    return advance


def _counts(done: int, total: int | None, unit: str) -> str:
    """ "300 of 2,400 frames", "12.3 of 45.0 MB"."""
    counts = [done] if total is None else [done, total]
    if unit == "bytes":
        return " of ".join(f"{count / 1e6:,.1f}" for count in counts) + " MB"
    return f"{' of '.join(f'{count:,}' for count in counts)} {unit}".rstrip()


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
def status_line() -> Iterator[Callable[[str], None]]:
    """Tell it what is being done: a line on a terminal that goes away at its end, lines in a notebook, else nothing."""
    if not takes_bars():
        yield _say if _takes_lines() else lambda doing: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("starting") as status:
        yield lambda doing: status.update(escape(doing))


def _say(doing: str) -> None:
    print(f"{doing} ...", file=sys.stderr, flush=True)
