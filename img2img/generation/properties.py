"""What a picture looks like, as numbers: brightness, the thickness and slant of what is drawn, hue.

Each takes pictures (N, H, W, C) in [0, 1] and gives (N,) float64, NaN where a picture has no such property. What is
drawn, the ink, is what differs from the picture's border, so that white on black and black on white are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from img2img.inference.sampler import Pictures

Floats64 = npt.NDArray[np.float64]
NOISE = 0.1  # share of the strongest ink below which a difference from the border is not ink
COLOURLESS = 1 / 255  # mean chroma below which a picture has no hue


@dataclass(frozen=True)
class Property:
    """A measure with a name and a unit; `period` is where its values begin again, 0 where they do not."""

    name: str
    unit: str
    measure: Callable[[Floats64], Floats64]
    period: float = 0.0

    def of(self, pictures: Pictures) -> Floats64:
        """(N,) for 8-bit pictures (N, H, W, C) or videos (N, T, H, W, C), whose frames count alike."""
        scaled = pictures.astype(np.float64) / 255
        if scaled.ndim == 4:
            return self.measure(scaled)
        return self.mean(self.measure(scaled.reshape(-1, *scaled.shape[2:])).reshape(scaled.shape[:2]))

    def mean(self, values: Floats64) -> Floats64:
        """Over the last axis, around the circle where values are angles; NaN where any is."""
        if not self.period:
            return np.asarray(values.mean(-1))
        return np.asarray(np.angle(np.exp(self._turn(values)).mean(-1)) / (2 * np.pi) * self.period) % self.period

    def difference(self, values: Floats64, origin: Floats64) -> Floats64:
        """values - origin, the short way round where values are angles."""
        if not self.period:
            return values - origin
        return np.asarray(np.angle(np.exp(self._turn(values - origin))) / (2 * np.pi) * self.period)

    def _turn(self, values: Floats64) -> npt.NDArray[np.complex128]:
        return np.asarray(2j * np.pi * values / self.period)


def brightness(pictures: Floats64) -> Floats64:
    """The mean of all values, 0 black to 1 white."""
    return np.asarray(pictures.mean((1, 2, 3)))


def thickness(pictures: Floats64) -> Floats64:
    """The strokes' width in pixels: twice the ink's area over its outline.

    A stroke of length l and width w has the area l w and the outline 2 (l + w). The outline is the ink's total
    variation (co-area formula), so that soft edges count as much as hard ones.
    """
    inked = np.pad(ink(pictures), ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(inked, axis=1)[:, :, :-1], np.diff(inked, axis=2)[:, :-1]
    return _ratio(2 * inked.sum((1, 2)), np.hypot(down, right).sum((1, 2)))


def slant(pictures: Floats64) -> Floats64:
    """How far strokes lean to the right, as the tangent of the angle from upright: 1 is 45 degrees, like "/".

    From second moments of the ink, as digits are deslanted before they are read: the shear that takes the
    covariance of column and row to 0.
    """
    inked = ink(pictures)
    total = inked.sum((1, 2))
    rows, columns = np.arange(inked.shape[1])[:, None], np.arange(inked.shape[2])
    row_mean, column_mean = _ratio((inked * rows).sum((1, 2)), total), _ratio((inked * columns).sum((1, 2)), total)
    off_row, off_column = rows - row_mean[:, None, None], columns - column_mean[:, None, None]
    return _ratio(-(inked * off_row * off_column).sum((1, 2)), (inked * off_row**2).sum((1, 2)))


def hue(pictures: Floats64) -> Floats64:
    """The mean hue in degrees, 0 red, 120 green, 240 blue; grey pixels do not count, vivid ones most."""
    red, green, blue = pictures.mean((1, 2)).T
    along, across = red - (green + blue) / 2, (green - blue) * np.sqrt(3) / 2
    degrees = np.degrees(np.arctan2(across, along)) % 360
    return np.asarray(np.where(np.hypot(along, across) < COLOURLESS, np.nan, degrees))


def ink(pictures: Floats64) -> Floats64:
    """(N, H, W): by how much each pixel differs from the border's median, beyond noise."""
    grey = pictures.mean(3)
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    difference = np.abs(grey - np.median(border, axis=1)[:, None, None])
    return np.asarray(np.maximum(difference - NOISE * difference.max((1, 2), keepdims=True), 0))


def properties_of(channels: int) -> list[Property]:
    """What can be measured on pictures of so many channels."""
    plain = [
        Property("brightness", "of 1", brightness),
        Property("thickness", "px", thickness),
        Property("slant", "tangent", slant),
    ]
    return plain + ([Property("hue", "degrees", hue, period=360)] if channels == 3 else [])


def _ratio(part: Floats64, whole: Floats64) -> Floats64:
    """NaN where `whole` is nothing: a picture without ink."""
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 1e-9))
