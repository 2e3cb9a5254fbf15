"""What a batch shows: a bar on a terminal, one line a failed photo, a closing line."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from img2img.atomic_file import reason_for
from img2img.batch.outcome import Outcome
from img2img.errors import Img2ImgError


class Tally:
    """How many photos were done, failed and skipped, and for which reasons."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._skipped_for: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def skip(self, reasons: Mapping[str, int]) -> None:
        """Photos that nothing was to be done for."""
        self._skipped_for.update(reasons)
        self._counts["skipped"] += sum(reasons.values())

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.status] += 1
        if outcome.status == "skipped" and outcome.flags:
            self._skipped_for[outcome.flags[0]] += 1

    def lose(self, flags: Iterable[str]) -> None:
        """What a result lacks, to be told at the end."""
        self._lost.update(flags)

    def losses(self) -> Iterator[str]:
        """ "without gain map: 3 photos", the most frequent first."""
        return (f"{flag}: {count:,} photo{'s' * (count > 1)}" for flag, count in self._lost.most_common())

    @property
    def failed(self) -> int:
        return self._counts["failed"]

    @property
    def total(self) -> int:
        return self._counts.total()

    def line(self, verb: str) -> str:
        """ "3 coloured, 0 failed, 2 skipped (2 up to date)"."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self._skipped_for.items()))
        done, failed, skipped = (self._counts[status] for status in ("done", "failed", "skipped"))
        return f"{done:,} {verb}, {failed:,} failed, {skipped:,} skipped" + (f" ({reasons})" if reasons else "")


@contextmanager
def closing(
    tally: Tally,
    outcomes: Callable[[], Iterable[Outcome]],
    passed_over: Callable[[], str] = lambda: "",
    *,
    verb: str,
    show_scores: bool = False,
    quiet: bool = False,
    goes_on: bool = True,
    stop_on_error: bool = False,
    stdout_is_data: bool = False,
) -> Iterator[None]:
    """At the end of a batch, also of one that Ctrl-C ends: the scores and the closing line.

    `passed_over` are the files beside the photos, in words.
    """
    ending = ""
    try:
        yield
        if stop_on_error and tally.failed:
            ending = "; stopped at the first failure, the same command goes on from here"
    except KeyboardInterrupt:
        if goes_on:
            ending = "; stopped, the same command without --overwrite goes on from here"
        raise
    finally:
        shown = (tally.total or ending or not sys.exc_info()[0]) and not quiet
        if shown:
            where = sys.stderr if stdout_is_data else sys.stdout
            for line in tally.losses():
                _tell(one_line(line), sys.stderr)
            beside = f"; {one_line(words)}" if (words := passed_over()) else ""
            for line in (*(_scores(outcomes()) if show_scores else ()), tally.line(verb) + beside + ending):
                _tell(line, where)


def follow(outcomes: Iterable[Outcome], tally: Tally, *, total: int, quiet: bool, each: bool = False) -> None:
    """Shows outcomes as they come: a bar where a terminal is there for it, or with `each` a line for every photo.

    What results lack is a line each for one photo, and counted for many.
    """
    bar = total > 1 and not quiet and not each and sys.stderr.isatty()
    with _bar(total, shown=bar) as advance:
        for outcome in outcomes:
            tally.add(outcome)
            advance(outcome)
            if outcome.error:
                _tell(one_line(outcome.error), sys.stderr)
            elif each and not quiet and outcome.status == "done":
                _tell(one_line(str(outcome.target)), sys.stdout)
            _show_losses(outcome, tally, counted=total > 1 and not each, quiet=quiet)


def _show_losses(outcome: Outcome, tally: Tally, *, counted: bool, quiet: bool) -> None:
    if counted:
        tally.lose(outcome.losses)
    elif not quiet:
        for flag in outcome.losses:
            _tell(one_line(f"{outcome.target}: {flag}"), sys.stderr)


def follow_films(outcomes: Iterable[Outcome], tally: Tally, bar: "FilmBar", *, quiet: bool) -> None:
    """Shows what came of each film: what is wrong with it, and what of it could not be kept."""
    with bar:
        for outcome in outcomes:
            bar.close()
            tally.add(outcome)
            if outcome.error:
                _tell(one_line(outcome.error), sys.stderr)
            for lost in outcome.flags if outcome.status != "skipped" and not quiet else ():
                _tell(one_line(f"{outcome.target}: without {lost}"), sys.stderr)


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
    from img2img.progress_bar import progress_bar

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


def _tell(line: str, stream: TextIO) -> None:
    """A line at once, what its encoding lacks in backslashes."""
    encoding = stream.encoding or "utf-8"
    try:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Img2ImgError(f"what was to be printed: {reason_for(error, 'written')}") from error


def _scores(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The stranger a photo the earlier: 0.03 and its name."""
    scored = sorted((outcome.score, str(outcome.source)) for outcome in outcomes if outcome.score is not None)
    return (f"{score:.2f} {one_line(source)}" for score, source in scored)


def one_line(message: str) -> str:
    """The message with line breaks and control characters, which a file name may hold, spelled out."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    if not shown:
        yield lambda outcome: None
        return
    from img2img.progress_bar import progress_bar

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
def photos_measured(after: float = 2.0) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal once work takes more than so many seconds: tell it of photos done, and of how many."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from img2img.progress_bar import progress_bar

    progress = progress_bar()
    task, shown_from = progress.add_task("", note=""), time.monotonic() + after

    def advance(done: int, total: int) -> None:
        if time.monotonic() > shown_from:
            progress.start()
        progress.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        progress.stop()
