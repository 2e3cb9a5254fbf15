"""Equations on a grid of pixels, each tied to its 8 neighbours, and their solution.

With masses m > 0 and ties w >= 0 the solution x is where sum_i (m_i x_i^2 - 2 b_i x_i) + sum_ij w_ij (x_i - x_j)^2,
over pairs ij, is least: m_i x_i + sum_j w_ij (x_i - x_j) = b_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from img2img.lab import Floats

Doubles = npt.NDArray[np.float64]

Slices = tuple[slice, slice]
_ALL, _FIRST, _LAST = slice(None), slice(None, -1), slice(1, None)
NEIGHBOURS: tuple[tuple[Slices, Slices], ...] = (
    ((_ALL, _FIRST), (_ALL, _LAST)),
    ((_FIRST, _ALL), (_LAST, _ALL)),
    ((_FIRST, _FIRST), (_LAST, _LAST)),
    ((_FIRST, _LAST), (_LAST, _FIRST)),
)
"""Pixels and their neighbours: to the right, below, below right, and, from the pixel at the right, below left."""
_INVERTED_WHOLE = 48  # rows: NumPy's inverse costs twice what two halves of a larger matrix and their products do


@dataclass(frozen=True, eq=False)
class GridEquations:
    """`mass` (h, w), above 0; `ties`, one array for each of NEIGHBOURS, of as many as there are such pairs."""

    mass: Floats
    ties: tuple[Floats, ...]

    def tied(self) -> Floats:
        """The sum of each pixel's ties (h, w)."""
        total = np.zeros_like(self.mass)
        for tie, (here, there) in zip(self.ties, NEIGHBOURS, strict=True):
            total[here] += tie
            total[there] += tie
        return total

    def solved(self, b: Floats) -> Floats:
        """x (n, h, w) for right sides b (n, h, w)."""
        _, h, w = b.shape
        if w > h:
            return np.moveaxis(self._turned().solved(np.moveaxis(b, 1, 2)), 1, 2)
        return np.moveaxis(self._by_rows(np.moveaxis(b, 0, 2)), 2, 0).astype(np.float32)

    def _turned(self) -> GridEquations:
        across, down, falling, rising = (tie.T for tie in self.ties)
        return GridEquations(self.mass.T, (down, across, falling, rising))

    def _by_rows(self, b: Floats) -> Doubles:
        """Row after row eliminated (block Gauss, no pivots: what is left stays positive definite), then put in again.

        b and x are (h, w, n) here. In float64: across many weak ties float32 runs into subnormal numbers, which are
        ten times slower.
        """
        inverses, links, rest = [], [], [b[0].astype(np.float64)]
        own, across = (self.mass + self.tied()).astype(np.float64), self.ties[0].astype(np.float64)
        left = _row(own[0], across[0])
        for row in range(1, len(own)):
            inverse, link = _inverse(left), self._link(row - 1)
            passed = link.T @ inverse
            left = _row(own[row], across[row]) - passed @ link
            rest.append(b[row] + passed @ rest[-1])
            inverses.append(inverse)
            links.append(link)
        x = [_inverse(left) @ rest[-1]]
        for inverse, link, value in zip(inverses[::-1], links[::-1], rest[-2::-1], strict=True):
            x.append(inverse @ (value + link @ x[-1]))
        return np.stack(x[::-1])

    def _link(self, row: int) -> Doubles:
        """(w, w): the ties of a row's pixels to those of the next."""
        _, down, falling, rising = (tie[row].astype(np.float64) for tie in self.ties)
        return np.diag(down) + np.diag(falling, 1) + np.diag(rising, -1)


def _row(own: Doubles, across: Doubles) -> Doubles:
    """(w, w): a row's equations among its own pixels."""
    return np.diag(own) - np.diag(across, 1) - np.diag(across, -1)


def _inverse(matrix: Doubles) -> Doubles:
    """Of a symmetric positive definite matrix."""
    if len(matrix) <= _INVERTED_WHOLE:
        return np.asarray(np.linalg.inv(matrix), np.float64)
    half = len(matrix) // 2
    first = _inverse(matrix[:half, :half])
    bridge = first @ matrix[:half, half:]
    last = _inverse(matrix[half:, half:] - matrix[half:, :half] @ bridge)
    corner = bridge @ last
    return np.block([[first + corner @ bridge.T, -corner], [-corner.T, last]])
