"""Planes of half a guide's size brought to its size along its edges (Kopf et al. 2007, joint bilateral upsampling)."""

from __future__ import annotations

import numpy as np

from img2img.lab import Floats

_SPACE, _LIGHT = 0.6, 8.0  # standard deviations: of half-size pixels, and of L
_LITTLE = np.float32(1e-3)  # where nothing around is as light, or well tied, all of it counts


def enlarged(planes: Floats, firm: Floats, guide: Floats) -> Floats:
    """Planes (n, h, w) of every other pixel of a guide (2h, 2w) as (n, 2h, 2w): each a mean of the 3 x 3 around it.

    Those count most that are as light, and `firm` (h, w), well tied to their neighbours: one on an edge is not.
    """
    n, h, w = planes.shape
    fine = guide.reshape(h, 2, w, 2)
    total = np.zeros((n, h, 2, w, 2), np.float32)
    weights = np.zeros((h, 2, w, 2), np.float32)
    planes = np.pad(planes, ((0, 0), (1, 1), (1, 1)), "edge")
    light, firm = np.pad(guide[::2, ::2], 1, "edge"), np.pad(firm + _LITTLE, 1, "edge")
    for row in range(3):
        for column in range(3):
            place = slice(row, row + h), None, slice(column, column + w), None
            alike = np.exp(np.square((fine - light[place]) / np.float32(_LIGHT)) / -2) + _LITTLE
            weight = alike * firm[place] * _near(row - 1, column - 1)
            weights += weight
            total += weight * planes[:, *place]
    total /= weights
    return total.reshape(n, 2 * h, 2 * w)


def _near(row: int, column: int) -> Floats:
    """Of the pixel so many places off, for the 2 x 2 (1, 2, 1, 2) of a half-size pixel."""
    middle = np.array([0, 0.5], np.float32)
    down, across = np.square(middle - row)[None, :, None, None], np.square(middle - column)[None, None, None, :]
    near: Floats = np.exp((down + across) / np.float32(-2 * _SPACE**2))
    return near
