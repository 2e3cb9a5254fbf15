"""How like its original a translation is: cheap figures that tell a translator gone wrong, all on the device."""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.lab import BT601

BORDER = 1 / 8
"""Share of a side that counts as border, on each: there a photo mostly shows what stands behind its subject."""
CLEARLY = 0.1
"""Share of the range by which a changed pixel differs to the eye."""


def translation_figures(*ways: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Scalars, the worst of several generators'; each way is pictures (N, 3, H, W) in [-1, 1] and what they became.

    "change": mean absolute difference, as a share of the range.
    "luma": correlation of light and dark over a picture's pixels, in [-1, 1].
    "colour": how far colours, as deviations from grey, point the same way, in [-1, 1].
    "repainted": share of the pixels at the border that differ clearly.
    """
    figures = [torch.stack([_change(*way), _luma(*way), _colour(*way), -_repainted(*way)]) for way in ways]
    change, luma, colour, kept = torch.stack(figures).amin(0)
    return {"change": change, "luma": luma, "colour": colour, "repainted": -kept}


def _change(x: Tensor, y: Tensor) -> Tensor:
    return (y - x).abs().mean() / 2


def _luma(x: Tensor, y: Tensor) -> Tensor:
    x, y = (_grey(one).flatten(1) for one in (x, y))
    return _cosine(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True))


def _colour(x: Tensor, y: Tensor) -> Tensor:
    return _cosine((x - _grey(x)).flatten(1), (y - _grey(y)).flatten(1))


def _repainted(x: Tensor, y: Tensor) -> Tensor:
    height, width = x.shape[2:]
    changed = ((y - x).abs().mean(1) / 2 > CLEARLY).float()
    top, left = round(height * BORDER), round(width * BORDER)
    inside = F.pad(changed.new_ones(height - 2 * top, width - 2 * left), (left, left, top, top))
    return (changed * (1 - inside)).mean() / (1 - inside).mean()


def _grey(x: Tensor) -> Tensor:
    """(N, 1, H, W): the luma."""
    red, green, blue = x.unbind(1)
    return (BT601[0] * red + BT601[1] * green + BT601[2] * blue)[:, None]


def _cosine(x: Tensor, y: Tensor) -> Tensor:
    """Of the rows of two (N, D), on average; what is fainter than a grey level agrees with nothing, nor opposes it."""
    return F.cosine_similarity(x, y, dim=1, eps=sqrt(x.shape[1]) / 127.5).mean()
