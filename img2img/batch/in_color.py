"""Whether a photo is in colour already: coloured by us, or in more hues than a toned, faded or yellowed print has."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

import numpy as np
import numpy.typing as npt

from img2img.batch.own_result import is_named_as_result, provenance_said
from img2img.color import BLUE_CB, RED_CR
from img2img.lab import BT601
from img2img.photo import Photo
from img2img.photo.pixels import Pixels

IfColor = Literal["redo", "skip", "copy"]
"""What becomes of a photo that is in colour already."""

_SIDE, _BLOCK = 24, 8
"""Places on each side, and the pixels on each side of a block that is averaged there: noise goes, colours stay."""
_SPREAD = 2.0
"""Steps of chroma (of 255) in `color_spread`.

Of 250 held-out colour photos (photos, people and objects, short side 160 px) 3.5% lie below: snow, fog, and what else
looks grey. The same photos made grey reach at most 1.2 with noise of 8 and 16 steps and JPEG at quality 75 and 50, and
2.0 with blotches of 4 px; sepia at 0.3, 0.6 and 1 of its strength 0.8; a brown as strong as (255, 200, 120) 1.4; a
cyanotype 1.1; two tones, for shadows and for highlights, 1.7; paper with yellow stains 1.8. At four times the size all
of these stay below 1.2. The five in datasets/samples reach 0.4.
"""
_DEGREE = 3  # of the curve that a tone is: its chroma as a polynomial of luma
_SMALLEST = 0.01  # singular value that counts: where luma hardly varies, its rounding would account for any colour


def is_in_color(photo: Photo) -> bool:
    """By its pixels. A photo of one channel costs nothing, another 5 to 8 milliseconds of a busy core at any size."""
    return photo.space != "L" and color_spread(photo) > _SPREAD


def color_spread(photo: Photo) -> float:
    """How far colours differ from one tone, whatever that is: 0 for grey, sepia, cyanotype and other curves in luma.

    The chroma that luma does not account for spreads along two axes; what comes back is the geometric mean of the two
    standard deviations, in steps of 255. One that is long and the other short is paper that yellowed here and there.
    """
    red, green, blue = np.moveaxis(_blocks(photo.pixels), 1, 0)
    luma = BT601[0] * red + BT601[1] * green + BT601[2] * blue
    chroma = np.stack([(blue - luma) / BLUE_CB, (red - luma) / RED_CR], axis=1)
    powers = np.vander(luma / 127.5 - 1, _DEGREE + 1)
    curve, *_ = np.linalg.lstsq(powers, chroma, rcond=_SMALLEST)
    left = chroma - powers @ curve
    variances = np.linalg.eigvalsh(left.T @ left / len(left))
    return float(np.prod(np.maximum(variances, 0)) ** 0.25)


def _blocks(pixels: Pixels) -> npt.NDArray[np.float64]:
    """The means (N, 3), 0 to 255, of blocks on a grid."""
    (top, down), (left, across) = map(_places, pixels.shape[:2])
    grid = pixels[top][:, left].reshape(len(top) // down, down, -1)
    rows = grid.sum(axis=1, dtype=np.uint32).reshape(-1, across, 3)  # in two steps: ten times as fast
    means: npt.NDArray[np.float64] = rows.sum(axis=1) * (255 / np.iinfo(pixels.dtype).max / (down * across))
    return means


def _places(length: int) -> tuple[npt.NDArray[np.intp], int]:
    """The rows, or columns, of all blocks along a side, and how many belong to one."""
    block = max(1, min(_BLOCK, length // _SIDE))
    count = min(_SIDE, length // block)
    starts = np.linspace(0, length - block, count).astype(np.intp)
    return (starts[:, None] + np.arange(block)).reshape(-1), block


def is_our_result(photo: Photo, source: PurePath, *, word: str) -> bool:
    """Whether it was coloured by img2img: as its XMP says, or its name, photo.colorized.jpg."""
    said = provenance_said(photo.xmp)
    return is_named_as_result(source, word) or (said is not None and "strength" in said.options)
