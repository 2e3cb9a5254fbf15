"""Greys as old emulsions made them: they saw little of red, the first of them nothing but blue.

Silver halide answers to blue alone. Dyes made plates orthochromatic, for green, from the 1880s on, and panchromatic,
for all that we see, after 1906; many went on with the older ones for decades. Lips and brick go dark, skies white.
"""

import torch
from torch import Tensor

from img2img.recipes.ageing.plane import drawn
from img2img.recipes.photo_lab import encoded, linear

MOST_EXPOSURE = 2.0
"""How much longer, or shorter, the photographer exposes for what the emulsion sees of the scene."""


def orthochromatic(colour: Tensor, grey: Tensor, share: Tensor, key: Tensor) -> Tensor:
    """Green and blue with hardly any red, in that share of the grey."""
    red, green = drawn(key, "orthochromatic", (0, 0.15), (0.3, 0.6))
    return _developed(colour, grey, share, torch.cat([red, green, 1 - red - green], 1))


def blue_sensitive(colour: Tensor, grey: Tensor, share: Tensor, key: Tensor) -> Tensor:
    """Blue with a little green, in that share of the grey: wet plates and the first dry ones."""
    blue, red_of_rest = drawn(key, "blue-sensitive", (0.7, 1), (0, 0.3))
    rest = 1 - blue
    return _developed(colour, grey, share, torch.cat([rest * red_of_rest, rest * (1 - red_of_rest), blue], 1))


def _developed(colour: Tensor, grey: Tensor, share: Tensor, weights: Tensor) -> Tensor:
    """The grey with that share of the light that the emulsion took in, exposed so that the mean light stays.

    `weights` (N, 3, 1, 1) of linear red, green and blue add up to 1, so that a grey scene stays what it is.
    """
    light = (linear(colour) * weights).sum(1, keepdim=True)
    seen = linear(grey)
    wanted = seen.mean((2, 3), keepdim=True) / light.mean((2, 3), keepdim=True).clamp(min=1e-3)
    light = light * wanted.clamp(1 / MOST_EXPOSURE, MOST_EXPOSURE)
    return encoded(seen.lerp(light, share).clamp(0, 1))
