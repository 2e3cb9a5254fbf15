"""What a batch shows: a bar on a terminal, one line a failed photo, a closing line."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from img2img.batch.outcome import LOW_SCORE, Outcome
from img2img.batch.report import write_report

Advance = Callable[[Outcome], None]


def follow(
    outcomes: Iterable[Outcome],
    *,
    total: int,
    verb: str,
    report: Path | None,
    quiet: bool,
    show_scores: bool = False,
    stdout_is_data: bool,
) -> bool:
    """Shows outcomes as they come; at the end, also at Ctrl-C, the report, the scores and the closing line.

    Returns whether no photo failed.
    """
    seen: list[Outcome] = []
    closing = ""
    try:
        with _bar(total, shown=total > 1 and not quiet and sys.stderr.isatty()) as advance:
            for outcome in outcomes:
                seen.append(outcome)
                advance(outcome)
                if outcome.error:
                    print(_one_line(outcome.error), file=sys.stderr)
    except KeyboardInterrupt:
        closing = "; stopped, the same command without --overwrite goes on from here"
        raise
    finally:
        if not quiet:
            for line in (*(_scores(seen) if show_scores else ()), _counts(seen, verb) + closing):
                print(line, file=sys.stderr if stdout_is_data else sys.stdout)
        if report:
            write_report(seen, report)
    return all(outcome.status != "failed" for outcome in seen)


def _counts(outcomes: Sequence[Outcome], verb: str) -> str:
    counts = Counter(outcome.status for outcome in outcomes)
    low = sum(LOW_SCORE in outcome.flags for outcome in outcomes)
    why = f" ({low} for a low score)" if low else ""
    return f"{counts['done']} {verb}, {counts['failed']} failed, {counts['skipped']} skipped{why}"


def _scores(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The stranger a photo the earlier: 0.03 and its name."""
    scored = [(outcome.score, outcome.source) for outcome in outcomes if outcome.score is not None]
    return (f"{score:.2f} {_one_line(str(source))}" for score, source in sorted(scored, key=lambda pair: pair[0]))


def _one_line(message: str) -> str:
    """The message with line breaks and control characters, which a file name may hold, spelled out."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Advance]:
    if not shown:
        yield lambda outcome: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as progress:
        task = progress.add_task("", total=total, rate="")

        def advance(outcome: Outcome) -> None:
            # A skipped photo takes no time: counted, it would make the rest look as quick.
            nonlocal total
            total -= outcome.status == "skipped"
            progress.update(task, total=total, advance=outcome.status != "skipped")
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:.1f} photos/s" if speed else "")

        yield advance
