"""Measures of a coloured picture against the true one, on 8-bit RGB arrays (H, W, 3)."""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def psnr(picture: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; infinite when equal."""
    error = np.mean(np.square(picture.astype(np.int32) - truth))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def colourfulness(picture: Picture) -> float:
    """Hasler & Suesstrunk 2003, eq. 4, on signed opponent axes: 0 for grey, 15 slight, 45 average, 109 extreme."""
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    offset = np.hypot(red_green.mean(), yellow_blue.mean())
    return float(spread + 0.3 * offset)
