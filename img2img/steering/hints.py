"""Hints: a colour at a place of a photo, and how people write one."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from img2img.errors import UsageError
from img2img.steering.colors import Color, hexadecimal, parse_color

PixelSize = tuple[int, int]
"""Height and width, in pixels."""

_EXAMPLE = "such as 52%,40%=#3a6b35 (percent of the photo's width and height) or 812,300=#8a2b2b (its pixels)"
_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,20})?)%|(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class Coordinate:
    """How far from the photo's left or upper border: a share of its side in percent, or the number of a pixel, from 0.

    A share is rounded to a millionth of a percent, so that its text is short and exact. UsageError for a share that is
    not 0 to 100, and for a pixel that is no whole number from 0.
    """

    value: float
    in_percent: bool

    def __post_init__(self) -> None:
        if self.in_percent and not 0 <= self.value <= 100:
            raise UsageError(f"{self.value}% of a photo's side is outside of the photo: write 0% to 100%")
        if not self.in_percent and not (0 <= self.value < 1e9 and self.value == int(self.value)):
            raise UsageError(f"{self.value} is no pixel of a photo: write a whole number, from 0, or percent")
        object.__setattr__(self, "value", round(abs(self.value), 6))  # abs: of -0.0

    @classmethod
    def parse(cls, text: str) -> Coordinate:
        """Of "52%" or "812". Raises UsageError."""
        if not (match := _NUMBER.fullmatch(text.strip())):
            raise UsageError(f"{text!r} is no place along a photo's side: write percent, as 52%, or a pixel, as 812")
        percent, pixel = match.groups()
        return cls(float(percent), True) if percent else cls(int(pixel), False)

    def __str__(self) -> str:
        """As `parse` reads it, without a loss."""
        number = np.format_float_positional(self.value, trim="-")
        return f"{number}%" if self.in_percent else number

    def share(self, side: int) -> float:
        """Of a side of so many pixels, 0 to 1; above 1 outside of the photo. A pixel is where its middle is."""
        return self.value / 100 if self.in_percent else (self.value + 0.5) / side


def shares_of(x: Coordinate, y: Coordinate, photo: PixelSize, *, called: str = "the photo") -> tuple[float, float]:
    """The shares of its width and height at which a place of a photo lies. UsageError where it is outside."""
    height, width = photo
    shares = x.share(width), y.share(height)
    if max(shares) > 1:
        raise UsageError(f"{x},{y} is outside of {called}, which is {width} x {height} pixels")
    return shares


@dataclass(frozen=True)
class Hint:
    """A colour at a place of the upright photo: `x` from its left, `y` from its upper border."""

    x: Coordinate
    y: Coordinate
    color: Color

    def __str__(self) -> str:
        """As `parse_hint` reads it, without a loss."""
        return f"{self.x},{self.y}={hexadecimal(self.color)}"

    def place(self, photo: PixelSize, grid: PixelSize) -> tuple[int, int]:
        """The row and column of a `grid` laid over the photo that it falls into.

        UsageError when it lies outside of the photo.
        """
        height, width = photo
        down, across = self.y.share(height), self.x.share(width)
        if down > 1 or across > 1:
            raise UsageError(f"hint {self}: outside of the photo, which is {width} x {height} pixels: place it inside")
        rows, columns = grid
        return min(int(down * rows), rows - 1), min(int(across * columns), columns - 1)


def parse_hint(text: str) -> Hint:
    """Of "52%,40%=#3a6b35" or "812,300=#8a2b2b": x, y and the colour. Raises UsageError."""
    place, _, color = text.partition("=")
    coordinates = place.split(",")
    if len(coordinates) != 2 or not color:
        raise UsageError(f"{text!r} is not a hint: write X,Y=COLOUR, {_EXAMPLE}")
    try:
        x, y = map(Coordinate.parse, coordinates)
        return Hint(x, y, parse_color(color))
    except UsageError as error:
        raise UsageError(f"hint {text!r}: {error}") from None
