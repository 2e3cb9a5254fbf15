"""How far two sets of pictures lie apart, from their features: Frechet distance and KID, with bootstrap intervals.

torchmetrics has both for sets of one size that outnumber the features (its FID takes the square root of a product of
covariances by a general eigenvalue solver; its KID splits off equal subsets). Here a hundred pictures are compared with
a thousand, in 320 or 768 features, some hundred times over. Where torchmetrics can follow, the numbers are the same.
All features are on the CPU: what is done with them here is over before a GPU would have begun.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

RESAMPLES = 200
LEVEL = 0.95
"""Share of the resamples that an interval holds."""

Distance = Callable[[Tensor, Tensor], float]


class Interval(NamedTuple):
    """A measured value, and between which bounds it would lie for other pictures of the same kind."""

    value: float
    low: float
    high: float


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Squared Frechet distance of the Gaussians fitted to features (N, F) and (M, F) (Heusel, arXiv 1706.08500, eq. 6).

    Fewer pictures than features are allowed: the trace of the covariances' root is a sum of singular values
    (tr (A'A B'B)^1/2 = ||A B'||_*), in float64, and needs no inverse. Its bias grows as sets get smaller: compare only
    numbers from sets of equal sizes.
    """
    x, y = x.double(), y.double()
    a, b = _root_of_covariance(x), _root_of_covariance(y)
    if min(len(a), len(b)) > a.shape[1]:
        a, b = torch.linalg.qr(a, mode="r").R, torch.linalg.qr(b, mode="r").R
    overlap = torch.linalg.svdvals(a @ b.T).sum()
    spread = a.square().sum() + b.square().sum() - 2 * overlap
    return float((x.mean(0) - y.mean(0)).square().sum() + spread)


def _root_of_covariance(x: Tensor) -> Tensor:
    """(N, F) whose A'A is the unbiased covariance."""
    root: Tensor = (x - x.mean(0)) / (len(x) - 1) ** 0.5
    return root


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """KID of features (N, F) and (M, F): the unbiased squared MMD of (x'y / F + 1)^3 (Binkowski, arXiv 1801.01401).

    Around 0 for two samples of one distribution, whatever their sizes, and then negative half of the time.
    """
    once = [torch.ones(len(each), dtype=torch.float64) for each in (x, y)]
    return _Kernels(x, y).distance(*once)


class _Kernels:
    """The kernel between all pictures of two sets, kept for weighing them in many ways."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        x, y = x.double(), y.double()
        self._xx, self._yy, self._xy = _kernel(x, x), _kernel(y, y), _kernel(x, y)
        self._xx.fill_diagonal_(0)  # a picture is not compared with itself, nor with its copies in a resample
        self._yy.fill_diagonal_(0)

    def distance(self, of_x: Tensor, of_y: Tensor) -> float:
        """With how often each picture counts, (N,) and (M,)."""
        across = of_x @ self._xy @ of_y / (of_x.sum() * of_y.sum())
        return float(_mean_pair(self._xx, of_x) + _mean_pair(self._yy, of_y) - 2 * across)


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    kernel: Tensor = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def _mean_pair(kernel: Tensor, weights: Tensor) -> Tensor:
    """Over pairs of different pictures; the kernel's diagonal is 0."""
    mean: Tensor = weights @ kernel @ weights / (weights.sum() ** 2 - weights.square().sum())
    return mean


def frechet_interval(x: Tensor, y: Tensor, *, seed: int = 0) -> Interval:
    """`frechet_distance` with its bootstrap interval."""

    def resampled(of_x: Tensor, of_y: Tensor) -> float:
        return frechet_distance(x.repeat_interleave(of_x, 0), y.repeat_interleave(of_y, 0))

    return _interval(frechet_distance(x, y), resampled, x, y, seed)


def kernel_interval(x: Tensor, y: Tensor, *, seed: int = 0) -> Interval:
    """`kernel_distance` with its bootstrap interval."""
    kernels = _Kernels(x, y)

    def resampled(of_x: Tensor, of_y: Tensor) -> float:
        return kernels.distance(of_x.double(), of_y.double())

    return _interval(kernel_distance(x, y), resampled, x, y, seed)


def _interval(value: float, resampled: Distance, x: Tensor, y: Tensor, seed: int) -> Interval:
    """The value, and around it how the resamples spread around their own mean.

    Not the resamples' own quantiles: pictures that are drawn twice make a set smaller, and with it the Frechet
    distance's bias larger.
    """
    rng = np.random.default_rng(seed)
    found = np.array([resampled(_drawn(rng, len(x)), _drawn(rng, len(y))) for _ in range(RESAMPLES)])
    low, high = np.quantile(found - found.mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, value + float(low), value + float(high))


def _drawn(rng: np.random.Generator, count: int) -> Tensor:
    """(count,) int64: how often each picture is drawn, `count` times with replacement."""
    return torch.from_numpy(rng.multinomial(count, np.full(count, 1 / count)))
