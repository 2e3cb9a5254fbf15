"""What a network made of a small copy of a photo, enlarged to the photo's size: its change, or its picture.

A change is added to the photo, so that this keeps its own sharpness, and what the network leaves alone stays as it was.
A picture drawn anew takes the photo's place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.lab import Floats
from img2img.photo.pixels import Pixels, in_strips


def add_change(pixels: Pixels, change: Floats, *, threads: int = 1) -> Pixels:
    """(H, W, 3), uint8 or uint16: pixels (H, W, 3), or grey (H, W), plus the change (h, w, 3), clipped.

    The change is of values in [-1, 1], so 2 leads from black to white. It is enlarged bicubically (Keys 1981, a = -0.5,
    as Pillow does), in strips of rows.
    """
    three = pixels if pixels.ndim == 3 else pixels[..., None]
    return _enlarged(change, pixels.shape[:2], pixels.dtype, lambda rows: three[rows], threads)


def enlarge_picture(picture: Floats, size: tuple[int, int], dtype: npt.DTypeLike, *, threads: int = 1) -> Pixels:
    """(H, W, 3), of size (H, W), uint8 or uint16: the picture (h, w, 3), in [-1, 1], enlarged as a change is."""
    grey = np.float32(np.iinfo(dtype).max / 2)
    return _enlarged(picture, size, dtype, lambda rows: grey, threads)


def _enlarged(
    values: Floats,
    size: tuple[int, ...],
    dtype: npt.DTypeLike,
    zero: Callable[[slice], Pixels | np.float32],
    threads: int,
) -> Pixels:
    """`zero` is what a value of 0 stands for, in each run of rows."""
    height, width = size
    made = np.empty((height, width, 3), dtype)
    large = _Enlarged(values, height, width)
    top = np.float32(np.iinfo(dtype).max)

    def make_rows(rows: slice) -> None:
        values = large.rows(rows)
        values *= top / 2
        values += zero(rows)
        np.clip(np.rint(values, out=values), 0, top, out=values)
        made[rows] = values

    in_strips(make_rows, height, width, threads=threads)
    return made


class _Enlarged:
    """A picture (h, w, 3) resized bicubically: at once in width, for any run of rows in height."""

    def __init__(self, picture: Floats, height: int, width: int) -> None:
        self._rows, self._height, self._width = picture.shape[0], height, width
        planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(picture, 2, 0))
        self._planes = [plane.resize((width, self._rows), Image.Resampling.BICUBIC) for plane in planes]

    def rows(self, rows: slice) -> Floats:
        """(n, W, 3)."""
        top, bottom = (self._rows * (row / self._height) for row in (rows.start, rows.stop))
        size, box = (self._width, rows.stop - rows.start), (0, top, self._width, bottom)
        parts = [np.asarray(plane.resize(size, Image.Resampling.BICUBIC, box=box)) for plane in self._planes]
        return np.stack(parts, axis=2)
