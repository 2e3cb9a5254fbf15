"""A colorizer measured on photos whose colours are known."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from img2img.color import small_size
from img2img.errors import DataError
from img2img.evaluation.metrics import Picture, colourfulness, psnr
from img2img.training.image_source import ImageSource

Colorize = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class ColorizerScore:
    """Means over photos with colour.

    PSNR in dB of the coloured and of the grey photos against the true ones; colourfulness of the coloured and the true.
    """

    photos: int
    size: int
    psnr: float
    psnr_of_grey: float
    colourfulness: float
    colourfulness_of_truth: float

    @property
    def psnr_gain(self) -> float:
        """How many dB the colours bring."""
        return self.psnr - self.psnr_of_grey

    @property
    def colourfulness_ratio(self) -> float:
        """The results' mean colourfulness over the truth's."""
        return self.colourfulness / self.colourfulness_of_truth

    def figures(self) -> dict[str, Any]:
        """Rounded for a card: the two that decide, then what they are made of."""
        return {
            "psnr_gain_db": round(self.psnr_gain, 3),
            "colourfulness_ratio": round(self.colourfulness_ratio, 3),
            "means": {name: round(value, 3) for name, value in asdict(self).items()},
        }


def photos_at(source: ImageSource, size: int, multiple: int = 32) -> Iterator[Image.Image]:
    """Each photo brought to about size x size pixels, aspect kept, sides multiples of `multiple`."""
    for index in range(len(source)):
        image = Image.fromarray(source.rgb(index))
        height, width = small_size(image.height, image.width, size, multiple)
        yield image.resize((width, height), Image.Resampling.BICUBIC)


def evaluate_colorizer(colorize: Colorize, source: ImageSource, *, size: int) -> ColorizerScore:
    """Colour the grey of every photo and compare with the photo itself; photos without colour tell nothing.

    Raises DataError when there is none with colour.
    """
    rows = [_measure(colorize, truth) for truth in photos_at(source, size) if _has_colour(truth)]
    if not rows:
        raise DataError(f"{source.name(0)} and the others: no photo with colour to measure on; give colour photos")
    return ColorizerScore(len(rows), size, *(float(mean) for mean in np.mean(rows, axis=0)))


def _has_colour(photo: Image.Image) -> bool:
    return bool(np.ptp(_pixels(photo), axis=2).any())


def _measure(colorize: Colorize, truth: Image.Image) -> tuple[float, float, float, float]:
    grey = truth.convert("L")
    true_pixels, grey_pixels = _pixels(truth), _pixels(grey)
    coloured = _pixels(colorize(grey))
    return (
        psnr(coloured, true_pixels),
        psnr(grey_pixels, true_pixels),
        colourfulness(coloured),
        colourfulness(true_pixels),
    )


def _pixels(image: Image.Image) -> Picture:
    return np.asarray(image.convert("RGB"))
