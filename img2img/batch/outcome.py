"""What came of one photo of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["done", "skipped", "failed"]
LOW_SCORE = "low score"
"""The flag of a photo that was skipped for it."""
WITHOUT = "without "
"""Begins the flag of what came with a photo and is not in its result: "without gain map"."""


@dataclass(frozen=True)
class Outcome:
    """A photo's status; `error` says, for a failed one, which file, what is wrong and what to do.

    `width` and `height` are the result's, in pixels, `bytes` its file's size. `flags` name what looks odd about it (see
    `batch.flags`) and what of its source it lacks. `score` is how much like a model's training pictures it is, from 0
    to 1, where that was asked for.
    """

    source: Path
    target: Path | None
    status: Status
    seconds: float = 0.0
    flags: tuple[str, ...] = ()
    error: str | None = None
    score: float | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None

    @property
    def losses(self) -> tuple[str, ...]:
        """Those of the flags of a result that name what it lacks."""
        return tuple(flag for flag in self.flags if flag.startswith(WITHOUT)) if self.status == "done" else ()


def failure(source: Path, error: str) -> Outcome:
    """An input that no photo could be read from, so that it has no target."""
    return Outcome(source, None, "failed", error=error)


def flags_of_losses(lost: Iterable[str]) -> tuple[str, ...]:
    """One flag each, in order."""
    return tuple(dict.fromkeys(f"{WITHOUT}{each}" for each in lost))
