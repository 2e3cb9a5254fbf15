"""A colorizer measured on photos whose colours are known."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from img2img.color import small_size
from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.evaluation.colorizers.metrics import Picture, colourfulness, psnr
from img2img.evaluation.colorizers.similarity import Lpips, ssim

Colorize = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class ColorizerScore:
    """Means over photos with colour.

    PSNR in dB, SSIM and LPIPS of the coloured and of the grey photos against the true ones; colourfulness of the
    coloured and the true. LPIPS is None without its weights.
    """

    photos: int
    size: int
    psnr: float
    psnr_of_grey: float
    ssim: float
    ssim_of_grey: float
    colourfulness: float
    colourfulness_of_truth: float
    lpips: float | None = None
    lpips_of_grey: float | None = None

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
            "means": {name: round(value, 3) for name, value in asdict(self).items() if value is not None},
        }


def photos_at(source: ImageSource, size: int, multiple: int = 32) -> Iterator[Image.Image]:
    """Each photo brought to about size x size pixels, aspect kept, sides multiples of `multiple`."""
    for index in range(len(source)):
        image = Image.fromarray(source.rgb(index))
        height, width = small_size(image.height, image.width, size, multiple)
        yield image.resize((width, height), Image.Resampling.BICUBIC)


def evaluate_colorizer(
    colorize: Colorize, source: ImageSource, *, size: int, lpips: Lpips | None = None
) -> ColorizerScore:
    """Colour the grey of every photo and compare with the photo itself; photos without colour tell nothing.

    Raises DataError when there is none with colour.
    """
    rows = [_measure(colorize, truth, lpips) for truth in photos_at(source, size) if _has_colour(truth)]
    if not rows:
        raise DataError(f"{source.name(0)} and the others: no photo with colour to measure on; give colour photos")
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return ColorizerScore(len(rows), size, **means)


def _has_colour(photo: Image.Image) -> bool:
    return bool(np.ptp(_pixels(photo), axis=2).any())


def _measure(colorize: Colorize, truth: Image.Image, lpips: Lpips | None) -> dict[str, float]:
    grey = truth.convert("L")
    true_pixels, grey_pixels, coloured = _pixels(truth), _pixels(grey), _pixels(colorize(grey))
    measures: dict[str, Callable[[Picture, Picture], float]] = {"psnr": psnr, "ssim": ssim}
    if lpips:
        measures["lpips"] = lpips
    measured = {name: measure(coloured, true_pixels) for name, measure in measures.items()}
    measured |= {f"{name}_of_grey": measure(grey_pixels, true_pixels) for name, measure in measures.items()}
    return measured | {
        "colourfulness": colourfulness(coloured),
        "colourfulness_of_truth": colourfulness(true_pixels),
    }


def _pixels(image: Image.Image) -> Picture:
    return np.asarray(image.convert("RGB"))
