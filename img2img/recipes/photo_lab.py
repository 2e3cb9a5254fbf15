"""From a batch of colour photos to what a colorizer trains on: the grey as users have it, and the true chroma."""

import torch
from kornia.color import lab_to_rgb
from torch import Tensor

from img2img.lab import BT601, BT709, D65, XYZ_OF_RGB
from img2img.networks.quantised_ab import AB_SCALE, L_SCALE

GREYS = 3
"""How many ways a grey photo can have been made: BT.601 luma (JPEG, Pillow), BT.709 luma (television), CIE L*."""


@torch.no_grad()
def split(image: Tensor, grey: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """RGB (N, 3, H, W) in [-1, 1] -> L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W).

    `grey` (N,) int64 numbers the way in which each photo is made grey, since a grey photo does not tell how it was:
    taken modulo 3, so that a sample's key will do; BT.601 where it is left out.
    """
    with torch.autocast(image.device.type, enabled=False):
        rgb = (image.float() + 1) / 2
        lab = to_lab(rgb)
        way = torch.zeros(len(rgb), dtype=torch.int64, device=rgb.device) if grey is None else grey % GREYS
        way = way.view(-1, 1, 1, 1)
        luma = torch.where(way == 1, _weighted(rgb, BT709), _weighted(rgb, BT601))
        lightness = torch.where(way == GREYS - 1, lab[:, :1], _lightness(linear(luma)))
        return lightness / L_SCALE - 1, lab[:, 1:] / AB_SCALE


def to_lab(rgb: Tensor) -> Tensor:
    """sRGB (N, 3, H, W) in [0, 1] -> CIE L*a*b* of the D65 white (N, 3, H, W).

    As Kornia's, which makes its matrix and white point anew on the host each time: a GPU would wait for them.
    """
    light = linear(rgb)
    x, y, z = (_cube_root(_weighted(light, row) / white) for row, white in zip(XYZ_OF_RGB, D65, strict=True))
    return torch.cat([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def _lightness(luminance: Tensor) -> Tensor:
    """L* of a luminance in [0, 1]."""
    return 116 * _cube_root(luminance) - 16


def grey_lightness(grey: Tensor) -> Tensor:
    """L / 50 - 1 of greys in [0, 1], encoded as in sRGB."""
    root = _power((grey + 0.055) / 1.055, 2.4 / 3)  # of the light, where sRGB's curve is a power
    light = torch.where(grey > 0.04045, root**3, grey / 12.92)
    return torch.where(light > 0.008856, 116 * root - 16, 116 * 7.787 * light) / L_SCALE - 1


def encoded_grey(lightness: Tensor) -> Tensor:
    """The grey in [0, 1], encoded as in sRGB, that has this L / 50 - 1."""
    root = ((lightness + 1) * L_SCALE + 16) / 116
    return encoded(torch.where(root > 6 / 29, root**3, (root - 4 / 29) / 7.787))


def linear(shown: Tensor) -> Tensor:
    """sRGB's transfer function undone (IEC 61966-2-1)."""
    return torch.where(shown > 0.04045, ((shown + 0.055) / 1.055).clamp(min=0).pow(2.4), shown / 12.92)


def encoded(light: Tensor) -> Tensor:
    """sRGB's transfer function, for linear light in [0, 1]."""
    curve = 1.055 * _power(light.clamp(min=0.0031308), 1 / 2.4) - 0.055
    return torch.where(light > 0.0031308, curve, 12.92 * light)


def _power(base: Tensor, exponent: float) -> Tensor:
    """In a third of the time that `pow` takes, and rounded a little differently: bases above 0."""
    return (base.log() * exponent).exp()


def _cube_root(t: Tensor) -> Tensor:
    """f of CIE 15:2004, section 8.2.1: a cube root that becomes a line below (6 / 29)**3."""
    return torch.where(t > 0.008856, t.clamp(min=0.008856).pow(1 / 3), 7.787 * t + 4 / 29)


def _weighted(rgb: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """(N, 1, H, W): the sum of the three channels, each times its weight."""
    red, green, blue = weights
    return red * rgb[:, 0:1] + green * rgb[:, 1:2] + blue * rgb[:, 2:3]


def as_rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    """L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W) -> RGB (N, 3, H, W) in [-1, 1], clipped to what sRGB shows."""
    lab = torch.cat([(lightness.float() + 1) * L_SCALE, ab.float() * AB_SCALE], dim=1)
    rgb: Tensor = lab_to_rgb(lab)
    return rgb * 2 - 1


@torch.no_grad()
def preview_rows(lightness: Tensor, predicted: Tensor, image: Tensor) -> Tensor:
    """(N, 3, 3, H, W): the grey photo, the coloured one, the truth."""
    return torch.stack([as_rgb(lightness, torch.zeros_like(predicted)), as_rgb(lightness, predicted), image], 1)
