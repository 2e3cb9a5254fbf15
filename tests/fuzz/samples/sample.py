"""What a sample is, and the pictures that samples show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[Any]
HEIGHT, WIDTH = 20, 27  # odd and unequal: what takes one for the other is seen


@dataclass(frozen=True)
class Sample:
    """`name` is its group's and its own, png/rgb8; `targets` are those of targets.py that it is given to."""

    name: str
    suffix: str
    container: str
    data: bytes
    targets: tuple[str, ...] = ("photo", "conversion")


def picture(channels: int, dtype: str = "uint8", height: int = HEIGHT, width: int = WIDTH) -> Pixels:
    """(H, W) or (H, W, channels): ramps with some noise, each channel its own."""
    top = np.iinfo(dtype).max
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(channels).integers(0, 24, (height, width, channels))
    planes = [(rows * (7 + 3 * index) + columns * (5 + 2 * index)) % 232 for index in range(channels)]
    values = ((np.stack(planes, axis=2) + noise) * (top / 255)).astype(dtype)
    return values[..., 0] if channels == 1 else values


def image(mode: str, height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    """An 8-bit Pillow image, or one that Pillow makes of such: "1", "P", "CMYK"."""
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}.get(mode)
    if channels is not None:
        return Image.fromarray(picture(channels, height=height, width=width), mode)
    return Image.fromarray(picture(3, height=height, width=width)).convert(mode)
