"""How varied a generator's samples are beside the data: cheap figures from pairwise distances, all on the device."""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

MOST = 64
"""Pictures compared; more of them cost memory and say little more."""
FEWEST = 4
"""Pictures below which a mean distance says nothing."""
SIDE = 16
"""Pictures are shrunk to this many pixels a side first: what one sees from afar, not the noise."""
GREY_LEVEL = 1 / 127.5
"""Differences below one grey level of 255 are none: so one picture, repeated, is as varied as itself."""
TWIN = 0.1
"""Share of the data's typical distance to the nearest neighbour below which two samples are the same picture.

Measured on digits: samples of varied runs lie at 0.2 or more, those of a generator that knows a few digits below 0.1.
"""


@torch.no_grad()
def diversity_figures(samples: Tensor, data: Tensor) -> dict[str, Tensor]:
    """Scalars that tell how samples (N, C, H, W) spread beside data of the same size; of videos, the last frame counts.

    "diversity": mean distance between two samples over that between two of the data; 1 is as it should be.
    "duplicates": share, in [0, 1], of samples that have a twin in the batch.
    "apart": mean distance between a sample and a picture of the data. No critic with slope 1 or less sees a Wasserstein
    distance above that (Kantorovich & Rubinstein: the distance is the least mean over all ways to pair the two).

    Empty when there are too few pictures to compare. Asks nothing of the host: no synchronisation.
    """
    count = min(len(samples), len(data), MOST)
    if count < FEWEST:
        return {}
    data, samples = _pictures(data[:count]), _pictures(samples[:count])
    if data.ndim == 4 and samples.shape[1] == 1:
        data = data.mean(1, keepdim=True)
    near, near_data = _distances(_shrunk(samples)), _distances(_shrunk(data))
    typical = _nearest(near_data).median()
    return {
        "diversity": (_mean(near) + GREY_LEVEL) / (_mean(near_data) + GREY_LEVEL),
        "duplicates": (_nearest(near) < TWIN * typical).float().mean(),
        "apart": torch.cdist(samples.flatten(1), data.flatten(1)).mean(),
    }


def _pictures(x: Tensor) -> Tensor:
    return (x[:, :, -1] if x.ndim == 5 else x).float()


def _shrunk(x: Tensor) -> Tensor:
    """(N, D): pictures of at most SIDE pixels a side; what is no picture stays as it is."""
    if x.ndim == 4:
        x = F.adaptive_avg_pool2d(x, (min(SIDE, x.shape[2]), min(SIDE, x.shape[3])))
    return x.flatten(1)


def _distances(x: Tensor) -> Tensor:
    """(N, N): root mean square difference of any two rows of (N, D)."""
    # the differences themselves: through a matrix product, two equal pictures would lie 1e-3 apart
    distances: Tensor = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    return distances / sqrt(x.shape[1])


def _mean(distances: Tensor) -> Tensor:
    """Over the pairs of two different rows."""
    count = len(distances)
    return distances.sum() / (count * (count - 1))


def _nearest(distances: Tensor) -> Tensor:
    """(N,): how far each row's nearest other row is."""
    itself = torch.eye(len(distances), dtype=torch.bool, device=distances.device)
    return distances.masked_fill(itself, float("inf")).amin(1)
