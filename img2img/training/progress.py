"""What a person sees while a model trains: a live bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol


class Show(Protocol):
    """Called after a step; `scalars` only when they were fetched from the device."""

    def __call__(self, step: int, scalars: Mapping[str, float] | None = None) -> None: ...


def _describe(scalars: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in scalars.items() if name != "step")


@contextmanager
def training_progress(first: int, steps: int) -> Iterator[Show]:
    """A way to show progress from step `first` to `steps`."""
    if not sys.stderr.isatty():
        yield _print_lines(steps)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=steps, completed=first)

        def show(step: int, scalars: Mapping[str, float] | None = None) -> None:
            bar.update(task, completed=step, description=_describe(scalars) if scalars else None)

        yield show


def _print_lines(steps: int) -> Show:
    def show(step: int, scalars: Mapping[str, float] | None = None) -> None:
        if scalars:
            print(f"step {step}/{steps}  {_describe(scalars)}", file=sys.stderr, flush=True)

    return show
