"""What came of one photo of a batch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["done", "skipped", "failed"]
LOW_SCORE = "low score"
"""The flag of a photo that was skipped for it."""


@dataclass(frozen=True)
class Outcome:
    """A photo's status; `error` says, for a failed one, which file, what is wrong and what to do.

    `width` and `height` are the result's, in pixels, `bytes` its file's size. `flags` name what looks odd about it (see
    `batch.flags`). `score` is how much like a model's training pictures it is, from 0 to 1, where that was asked for.
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


def failure(source: Path, error: str) -> Outcome:
    """An input that no photo could be read from, so that it has no target."""
    return Outcome(source, None, "failed", error=error)
