"""From a batch of colour photos to what a colorizer trains on: the grey as users have it, and the true chroma."""

import torch
from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor

from img2img.networks.quantised_ab import AB_SCALE, L_SCALE

BT601 = (0.299, 0.587, 0.114)
BT709 = (0.2126, 0.7152, 0.0722)


@torch.no_grad()
def split(image: Tensor) -> tuple[Tensor, Tensor]:
    """RGB (N, 3, H, W) in [-1, 1] -> L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W).

    L is made in turn from BT.601 luma (JPEG, Pillow), BT.709 luma (television) and CIE L*, because a grey photo does
    not tell how it was made grey.
    """
    with torch.autocast(image.device.type, enabled=False):
        rgb = (image.float() + 1) / 2
        lab = rgb_to_lab(rgb)
        lightness = lab[:, :1]
        for first, weights in enumerate((BT601, BT709)):
            lightness[first::3] = _grey_lightness(rgb[first::3], weights)
        return lightness / L_SCALE - 1, lab[:, 1:] / AB_SCALE


def _grey_lightness(rgb: Tensor, weights: tuple[float, float, float]) -> Tensor:
    luma = torch.einsum("nchw,c->nhw", rgb, rgb.new_tensor(weights))[:, None]
    return rgb_to_lab(luma.expand(-1, 3, -1, -1))[:, :1]


@torch.no_grad()
def join(lightness: Tensor, ab: Tensor) -> Tensor:
    """L / 50 - 1 (N, 1, H, W) and ab / 110 (N, 2, H, W) -> RGB (N, 3, H, W) in [-1, 1], clipped to what sRGB shows."""
    lab = torch.cat([(lightness.float() + 1) * L_SCALE, ab.float() * AB_SCALE], dim=1)
    rgb: Tensor = lab_to_rgb(lab)
    return rgb * 2 - 1


def preview_rows(lightness: Tensor, predicted: Tensor, image: Tensor) -> Tensor:
    """(N, 3, 3, H, W): the grey photo, the coloured one, the truth."""
    return torch.stack([join(lightness, torch.zeros_like(predicted)), join(lightness, predicted), image], 1)
