"""A colorizer measured on photos whose colours are known."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from img2img.evaluation.metrics import Picture, colourfulness, psnr
from img2img.training.image_source import ImageSource, decode_rgb

Colorize = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class ColorizerScore:
    """Means over photos; `colourfulness_ratio` is the prediction's mean over the truth's."""

    photos: int
    size: int
    psnr_db: float
    psnr_of_grey_db: float
    psnr_gain_db: float
    colourfulness: float
    colourfulness_of_truth: float
    colourfulness_ratio: float

    def figures(self) -> dict[str, float]:
        """Rounded for a card."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def photos_at(source: ImageSource, size: int, multiple: int = 32) -> Iterator[Image.Image]:
    """Each photo brought to about size x size pixels, aspect kept, sides multiples of `multiple`."""
    for index in range(len(source)):
        image = Image.fromarray(decode_rgb(source, index))
        scale = size / np.sqrt(image.width * image.height)
        width, height = (max(1, round(side * scale / multiple)) * multiple for side in image.size)
        yield image.resize((width, height), Image.Resampling.BICUBIC)


def evaluate_colorizer(colorize: Colorize, source: ImageSource, *, size: int) -> ColorizerScore:
    """Colour the grey of every photo and compare with the photo itself."""
    rows = [_measure(colorize, truth) for truth in photos_at(source, size)]
    psnr_db, psnr_of_grey, colour, true_colour = np.mean(rows, axis=0)
    return ColorizerScore(
        photos=len(rows),
        size=size,
        psnr_db=float(psnr_db),
        psnr_of_grey_db=float(psnr_of_grey),
        psnr_gain_db=float(psnr_db - psnr_of_grey),
        colourfulness=float(colour),
        colourfulness_of_truth=float(true_colour),
        colourfulness_ratio=float(colour / true_colour),
    )


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
