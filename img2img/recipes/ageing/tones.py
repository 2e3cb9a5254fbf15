"""Tones that went wrong in the camera or in the years since: exposure, fading, vignettes.

Each takes greys (N, 1, H, W) in [0, 1], encoded as in sRGB, a strength (N, 1, 1, 1) of which 0 changes nothing, and the
samples' keys (N,); each gives greys of that range.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.randomness import uniform
from img2img.recipes.ageing.plane import drawn, places, toward

GAMMA = 2.2
"""Of sRGB, about: light doubles where the encoded grey grows 2 ** (1 / GAMMA) times."""
LOST_SHADOW = 0.05
"""Of the encoded range, for each stop too few: what the film's toe never shows."""
PATCHES = 4
"""Along each side: light, damp and bad air reached some parts of a print more than others."""


def overexposed(grey: Tensor, stops: Tensor, key: Tensor) -> Tensor:
    """Too much light by so many stops: what was bright is white and has no detail left."""
    return (grey * 2 ** (stops / GAMMA)).clamp(max=1)


def underexposed(grey: Tensor, stops: Tensor, key: Tensor) -> Tensor:
    """Too little light by so many stops: the shadows are blocked up."""
    return (grey / 2 ** (stops / GAMMA) - LOST_SHADOW * stops).clamp(min=0)


def faded(grey: Tensor, lost: Tensor, key: Tensor) -> Tensor:
    """Silver has bleached and paper has yellowed: that share of the contrast is lost, more of it to the blacks."""
    (share,) = drawn(key, "faded", (0.4, 1))
    return lost * share + (1 - lost) * grey


def unevenly_faded(grey: Tensor, strength: Tensor, key: Tensor) -> Tensor:
    """A smooth random field of lighter and darker patches: damp, glue, a frame that shaded one side."""
    field = 2 * uniform(key, (1, PATCHES, PATCHES), "unevenly faded") - 1
    smooth = F.interpolate(field, grey.shape[2:], mode="bicubic", align_corners=True).clamp(-1, 1)
    return toward(grey, strength * smooth)


def vignetted(grey: Tensor, strength: Tensor, key: Tensor) -> Tensor:
    """Toward the corners darker, as by a simple lens, or lighter (3 of 10), as a print that faded from its edges."""
    which, down, across = drawn(key, "vignette", (0, 1), (0.4, 0.6), (0.4, 0.6))
    y, x = places(grey)
    height, width = grey.shape[2:]
    squared = 2 * ((y / height - down) ** 2 + (x / width - across) ** 2)  # 1 in the corners, from the middle
    return toward(grey, torch.where(which < 0.3, strength, -strength) * squared.clamp(max=1))
