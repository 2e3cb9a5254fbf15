"""What belongs together in a photo: by how light it is, and by the colours that the model thinks likely there.

Posteriors are compared by Hellinger's distance, 0 for equal ones to 1 for those that share no class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from img2img.lab import Floats
from img2img.steering.grid_equations import NEIGHBOURS

RISE = 11.0
"""L over two pixels: a tie holds 0.61 of what it would in even light, at twice that 1/3000."""
STEP = 0.12
"""Hellinger's distance from one of the logits' places to the next, at which 1/e is left of a tie."""
WEAKEST = np.float32(1e-6)
"""Across the hardest edge: far below what pulls to the prediction, and far above what slows arithmetic down."""
_MIDDLES = np.s_[::2, 1::2], np.s_[1::2, ::2], np.s_[1::2, 1::2], np.s_[1::2, 1::2]
"""The pixels between every other pixel and its NEIGHBOURS among them."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What a model thinks of every place.

    `roots` (Q, h, w): square roots of the classes' probabilities, so that scalar products compare places."""

    roots: Floats

    @classmethod
    def of_logits(cls, logits: Floats) -> Posterior:
        """Of logits (Q, h, w)."""
        roots = np.exp((logits - logits.max(axis=0)) / 2)
        return cls(roots / np.sqrt(np.square(roots).sum(axis=0)))

    def distance_from(self, row: float, column: float) -> Floats:
        """Hellinger's distance (h, w) of every place to the one at these shares of height and width."""
        h, w = self.roots.shape[1:]
        one = self.roots[:, min(int(row * h), h - 1), min(int(column * w), w - 1)]
        return np.sqrt(np.maximum(1 - np.tensordot(one, self.roots, axes=1), 0))

    def steps(self) -> tuple[Floats, Floats]:
        """Squared distances between places beside one another (h, w - 1), and one above the other (h - 1, w)."""
        across = np.einsum("qhw,qhw->hw", self.roots[:, :, 1:], self.roots[:, :, :-1])
        down = np.einsum("qhw,qhw->hw", self.roots[:, 1:], self.roots[:, :-1])
        return np.maximum(1 - across, 0), np.maximum(1 - down, 0)


def ties(light: Floats, posterior: Posterior) -> tuple[Floats, ...]:
    """How strongly every other pixel of an L (h, w) is tied to each of its NEIGHBOURS among them.

    1 in what is even, near 0 across an edge, and to a pixel that lies on one: along an outline that runs aslant, from
    pixel to pixel, L goes from one side's to the other's in small steps.
    """
    even = _evenness(light)
    across, down = (_steepness(squares, light[::2, ::2].shape) for squares in posterior.steps())
    steepness = across, down, across + down, across + down
    found = []
    for (here, there), middle, steep in zip(NEIGHBOURS, _MIDDLES, steepness, strict=True):
        weakest = np.minimum(even[::2, ::2][here], even[::2, ::2][there])
        between = even[middle][: weakest.shape[0], : weakest.shape[1]]
        found.append(np.maximum(np.minimum(weakest, between) * np.exp(-steep[here]), WEAKEST))
    return tuple(found)


def _evenness(light: Floats) -> Floats:
    """1 where an L (h, w) is even, near 0 where it rises by more than RISE over two pixels, in any direction."""
    padded = np.pad(light, 1, "edge")
    down, across = padded[2:, 1:-1] - padded[:-2, 1:-1], padded[1:-1, 2:] - padded[1:-1, :-2]
    even: Floats = falling_off((np.square(down) + np.square(across)) / np.float32(RISE**2))
    return even


def falling_off(squares: Floats) -> Floats:
    """exp(-x^4 / 2) of x^2: flatter than a Gaussian below 1, and steeper above."""
    left: Floats = np.exp(np.square(squares) / -2)
    return left


def resized(plane: Floats, shape: tuple[int, ...]) -> Floats:
    """A plane (h, w), bilinearly."""
    height, width = shape
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))


def _steepness(squares: Floats, shape: tuple[int, ...]) -> Floats:
    if not squares.size:  # a photo of a single place
        return np.zeros(shape, np.float32)
    return resized(squares / np.float32(STEP**2), shape)
