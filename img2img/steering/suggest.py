"""The likeliest colours at a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from img2img.lab import Floats
from img2img.steering.colors import Color
from img2img.steering.prior import ColorClasses


@dataclass(frozen=True)
class Suggestion:
    """A colour, at the luma of its place, and how likely the model takes it to be, with what is close to it."""

    color: Color
    probability: float


def suggestions(
    logits: Floats, luma: int, classes: ColorClasses, *, prior: Floats | None = None, count: int = 5
) -> Sequence[Suggestion]:
    """The likeliest *distinct* colours for logits (Q,) at a place of luma 0 to 255, the likeliest first."""
    raise NotImplementedError
