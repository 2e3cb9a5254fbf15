"""What is said at the end of a conversion: where one photo's result went, or how many of many were done."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from img2img.atomic_file import reason_for
from img2img.batch.outcome import ALREADY_COLORED, COPIED, EDITED, EXISTS, OWN_RESULT, Outcome
from img2img.errors import Img2ImgError


class Tally:
    """How many photos were done, copied, failed and skipped, and for which reasons."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._skipped_for: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def skip(self, reasons: Mapping[str, int]) -> None:
        """Photos that nothing was to be done for."""
        self._skipped_for.update(reasons)
        self._counts["skipped"] += sum(reasons.values())

    def add(self, outcome: Outcome) -> None:
        self._counts["copied" if COPIED in outcome.flags else outcome.status] += 1
        if outcome.status == "skipped" and outcome.flags:
            self._skipped_for[outcome.flags[0]] += 1

    def lose(self, flags: Iterable[str]) -> None:
        """What a result lacks, or its photo, to be told at the end."""
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

    def line(self, verb: str, output: str | None = None) -> str:
        """ "3 coloured into out, 0 failed, 2 skipped (2 up to date)"."""
        done, copied, failed = (self._counts[status] for status in ("done", "copied", "failed"))
        into = f" into {one_line(output)}" if (done or copied) and output else ""
        also = f", {copied:,} copied" if copied else ""
        return f"{done:,} {verb}{also}{into}, {failed:,} failed, {self.skipped_words()}"

    def skipped_words(self) -> str:
        """ "2 skipped (2 up to date)"."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self._skipped_for.items()))
        return f"{self._counts['skipped']:,} skipped" + (f" ({reasons})" if reasons else "")

    def advice(self) -> Iterator[str]:
        """What to do about results that were left alone."""
        if any(self._skipped_for[reason] for reason in (EXISTS, EDITED)):
            yield "files without a record, or changed since they were made, are left alone: --overwrite replaces them"
        if any(self._skipped_for[reason] for reason in ALREADY_COLORED):
            yield "photos in colour are left out: --if-color redo colours them again, --if-color copy copies them"
        if self._skipped_for[OWN_RESULT]:
            yield "earlier results are left out: to convert one anyway, name it alone"


@contextmanager
def closing(
    tally: Tally,
    outcomes: Callable[[], Iterable[Outcome]],
    passed_over: Callable[[], str] = lambda: "",
    *,
    verb: str,
    output: str | None = None,
    show_scores: bool = False,
    quiet: bool = False,
    one_photo: bool = False,
    overwrite: bool = False,
    stop_on_error: bool = False,
    stdout_is_data: bool = False,
) -> Iterator[None]:
    """At the end of a conversion, also of one that Ctrl-C ends: the scores, and the closing line.

    `output` is where all results go, `passed_over` the files beside the photos, in words. Of `one_photo` the line says
    where its result went. `overwrite`: whether that was asked for.
    """
    ending = ""
    try:
        yield
        if stop_on_error and tally.failed:
            ending = "; stopped at the first failure, the same command continues from here"
    except KeyboardInterrupt:
        if not one_photo:
            without = " without --overwrite" if overwrite else ""
            ending = f"; stopped, the same command{without} continues from here"
        raise
    finally:
        shown = (tally.total or ending or not sys.exc_info()[0]) and not quiet
        if shown:
            where = sys.stderr if stdout_is_data else sys.stdout
            for line in (*tally.losses(), *(() if one_photo else tally.advice())):
                tell(one_line(line), sys.stderr)
            for line in _scores(outcomes()) if show_scores else ():
                tell(line, where)
            if one_photo:
                for line in (one_line(each.in_words()) for each in outcomes() if each.status != "failed"):
                    tell(line, where)
            else:
                beside = f"; {one_line(words)}" if (words := passed_over()) else ""
                tell(tally.line(verb, output) + beside + ending, where)


def _scores(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The stranger a photo the earlier: 0.03 and its name."""
    scored = sorted((outcome.score, str(outcome.source)) for outcome in outcomes if outcome.score is not None)
    return (f"{score:.2f} {one_line(source)}" for score, source in scored)


def one_line(message: str) -> str:
    """The message with line breaks and control characters, which a file name may hold, spelled out."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)


def tell(line: str, stream: TextIO) -> None:
    """A line at once, what its encoding lacks in backslashes."""
    encoding = stream.encoding or "utf-8"
    try:
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Img2ImgError(f"what was to be printed: {reason_for(error, 'written')}") from error
