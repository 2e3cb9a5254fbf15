"""Noise: pixels in which a value put in the wrong place shows."""

import numpy as np

from img2img.photo.pixels import Pixels


def noise(*shape: int, dtype: type[np.uint8] | type[np.uint16] = np.uint8, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype)
