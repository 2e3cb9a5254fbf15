"""What a conversion shows while it goes on: how far it is, a line for each photo that failed."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from img2img.batch.outcome import UNLIKE, Outcome
from img2img.cli.closing import Tally, one_line, tell
from img2img.progress_bar import counted_progress


def follow(
    outcomes: Iterable[Outcome],
    tally: Tally,
    *,
    doing: str,
    total: int,
    quiet: bool,
    each: bool = False,
    note_colored: bool = False,
) -> None:
    """Shows outcomes as they come: how far the work is, which a notebook calls `doing`, or with `each` every photo.

    What results lack, and photos unlike the model's, are a line each for one photo, and counted for many.
    `note_colored`: a line for each photo that was in colour and was coloured anew.
    """
    with _photos_done(doing, total, shown=total > 1 and not quiet and not each) as advance:
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
            for lost in () if quiet else outcome.losses:
                tell(one_line(f"{outcome.target}: {lost}"), sys.stderr)


class FilmBar:
    """Shows the frames done of the film in hand: a FilmProgress, and a context manager that ends the bar."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._film: Path | None = None
        self._open = ExitStack()
        self._advance: Callable[[int, int | None], None] = lambda done, total: None

    def __call__(self, film: Path, done: int, total: int) -> None:
        if film != self._film:
            self.close()
            frames = counted_progress(name=one_line(str(film)), unit="frames", shown=self._shown)
            self._film, self._advance = film, self._open.enter_context(frames)
        self._advance(done, total or None)

    def close(self) -> None:
        self._open.close()
        self._film, self._advance = None, lambda done, total: None

    def __enter__(self) -> "FilmBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _photos_done(doing: str, total: int, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    with counted_progress(doing, unit="photos", total=total, shown=shown) as show:
        done = failed = 0

        def advance(outcome: Outcome) -> None:
            # A skipped photo takes no time: counted, it would make the rest look as quick.
            nonlocal total, done, failed
            total -= outcome.status == "skipped"
            done += outcome.status != "skipped"
            failed += outcome.status == "failed"
            show(done, total, f"[red]{failed:,} failed" if failed else "")

        yield advance
