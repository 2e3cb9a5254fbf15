"""What a person sees while a model trains: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from img2img.progress_bar import progress_bar, takes_bars

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.text import Text

LONG_SILENCE = 10.0
TIMES = ("images_per_second", "seconds")


class Silence:
    """Shows nothing: one of several processes does it for all."""

    def step(self, step: int, scalars: Mapping[str, float] | None = None) -> None:
        """Called after each step; with `scalars` only when they were fetched from the device."""

    def say(self, sentence: str) -> None:
        """Something that a person should know at once."""


class Lines(Silence):
    """One line on stderr for each record, and for a step where none came for LONG_SILENCE seconds."""

    def __init__(self, steps: int, now: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._now = steps, now
        self._said = now()

    def step(self, step: int, scalars: Mapping[str, float] | None = None) -> None:
        if scalars:
            self.say(f"step {step}/{self._steps}  {_describe(scalars)}")
        elif self._now() - self._said >= LONG_SILENCE:
            self.say(f"step {step}/{self._steps}")

    def say(self, sentence: str) -> None:
        self._said = self._now()
        print(sentence, file=sys.stderr, flush=True)


class ProgressBar(Silence):
    """A bar with the time left and the speed, and the last losses below it."""

    def __init__(self, progress: "Progress", losses: "Text", first: int, steps: int) -> None:
        self._progress, self._losses = progress, losses
        self._task = progress.add_task("", total=steps, completed=first, note="")

    def step(self, step: int, scalars: Mapping[str, float] | None = None) -> None:
        self._progress.update(self._task, completed=step)
        if scalars:
            self._progress.update(self._task, note=f"{scalars['images_per_second']:.4g} images/s")
            self._losses.plain = _describe({name: scalars[name] for name in scalars if name not in TIMES})

    def say(self, sentence: str) -> None:
        self._progress.console.print(sentence, markup=False, highlight=False)


def _describe(scalars: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in scalars.items() if name != "step")


@contextmanager
def training_progress(first: int, steps: int, *, shown: bool = True) -> Iterator[Silence]:
    """A way to show progress from step `first` to `steps`."""
    if not shown:
        yield Silence()
        return
    if not takes_bars():
        yield Lines(steps)
        return
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    progress, losses = progress_bar(), Text()
    bar = ProgressBar(progress, losses, first, steps)
    with Live(Group(progress, losses), console=progress.console, redirect_stdout=False):
        yield bar
