"""What lenses, films, presses and files make of fine detail: blur, grain, dots, blocks.

Arguments and results as in tones.py.
"""

from functools import lru_cache
from math import pi

import torch
from torch import Tensor

from img2img.randomness import uniform
from img2img.recipes.ageing.plane import bell, drawn, places

BLOCK = 8
SHARPNESS = 4.0
"""Of a halftone's dots: from ink to paper within a quarter of the greys."""
JPEG_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation steps of the 8 x 8 coefficients at quality 50 (ITU-T T.81, table K.1)."""


def soft(grey: Tensor, sigma: Tensor, key: Tensor) -> Tensor:
    """Blurred by a Gaussian of so many pixels: simple lenses, long exposures, a copy of a copy."""
    y, x = places(grey)
    return _gaussian(y, sigma) @ grey @ _gaussian(x.mT, sigma).mT


def _gaussian(along: Tensor, sigma: Tensor) -> Tensor:
    """(N, 1, S, S): the weight of every place (S, 1) in every other; rows add up to 1, so that edges stay as light."""
    weight = bell(along - along.mT, sigma.clamp(min=0.01))
    return weight / weight.sum(3, keepdim=True)


def film_grain(grey: Tensor, deviation: Tensor, key: Tensor) -> Tensor:
    """Silver in clumps: noise of that deviation in the middle greys, less toward black and white.

    Its grain is of any size up to a pixel and a half: a fast film, or a small part of a negative, enlarged.
    """
    (size,) = drawn(key, "grain, size", (0, 0.8))
    noise = soft(uniform(key, (1, *grey.shape[2:]), "grain") - 0.5, size, key)
    noise = noise / noise.std((2, 3), keepdim=True)
    return (grey + deviation * noise * (4 * grey * (1 - grey)).clamp(min=0.2)).clamp(0, 1)


def halftoned(grey: Tensor, share: Tensor, key: Tensor) -> Tensor:
    """That share of a newspaper's dots: a screen of ink whose dots grow with the darkness, on average as light.

    The mean of two triangular waves is mapped so that every threshold is as frequent as another.
    """
    period, angle = drawn(key, "halftone", (2, 4), (0.6, 1))
    y, x = places(grey)
    one = _triangle((x * angle.cos() + y * angle.sin()) / period)
    other = _triangle((y * angle.cos() - x * angle.sin()) / period)
    height = (one + other) / 2
    threshold = torch.where(height < 0.5, 2 * height**2, 1 - 2 * (1 - height) ** 2)
    return grey.lerp(((grey - threshold) * SHARPNESS + 0.5).clamp(0, 1), share)


def _triangle(phase: Tensor) -> Tensor:
    return (2 * (phase - phase.floor()) - 1).abs()


def blocky(grey: Tensor, coarseness: Tensor, key: Tensor) -> Tensor:
    """Saved as a small JPEG: the table of quality 50 times `coarseness` (2.5 is quality 20, 0.6 quality 70).

    Sides must be multiples of 8.
    """
    cosines, table = _cosines(grey.device), _table(grey.device)
    steps = (table * coarseness[..., None, None]).round().clamp(min=1)
    height, width = grey.shape[2:]
    blocks = (255 * grey - 128).reshape(-1, 1, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
    kept = (cosines @ blocks @ cosines.mT / steps).round() * steps
    whole = (cosines.mT @ kept @ cosines).transpose(3, 4).reshape(grey.shape)
    return torch.where(coarseness > 0, ((whole + 128) / 255).clamp(0, 1), grey)


def _cosines(device: torch.device) -> Tensor:
    """(8, 8): the orthonormal DCT-II, a frequency a row."""
    place = torch.arange(BLOCK, device=device)
    waves = torch.cos(pi / BLOCK * place[:, None] * (place + 0.5)) * (2 / BLOCK) ** 0.5
    return torch.where(place[:, None] == 0, BLOCK**-0.5, waves)


@lru_cache
def _table(device: torch.device) -> Tensor:
    """(8, 8), filled in number by number: a GPU would wait for a tensor copied to it from here."""
    table = torch.empty(BLOCK * BLOCK, device=device)
    for place, step in enumerate(JPEG_LUMINANCE):
        table[place] = step
    return table.view(BLOCK, BLOCK)
