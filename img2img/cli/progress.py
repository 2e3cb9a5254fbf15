"""What a conversion shows while it goes on: a bar on a terminal, a line for each photo that failed."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from img2img.batch.outcome import ALREADY_COLORED, UNLIKE, Outcome
from img2img.cli.closing import Tally, one_line, tell
from img2img.progress_bar import counted_lines, progress_bar, takes_bars, takes_lines


def follow(
    outcomes: Iterable[Outcome],
    tally: Tally,
    *,
    total: int,
    quiet: bool,
    each: bool = False,
    note_colored: bool = False,
) -> None:
    """Shows outcomes as they come: a bar where a terminal is there for it, or with `each` a line for every photo.

    What results lack, and photos unlike the model's, are a line each for one photo, and counted for many.
    `note_colored`: a line for each photo that was in colour and was coloured anew.
    """
    bar = total > 1 and not quiet and not each and takes_bars()
    with _bar(total, shown=bar) as advance:
        for outcome in outcomes:
            tally.add(outcome)
            advance(outcome)
            if outcome.error:
                tell(one_line(outcome.error), sys.stderr)
            elif each and not quiet and outcome.status == "done":
                tell(one_line(str(outcome.target)), sys.stdout)
            _show_remarks(outcome, tally, counted=total > 1 and not each, quiet=quiet)
            if note_colored and not quiet:
                _note_colored(outcome)


def _note_colored(outcome: Outcome) -> None:
    if outcome.note:
        tell(one_line(outcome.note), sys.stderr)


def _show_remarks(outcome: Outcome, tally: Tally, *, counted: bool, quiet: bool) -> None:
    """What a result lacks, and that its photo is unlike the model's."""
    if counted:
        tally.lose((*outcome.losses, *([UNLIKE] if outcome.warning else [])))
    elif not quiet:
        lines = [f"{outcome.target}: {flag}" for flag in outcome.losses]
        for line in (*lines, *([outcome.warning] if outcome.warning else [])):
            tell(one_line(line), sys.stderr)


def follow_films(outcomes: Iterable[Outcome], tally: Tally, bar: "FilmBar", *, quiet: bool) -> None:
    """Shows what came of each film: what is wrong with it, and what of it could not be kept."""
    with bar:
        for outcome in outcomes:
            bar.close()
            tally.add(outcome)
            if outcome.error:
                tell(one_line(outcome.error), sys.stderr)
            elif not quiet:
                tell(one_line(outcome.in_words()), sys.stdout)
            if not quiet:
                _note_colored(outcome)
            losses = [flag for flag in outcome.flags if flag not in ALREADY_COLORED]
            for lost in losses if outcome.status != "skipped" and not quiet else ():
                tell(one_line(f"{outcome.target}: without {lost}"), sys.stderr)


class FilmBar:
    """Shows the frames done of the film in hand: a FilmProgress, and a context manager that ends the bar."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._film: Path | None = None
        self._open = ExitStack()
        self._advance: Callable[[int, int], None] = lambda done, total: None

    def __call__(self, film: Path, done: int, total: int) -> None:
        if self._shown and film != self._film:
            self.close()
            self._film, self._advance = film, self._open.enter_context(_frames_bar(one_line(str(film))))
        self._advance(done, total)

    def close(self) -> None:
        self._open.close()
        self._film, self._advance = None, lambda done, total: None

    def __enter__(self) -> "FilmBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _frames_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """The frames done of one film, and the time left."""
    with progress_bar(name, unit="frames") as progress:
        task = progress.add_task("", total=None, note="")
        begun = False

        def advance(done: int, total: int) -> None:
            nonlocal begun
            if not begun:  # gone on from an earlier run: what that one did, says nothing about this one's speed
                progress.reset(task, completed=done, total=total or None)
                begun = True
            progress.update(task, completed=done)

        yield advance


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    if not shown:
        yield lambda outcome: None
        return
    with progress_bar(unit="photos") as progress:
        task = progress.add_task("", total=total, note="")
        failed = 0

        def advance(outcome: Outcome) -> None:
            # A skipped photo takes no time: counted, it would make the rest look as quick.
            nonlocal total, failed
            total -= outcome.status == "skipped"
            failed += outcome.status == "failed"
            note = f"[red]{failed:,} failed" if failed else ""
            progress.update(task, total=total, advance=outcome.status != "skipped", note=note)

        yield advance


@contextmanager
def photos_measured() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, which pulses until told of photos done, and of how many: PyTorch alone takes seconds.

    Lines in a notebook, nothing elsewhere.
    """
    if not takes_bars():
        yield counted_lines("measuring", "photos") if takes_lines() else lambda done, total: None
        return
    with progress_bar() as progress:
        task = progress.add_task("", total=None, note="measuring")
        yield lambda done, total: progress.update(task, completed=done, total=total)
