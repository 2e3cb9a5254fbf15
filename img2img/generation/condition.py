"""A photo as the condition of a sampler that draws after one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ImageOps

from img2img.lab import Floats
from img2img.photo import read_photo


def condition_of(photo: Path, size: int) -> Floats:
    """(1, 3, size, size) RGB in [-1, 1]: the photo's middle square, shrunk; raises UnreadablePhoto."""
    image = read_photo(photo, first_frame=True).to_image().convert("RGB")
    pixels = np.asarray(ImageOps.fit(image, (size, size)), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1))
