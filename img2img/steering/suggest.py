"""The likeliest colours at a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from img2img.color import chroma_planes, join
from img2img.errors import UsageError
from img2img.lab import Floats
from img2img.photo import Photo
from img2img.steering.color_classes import ColorClasses
from img2img.steering.colors import Color, ab_of

HONEST_TEMPERATURE = 0.85
"""At which a softmax of the logits says how often it is right. Training counts rare colours more, which flattens it."""
REACH = 15.0
"""Units of ab around a suggestion's centre that count to it: 3 x 3 classes."""
APART = 25.0  # units of ab, at least, from the centre of one suggestion to that of another
DISTINCT = 8.0  # units of ab between two colours as they are shown


@dataclass(frozen=True)
class Suggestion:
    """A colour, at the luma of its place, and how likely the model takes it to be, with what is close to it."""

    color: Color
    probability: float


def suggestions(
    logits: Floats, luma: int, classes: ColorClasses, *, prior: Floats | None = None, count: int = 5
) -> Sequence[Suggestion]:
    """The likeliest *distinct* colours for logits (Q,) at a place of luma 0 to 255, the likeliest first.

    `prior` (Q,) is that of the annealed softmax. Fewer than `count` where there are no more. Probabilities sum to at
    most 1.
    """
    share = probabilities(logits, classes, prior)
    found: list[Suggestion] = []
    for mode in _modes(share, classes.centres, count):
        if mass := float(share[mode].sum()):
            color = _color(luma, share[mode] @ classes.centres[mode] / mass)
            found = _with(Suggestion(color, mass), found)
    return sorted(found, key=lambda each: -each.probability)


def _with(new: Suggestion, found: Sequence[Suggestion]) -> list[Suggestion]:
    """One more, or more of one that looks like it: on black all colours are one, near white most are."""
    distance = [float(np.hypot(*(ab_of(each.color) - ab_of(new.color)))) for each in found]
    if not found or min(distance) > DISTINCT:
        return [*found, new]
    place = int(np.argmin(distance))
    merged = replace(found[place], probability=found[place].probability + new.probability)
    return [*found[:place], merged, *found[place + 1 :]]


def probabilities(logits: Floats, classes: ColorClasses, prior: Floats | None = None) -> npt.NDArray[np.float64]:
    """(Q,), sum 1, of logits (Q,): the softmax that is right as often as it says.

    The prior multiplies exp(logits / t), t the model's temperature; so it adds t log prior to the logits.
    """
    shifted = np.asarray(logits, np.float64)
    if prior is not None:
        shifted = shifted + classes.temperature * np.log(prior)
    likely = np.exp((shifted - shifted.max()) / HONEST_TEMPERATURE)
    return np.asarray(likely / likely.sum())


def logits_at(logits: Floats, x: float, y: float) -> Floats:
    """(Q,) of logits (Q, h, w), between the four cells around a place: shares of the sides, 0 to 1. UsageError."""
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UsageError(f"{x}, {y} is not a place in the photo: shares of its sides go from 0 to 1")
    for share, axis in ((y, 1), (x, 1)):  # the rows are gone when it is the columns' turn
        size = logits.shape[axis]
        place = min(max(share * size - 0.5, 0), size - 1)
        before = int(place)
        after, weight = min(before + 1, size - 1), np.float32(place - before)
        logits = logits.take(before, axis) * (1 - weight) + logits.take(after, axis) * weight
    return logits


def _modes(share: npt.NDArray[np.float64], centres: Floats, count: int) -> list[npt.NDArray[np.intp]]:
    """Classes around each of the likeliest centres, which do not come too close; each class in one mode at most.

    Greedy non-maximum suppression by the mass within REACH.
    """
    distance = np.hypot(*np.moveaxis(centres[:, None] - centres, 2, 0))
    mass = (distance <= REACH) @ share
    chosen: list[int] = []
    while len(chosen) < count and np.isfinite(mass).any():
        chosen.append(int(np.argmax(np.where(np.isfinite(mass), mass, -1))))
        mass = np.where(distance[chosen[-1]] < APART, np.inf, mass)
    if not chosen:
        return []
    nearest = distance[chosen].argmin(0)
    within = distance[chosen].min(0) <= REACH
    return [np.flatnonzero(within & (nearest == place)) for place in range(len(chosen))]


def _color(luma: int, ab: npt.NDArray[np.float64]) -> Color:
    """As a photo shows it there: with that luma, chroma scaled until it fits sRGB."""
    grey = np.full((1, 1), luma, np.uint8)
    pixels = join(grey, chroma_planes(grey, ab.astype(np.float32)[:, None, None]))
    red, green, blue = np.asarray(Photo(pixels, "YCbCr").to_image().convert("RGB"))[0, 0].tolist()
    return red, green, blue
