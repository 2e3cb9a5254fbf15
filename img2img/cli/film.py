"""What colorize and translate do with films: the way from inputs to an exit code."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from img2img.errors import FilmError, UsageError

if TYPE_CHECKING:
    from img2img.batch.outcome import Outcome
    from img2img.batch.task import Task
    from img2img.video.plan import FilmJob


def are_films(inputs: list[str], output: str | None, *, first_frame: bool) -> bool:
    """Whether the inputs are films, animations or patterns of numbered pictures. UsageError where only some are."""
    from img2img.video.kinds import check_alike, kind_of

    kinds = [kind_of(name, first_frame=first_frame) for name in inputs]
    check_alike(inputs, kinds)
    return any(kinds)


def run_films(
    inputs: list[str],
    output: str | None,
    task: "Task",
    *,
    word: str,
    verb: str,
    overwrite: bool,
    quiet: bool,
    jobs: int | None,
    report: Path | None,
    fps: float | None = None,
) -> None:
    """Convert films one after another; exit with 1 when one of them failed, or was damaged.

    `jobs` is how many cores the model may take, `fps` the rate of numbered pictures that become a film. The other
    arguments are those of `Conversion.run`.
    """
    from img2img.batch.report import check_report
    from img2img.cli.progress import Tally, closing
    from img2img.machine import usable_cores
    from img2img.video.plan import plan_films

    if report:
        check_report(report)
    plan = plan_films(inputs, output, word=word)
    _check_rate(plan, fps)
    _check_packages()
    convert = _converter(task, jobs or usable_cores(), overwrite=overwrite, fps=fps, quiet=quiet)
    tally, outcomes = Tally(), list["Outcome"]()
    with closing(tally, lambda: outcomes, verb=verb, report=report, quiet=quiet):
        for job in plan:
            outcome = convert(job)
            outcomes.append(outcome)
            tally.add(outcome)
            _tell(outcome, quiet=quiet)
    if tally.failed:
        raise typer.Exit(1)


def _converter(
    task: "Task", cores: int, *, overwrite: bool, fps: float | None, quiet: bool
) -> "Callable[[FilmJob], Outcome]":
    from img2img.video.one_film import DEFAULT_RATE, FilmOptions, convert_one_film

    converter = task.open_for_films(cores)
    options = FilmOptions(task.settings(), overwrite=overwrite, rate=fps or DEFAULT_RATE)

    def convert(job: "FilmJob") -> "Outcome":
        with _bar(str(job.source), shown=not quiet and sys.stderr.isatty()) as progress:
            return convert_one_film(job, converter, options, progress)

    return convert


def _check_rate(plan: "list[FilmJob]", fps: float | None) -> None:
    if fps is not None and not any((job.kind, job.makes) == ("sequence", "film") for job in plan):
        raise UsageError("--fps is for numbered pictures that become a film; a film keeps its own rate")


def _check_packages() -> None:
    if not (find_spec("av") and find_spec("cv2")):
        raise FilmError(
            "films and animations need two more packages: pip install '.[video]' in img2img's checkout; "
            "--first-frame takes an animation's first picture without them"
        )


def _tell(outcome: "Outcome", *, quiet: bool) -> None:
    from img2img.cli.progress import one_line

    if outcome.error:
        print(one_line(outcome.error), file=sys.stderr)
    for lost in outcome.flags if outcome.status != "skipped" and not quiet else ():
        print(one_line(f"{outcome.target}: without {lost}"), file=sys.stderr)


@contextmanager
def _bar(name: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Shows the frames done of one film, and the time left."""
    if not shown:
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(escape(name)),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as progress:
        task = progress.add_task("", total=None, rate="")
        begun = False

        def advance(done: int, total: int) -> None:
            nonlocal begun
            if not begun:  # gone on from an earlier run: what that one did, says nothing about this one's speed
                progress.reset(task, completed=done, total=total or None)
                begun = True
            speed = progress.tasks[0].speed
            progress.update(task, completed=done, rate=f"{speed:.1f} frames/s" if speed else "")

        yield advance
