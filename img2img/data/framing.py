"""Pictures of all shapes brought to one: the short side to so many pixels, then the middle of the long one."""

import cv2
import numpy as np
from numpy.typing import NDArray


def short_side_to(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 resized so that the shorter of H and W is `side` pixels, the shape kept."""
    height, width = image.shape[:2]
    scale = side / min(height, width)
    if scale == 1:
        return image
    size = (max(side, round(width * scale)), max(side, round(height * scale)))
    # Area averages what a shrunk pixel covers, where linear picks four neighbours and lets fine texture flicker.
    return np.asarray(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )


def middle(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The middle (at most height, at most width, 3) of an image."""
    top, left = max(0, image.shape[0] - height) // 2, max(0, image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def centre_square(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(size, size, 3): the middle of the image, its short side brought to `size`."""
    return middle(short_side_to(image, size), size, size)
