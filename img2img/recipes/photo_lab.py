"""From a batch of colour photos to what a colorizer trains on: the grey as users have it, and the true chroma."""

import torch
from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor

from img2img.networks.quantised_ab import AB_SCALE, L_SCALE

BT601 = (0.299, 0.587, 0.114)
BT709 = (0.2126, 0.7152, 0.0722)
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
        way = torch.zeros(len(rgb), dtype=torch.int64, device=rgb.device) if grey is None else grey % GREYS
        lab = rgb_to_lab(rgb)
        weights = rgb.new_tensor([BT601, BT709, BT601])[way]
        luma = torch.einsum("nchw,nc->nhw", rgb, weights)[:, None]
        of_luma = rgb_to_lab(luma.expand(-1, 3, -1, -1))[:, :1]
        lightness = torch.where((way == GREYS - 1).view(-1, 1, 1, 1), lab[:, :1], of_luma)
        return lightness / L_SCALE - 1, lab[:, 1:] / AB_SCALE


@torch.no_grad()
def join(lightness: Tensor, ab: Tensor) -> Tensor:
    """L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W) -> RGB (N, 3, H, W) in [-1, 1], clipped to what sRGB shows."""
    lab = torch.cat([(lightness.float() + 1) * L_SCALE, ab.float() * AB_SCALE], dim=1)
    rgb: Tensor = lab_to_rgb(lab)
    return rgb * 2 - 1


def preview_rows(lightness: Tensor, predicted: Tensor, image: Tensor) -> Tensor:
    """(N, 3, 3, H, W): the grey photo, the coloured one, the truth."""
    return torch.stack([join(lightness, torch.zeros_like(predicted)), join(lightness, predicted), image], 1)
