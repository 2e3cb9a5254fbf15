"""Planes of half a guide's size brought to its size along its edges (Kopf et al. 2007, joint bilateral upsampling)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from img2img.lab import Floats

_SPACE, _LIGHT = 0.6, 8.0  # standard deviations: of half-size pixels, and of L
_LITTLE = np.float32(1e-3)  # where nothing around is as light, or well tied, all of it counts


def enlarged(planes: Floats, firm: Floats, guide: Floats) -> Floats:
    """Planes (n, h, w) of every other pixel of a guide (2h, 2w) as (n, 2h, 2w): each a mean of the 3 x 3 around it.

    Those count most that are as light, and `firm` (h, w), well tied to their neighbours: one on an edge is not.
    """
    n, h, w = planes.shape
    padded = [np.pad(plane, 1, "edge") for plane in (*planes, firm + _LITTLE, guide[::2, ::2])]
    fine = np.empty((n, 2 * h, 2 * w), np.float32)
    for phase in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = np.s_[phase[0] :: 2, phase[1] :: 2]
        fine[:, *place] = _of_phase(padded, np.ascontiguousarray(guide[place]), phase)
    return fine


def _of_phase(padded: Sequence[Floats], guide: Floats, phase: tuple[int, int]) -> Floats:
    """The pixels (n, h, w) of `enlarged` that lie half a pixel below, to the right, or both."""
    h, w = guide.shape
    weights, total = np.zeros_like(guide), np.zeros((len(padded) - 2, h, w), np.float32)
    for row in range(3):
        for column in range(3):
            *planes, firm, light = (each[row : row + h, column : column + w] for each in padded)
            off = (row - 1 - phase[0] / 2) ** 2 + (column - 1 - phase[1] / 2) ** 2
            alike = np.exp(np.square((guide - light) / np.float32(_LIGHT)) / -2) + _LITTLE
            weight = alike * firm * np.float32(np.exp(off / (-2 * _SPACE**2)))
            weights += weight
            for sums, plane in zip(total, planes, strict=True):
                sums += weight * plane
    total /= weights
    return total
