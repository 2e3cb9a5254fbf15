"""What came of one photo of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from img2img.batch.job import STREAM

Status = Literal["done", "skipped", "failed"]
UP_TO_DATE = "up to date"
EXISTS = "already there"
EDITED = "changed since it was made"
LOW_SCORE = "low score"
IN_COLOR = "in colour already"
COLORED_BY_US = "coloured by img2img already"
"""The flags that say why a photo was skipped. The last two are also of one that was coloured all the same."""
ALREADY_COLORED = frozenset({IN_COLOR, COLORED_BY_US})
OWN_RESULT = "made by img2img already"
"""The flag of an earlier result that was left out among many inputs: a translation, or a film."""
UNLIKE = "unlike the training pictures"
"""The flag of a translation whose photo the model was not made for."""
COPIED = "copied"
"""The flag of a result that is a photo in colour as it was."""
WITHOUT = "without "
"""Begins the flag of what came with a photo and is not in its result: "without gain map"."""


@dataclass(frozen=True)
class Outcome:
    """A photo's status; `error` says, for a failed one, which file, what is wrong and what to do.

    `width` and `height` are the result's, in pixels, `bytes` its file's size. `flags` name what looks odd about it (see
    `batch.flags`) and what of its source it lacks. `score` is how much like a model's training pictures it is, from 0
    to 1, where the model has a critic.
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

    def in_words(self) -> str:
        """Where the result went, or why there is none: "photo.jpg -> photo.colorized.jpg (0.4 s)"."""
        if self.error:
            return self.error
        source = self._source
        target = "standard output" if self.target is STREAM else str(self.target)
        if self.status == "done":
            how = f"{self.already_colored}, copied" if COPIED in self.flags else f"{self.seconds:.1f} s"
            return f"{source} -> {target} ({how})"
        if LOW_SCORE in self.flags:
            return f"{source}: skipped, its score {self.score:.2f} is below --min-score"
        if OWN_RESULT in self.flags:
            return f"{source}: skipped, {OWN_RESULT}"
        if self.already_colored:
            return f"{source}: skipped, {self.already_colored}; --if-color redo colours it again"
        advice = "; left alone, --overwrite replaces it" if {EXISTS, EDITED} & set(self.flags) else ""
        return f"{target}: {', '.join(self.flags)}{advice}"

    @property
    def already_colored(self) -> str | None:
        """The flag that says so of its photo."""
        return next((flag for flag in self.flags if flag in ALREADY_COLORED), None)

    @property
    def note(self) -> str | None:
        """What is to be said of a photo, or a film, that was in colour and was coloured anew."""
        if self.status != "done" or not self.already_colored or COPIED in self.flags:
            return None
        return f"{self._source}: {self.already_colored}; coloured again"

    @property
    def warning(self) -> str | None:
        """What is to be said of a photo that was translated though the model was not made for it."""
        return f"{self._source}: {UNLIKE}, so the result may be poor" if UNLIKE in self.flags else None

    @property
    def _source(self) -> str:
        return "standard input" if self.source is STREAM else str(self.source)

    @property
    def losses(self) -> tuple[str, ...]:
        """Those of the flags of a result that name what it lacks."""
        return tuple(flag for flag in self.flags if flag.startswith(WITHOUT)) if self.status != "skipped" else ()


def failure(source: Path, error: str) -> Outcome:
    """An input that no photo could be read from, so that it has no target."""
    return Outcome(source, None, "failed", error=error)


def flags_of_losses(lost: Iterable[str]) -> tuple[str, ...]:
    """One flag each, in order."""
    return tuple(dict.fromkeys(f"{WITHOUT}{each}" for each in lost))
