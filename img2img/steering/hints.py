"""Hints: a colour at a place of a photo."""

from __future__ import annotations

from dataclasses import dataclass

from img2img.steering.colors import Color


@dataclass(frozen=True)
class Hint:
    """A colour at a place of the upright photo. `x` from the left and `y` from the top: shares of its sides, 0 to 1."""

    x: float
    y: float
    color: Color
