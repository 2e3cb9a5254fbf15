"""The plane of Lab chroma cut into classes: a grid over what sRGB can show, soft targets, and the way back.

Zhang, Isola & Efros, Colorful Image Colorization (arXiv 1603.08511), section 2.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from img2img.lab import rgb_to_lab

AB_SCALE = 110.0
L_SCALE = 50.0
GRID_STEP = 10.0
NEIGHBOURS = 3
NEIGHBOUR_SIGMA = 5.0
MAX_LOGIT = 60.0
_WIDE = 1_000  # more than the cells that lie side by side


@lru_cache
def _in_gamut_centres() -> Tensor:
    levels = np.linspace(0, 1, 52, dtype=np.float32)
    rgb = np.stack(np.meshgrid(levels, levels, levels)).reshape(3, 52, -1)
    a, b = np.rint(rgb_to_lab(rgb)[1:] / np.float32(GRID_STEP)).astype(np.int64)
    across = np.unique(a * _WIDE + b + _WIDE // 2)  # of numbers: rows are sorted in ten times the time
    cells = np.stack([across // _WIDE, across % _WIDE - _WIDE // 2], axis=1)
    return torch.from_numpy(cells).float() * GRID_STEP


def class_centres() -> Tensor:
    """(Q, 2): the ab of every cell of a 10-unit grid that some sRGB colour falls into."""
    return _in_gamut_centres().clone()


class QuantisedAb(nn.Module):
    """Between ab (N, 2, H, W), in units of 110, and the classes (N, Q, H, W)."""

    centres: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centres", class_centres(), persistent=False)

    def __len__(self) -> int:
        return len(self.centres)

    @torch.no_grad()
    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Soft targets: each colour's 3 nearest classes (N, 3, H, W), and its share in each, by a Gaussian."""
        n, _, h, w = ab.shape
        colours = ab.float().movedim(1, -1).reshape(-1, 2) * AB_SCALE
        distance, nearest = torch.cdist(colours, self.centres).topk(NEIGHBOURS, largest=False)
        share = torch.softmax(-distance.square() / (2 * NEIGHBOUR_SIGMA**2), dim=1)
        return nearest.view(n, h, w, -1).movedim(-1, 1), share.view(n, h, w, -1).movedim(-1, 1)

    def decode(self, logits: Tensor, temperature: float, prior: Tensor | None = None) -> Tensor:
        """The annealed mean: softmax sharpened by `temperature` in (0, 1], then the mean colour (eq. 5).

        `prior` (Q,), above 0, multiplies what the sharpened softmax gives each class; ones change nothing.

        Softmax and mean are one convolution of exp(logits), whose third output is the sum to divide by: in ONNX Runtime
        a softmax across channels costs as much as the whole encoder. The bound keeps float32 finite.
        """
        weights = torch.exp((logits / temperature).clamp(-MAX_LOGIT, MAX_LOGIT))
        colours = torch.cat([self.centres / AB_SCALE, torch.ones_like(self.centres[:, :1])], dim=1).T
        if prior is not None:
            colours = colours * prior
        sums = nn.functional.conv2d(weights, colours[:, :, None, None].to(weights.dtype))
        return sums[:, :2] / sums[:, 2:]

    def smoothing(self) -> Tensor:
        """(Q, Q), rows summing to 1: a Gaussian of 5 units over neighbouring classes."""
        kernel = torch.exp(-torch.cdist(self.centres, self.centres).square() / (2 * NEIGHBOUR_SIGMA**2))
        return kernel / kernel.sum(1, keepdim=True)
