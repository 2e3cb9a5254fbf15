"""Runs that several threads ask for at a time, as one: a GPU takes little longer for several photos than for one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from img2img.errors import ModelError
from img2img.inference.runtimes.runtime import Runtime
from img2img.lab import Floats

MOST = 16
"""Photos in one run."""


@dataclass(eq=False)
class _Asked:
    """A run that a thread waits for, and what comes of it: all outputs, or the first alone."""

    arrays: tuple[Floats, ...]
    every_output: bool
    outputs: Future[tuple[Floats, ...]] = field(default_factory=Future)

    def goes_with(self, other: _Asked) -> bool:
        """Whether one run can do both: of one size, and with the same values of optional inputs."""
        (ours, *more), (theirs, *others) = self.arrays, other.arrays
        alike = ours.shape[1:] == theirs.shape[1:] and self.every_output == other.every_output
        return alike and len(more) == len(others) and all(map(np.array_equal, more, others))


class JoinedRuns:
    """A runtime that threads share: while one run goes on, those asked for gather, and those of one size go together.

    For graphs that take several photos (N, C, H, W) and treat each by itself. Nobody waits for others to come: a thread
    alone runs at once.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[_Asked] = []
        self._changing, self._running = Lock(), Lock()

    def run(self, *arrays: Floats) -> Floats:
        return self._joined(_Asked(arrays, every_output=False))[0]

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        return self._joined(_Asked(arrays, every_output=True))

    def _joined(self, asked: _Asked) -> tuple[Floats, ...]:
        with self._changing:
            self._waiting.append(asked)
        with self._running:
            if not asked.outputs.done():  # else another thread has run it with its own
                self._run(self._taken(asked))
        return asked.outputs.result()

    def _taken(self, asked: _Asked) -> list[_Asked]:
        """This one, and others that wait and go with it."""
        with self._changing:
            others = [one for one in self._waiting if one is not asked and one.goes_with(asked)]
            together = [asked, *others[: MOST - len(asked.arrays[0])]]
            self._waiting = [one for one in self._waiting if one not in together]
        return together

    def _run(self, together: Sequence[_Asked]) -> None:
        """Sets what comes of each; where all together fail, each by itself, so that none fails for another."""
        try:
            outputs = self._outputs(together)
        except (MemoryError, ModelError) as error:
            if len(together) == 1:
                together[0].outputs.set_exception(error)
            else:
                for one in together:
                    self._run([one])
        except BaseException as error:
            for one in together:
                one.outputs.set_exception(error)
        else:
            for one, its_outputs in zip(together, outputs, strict=True):
                one.outputs.set_result(its_outputs)

    def _outputs(self, together: Sequence[_Asked]) -> list[tuple[Floats, ...]]:
        first = together[0]
        photos = np.concatenate([one.arrays[0] for one in together])
        run = self._runtime.run_all if first.every_output else self._run_first
        outputs = run(photos, *first.arrays[1:])
        ends = np.cumsum([len(one.arrays[0]) for one in together])[:-1]
        return list(zip(*(np.split(output, ends) for output in outputs), strict=True))

    def _run_first(self, *arrays: Floats) -> tuple[Floats, ...]:
        return (self._runtime.run(*arrays),)
