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
        own, across = (self.mass + self.tied()).astype(np.float64), self.ties[0].astype(np.float64)
        inverses, rest = [_inverse(_row(own[0], across[0]))], [b[0].astype(np.float64)]
        for row in range(1, len(own)):
            down, falling, rising = self._below(row - 1)
            passed = _through(inverses[-1], down, falling, rising)
            rest.append(b[row] + passed @ rest[-1])
            inverses.append(_inverse(_row(own[row], across[row]) - _through(passed.T, down, falling, rising)))
        x = [inverses[-1] @ rest[-1]]
        for row in range(len(own) - 2, -1, -1):
            down, falling, rising = self._below(row)
            x.append(inverses[row] @ (rest[row] + _through(x[-1], down, rising, falling)))
        return np.stack(x[::-1])

    def _below(self, row: int) -> list[Doubles]:
        """A row's ties to the next: straight down, to the right, and from the pixel at the right to the left."""
        return [tie[row].astype(np.float64)[:, None] for tie in self.ties[1:]]


def _row(own: Doubles, across: Doubles) -> Doubles:
    """(w, w): a row's equations among its own pixels."""
    equations = np.diag(own)
    place = np.arange(len(across))
    equations[place, place + 1] = equations[place + 1, place] = -across
    return equations


def _through(values: Doubles, down: Doubles, falling: Doubles, rising: Doubles) -> Doubles:
    """What a row's values (w, n) come to in the next, weighed by its ties."""
    passed: Doubles = down * values
    passed[1:] += falling * values[:-1]
    passed[:-1] += rising * values[1:]
    return passed


def _inverse(matrix: Doubles) -> Doubles:
    """Of a symmetric positive definite matrix."""
    if len(matrix) <= _INVERTED_WHOLE:
        return np.asarray(np.linalg.inv(matrix), np.float64)
    half = len(matrix) // 2
    first = _inverse(matrix[:half, :half])
    bridge = first @ matrix[:half, half:]
    last = _inverse(matrix[half:, half:] - matrix[half:, :half] @ bridge)
    inverse = np.empty_like(matrix)
    inverse[half:, half:] = last
    inverse[:half, half:] = -bridge @ last
    inverse[half:, :half] = inverse[:half, half:].T
    inverse[:half, :half] = first - inverse[:half, half:] @ bridge.T
    return inverse
