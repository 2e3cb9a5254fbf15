"""A colorizer's classes of colour: where they lie in ab, what colours count to which, and the mean colour of logits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from img2img.lab import Floats

NEIGHBOURS, NEIGHBOUR_SIGMA = 3, 5.0  # those of the training's soft targets
MAX_LOGIT = 60.0  # as in the graph: float32 holds its exp
_SPAN = 512  # more than sRGB's a or b has whole steps, from below 0 to above
_ENLARGED = 4  # logits have a quarter of the small copy's sides


@dataclass(frozen=True, eq=False)
class ColorClasses:
    """Where a model's Q classes lie, `centres` (Q, 2) in units of ab, and their `frequency` (Q,) in its training.

    `temperature` and `saturation` are those of the model's annealed mean: ab = saturation sum_q c_q w_q e_q / sum_q
    w_q e_q, e = exp(logits / temperature), with a prior w.
    """

    centres: Floats
    frequency: Floats
    temperature: float = 1.0
    saturation: float = 1.0

    def shares(self, ab: Floats, weights: Floats) -> Floats:
        """(Q,), sum 1: how much of the colours ab (N, 2) falls to each class; `weights` (N,), not all 0.

        Each counts to its 3 nearest classes by a Gaussian, as in training (Zhang, arXiv 1603.08511, section 2.2), where
        it lies on a grid of 1 unit: photos have few such colours, and a hundred times as many pixels.
        """
        a, b = np.rint(ab).astype(np.intp).T + _SPAN // 2
        amount = np.bincount(_SPAN * a + b, weights, _SPAN**2)
        seen = np.flatnonzero(amount)
        colors, amount = np.stack(np.divmod(seen, _SPAN), 1) - _SPAN // 2, amount[seen]
        distance = _squared_distances(colors, self.centres)
        count = min(NEIGHBOURS, len(self.centres))
        nearest = np.argpartition(distance, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(distance, nearest, 1)
        share = np.exp((near.min(1, keepdims=True) - near) / (2 * NEIGHBOUR_SIGMA**2))
        share *= (amount / share.sum(1))[:, None]
        total = np.bincount(nearest.ravel(), share.ravel(), len(self.centres))
        return np.asarray(total / total.sum(), np.float32)

    def smoothed(self, shares: Floats) -> Floats:
        """Shares (Q,) with a little of each spread over its neighbours, as training smooths its frequencies."""
        spread: Floats = shares @ self._smoothing
        return spread

    @cached_property
    def _smoothing(self) -> Floats:
        kernel = np.exp(-_squared_distances(self.centres, self.centres) / (2 * NEIGHBOUR_SIGMA**2))
        kernel[kernel < 1e-9] = 0  # in float32 they would be denormal, and ten times as slow
        return np.asarray(kernel / kernel.sum(1, keepdims=True), np.float32)

    def sharpened(self, logits: Floats) -> Floats:
        """exp(logits / temperature), bounded, for logits (Q, N) of any scale."""
        sharp: Floats = logits * np.float32(1 / self.temperature)
        np.clip(sharp, -MAX_LOGIT, MAX_LOGIT, out=sharp)
        np.exp(sharp, out=sharp)
        return sharp

    def annealed_mean(self, logits: Floats, prior: Floats) -> Floats:
        """ab (2, 4 h, 4 w) of logits (Q, h, w) with a prior (Q,): what the graph computes.

        Classes whose prior is 0 cost nothing.
        """
        q, h, w = logits.shape
        kept = np.flatnonzero(prior)
        colors = np.stack([*(self.saturation * self.centres.T), np.ones(q)])[:, kept] * prior[kept]
        sums = colors.astype(np.float32) @ self.sharpened(logits.reshape(q, -1)[kept])
        return _enlarged((sums[:2] / sums[2]).reshape(2, h, w))


def _squared_distances(some: Floats, others: Floats) -> npt.NDArray[np.float64]:
    """(N, M), in float64: of classes on a grid many are equally near."""
    difference = some[:, None].astype(np.float64) - others
    return np.asarray(np.square(difference).sum(2))


def _enlarged(planes: Floats) -> Floats:
    """Bilinearly, as the graph does; as products of matrices in a quarter of Pillow's time."""
    rows, columns = (_interpolation(side) for side in planes.shape[1:])
    return np.asarray(rows @ planes @ columns.T, np.float32)


@lru_cache(maxsize=16)
def _interpolation(side: int) -> Floats:
    """(4 side, side): what each value along an enlarged side takes of those around it."""
    place = np.clip((np.arange(_ENLARGED * side) + 0.5) / _ENLARGED - 0.5, 0, side - 1)
    weights = np.maximum(1 - np.abs(place[:, None] - np.arange(side)), 0)
    return np.asarray(weights, np.float32)
