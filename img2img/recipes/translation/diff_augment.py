"""Differentiable augmentation of what a discriminator sees (Zhao et al. 2020, DiffAugment, arXiv 2006.10738).

With few pictures a discriminator learns them by heart. Augmenting real and fake alike, with gradients through it,
hinders that and leaves no trace in what the generator draws. Each function takes pictures (N, 3, H, W), a key (N,) for
each and a purpose, of which its random numbers are a function.
"""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.randomness import uniform

SHIFT = 1 / 8
"""Share of a side by which a picture moves at most."""
HOLE = 1 / 2
"""Share of a side that the hole of a cutout has."""


def diff_augment(images: Tensor, key: Tensor, purpose: str, policy: Iterable[str], strength: float) -> Tensor:
    """The pictures after each augmentation of `policy`; `strength` is that of the colours, 1 as in the paper."""
    for name in policy:
        images = AUGMENTATIONS[name](images, key, f"{purpose}, {name}", strength)
    return images


def color(images: Tensor, key: Tensor, purpose: str, strength: float) -> Tensor:
    """Brightness moved by up to 0.5, then saturation times 0 to 2, then contrast times 0.5 to 1.5."""
    drawn = (2 * uniform(key, (3,), purpose) - 1) * strength
    brightness, saturation, contrast = drawn[:, :, None, None, None].unbind(1)
    images = images + brightness / 2
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (1 + saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (1 + contrast / 2)


def translation(images: Tensor, key: Tensor, purpose: str, _: float) -> Tensor:
    """Moved by up to an eighth of each side; what comes into view is 0."""
    height, width = images.shape[2:]
    for dimension, side, drawn in zip((2, 3), (height, width), uniform(key, (2,), purpose).unbind(1), strict=True):
        most = round(side * SHIFT)
        start = (drawn * (2 * most + 1)).long()
        padded = F.pad(images, (0, 0, most, most) if dimension == 2 else (most, most, 0, 0))
        seen = start[:, None] + torch.arange(side, device=images.device)
        index = seen.view(len(seen), 1, side, 1) if dimension == 2 else seen.view(len(seen), 1, 1, side)
        images = padded.gather(dimension, index.expand_as(images))
    return images


def cutout(images: Tensor, key: Tensor, purpose: str, _: float) -> Tensor:
    """A hole of 0 of half of each side, whose middle lies anywhere."""
    height, width = images.shape[2:]
    down, right = uniform(key, (2,), purpose).unbind(1)
    hole = _within(down, height)[:, :, None] & _within(right, width)[:, None, :]
    return images * ~hole[:, None]


def _within(middle: Tensor, side: int) -> Tensor:
    """(N, side): the places that lie in a hole around `middle` (N,), a share of the side."""
    hole = round(side * HOLE)
    offset = torch.arange(side, device=middle.device) - (middle * side).floor()[:, None] + hole // 2
    return (offset >= 0) & (offset < hole)


AUGMENTATIONS: dict[str, Callable[[Tensor, Tensor, str, float], Tensor]] = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
}
