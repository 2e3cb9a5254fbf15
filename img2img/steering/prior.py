"""A prior over a colorizer's color classes: of a reference photo, of a palette, of a warmth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from img2img.lab import Floats
from img2img.photo import Photo
from img2img.steering.colors import Color


@dataclass(frozen=True)
class ColorClasses:
    """Where a model's Q classes lie, `centres` (Q, 2) in units of ab, and their `frequency` (Q,) in its training."""

    centres: Floats
    frequency: Floats


def class_prior(
    classes: ColorClasses,
    *,
    reference: Photo | None = None,
    influence: float = 1.0,
    palette: Sequence[Color] = (),
    warmth: float = 0.0,
) -> Floats | None:
    """(Q,), what the annealed softmax of each class is multiplied by; None where nothing is asked for."""
    if reference is None and not palette and not warmth:
        return None
    raise NotImplementedError
