"""What the kinds of ageing share: numbers drawn from keys, places in a picture, a mix toward white or black."""

import torch
from torch import Tensor

from img2img.randomness import uniform


def drawn(key: Tensor, purpose: str, *ranges: tuple[float, float]) -> tuple[Tensor, ...]:
    """For each range (low, high) a tensor (N, 1, 1, 1), uniform between the two."""
    shares = uniform(key, (len(ranges), 1, 1, 1), purpose).unbind(1)
    return tuple(low + (high - low) * share for (low, high), share in zip(ranges, shares, strict=True))


def places(plane: Tensor) -> tuple[Tensor, Tensor]:
    """The centres of the pixels of (N, 1, H, W) in pixels: rows (H, 1) and columns (1, W)."""
    height, width = plane.shape[2:]
    down, across = (torch.arange(side, device=plane.device) + 0.5 for side in (height, width))
    return down[:, None], across[None]


def toward(grey: Tensor, cover: Tensor) -> Tensor:
    """Mixed with white where `cover` is above 0, with black where it is below: 1 and -1 leave nothing of the grey."""
    return grey + cover * torch.where(cover > 0, 1 - grey, grey)


def bell(distance: Tensor, sigma: Tensor) -> Tensor:
    """A Gaussian, 1 at a distance of 0.

    It ends at 4e-18: numbers so small that floats lose digits would slow a matrix product down tenfold.
    """
    return torch.exp((-0.5 * (distance / sigma) ** 2).clamp(min=-40))
