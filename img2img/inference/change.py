"""The change that a network makes to a small copy of a photo, enlarged and added to the photo itself.

So the photo keeps its own sharpness, and what the network leaves alone stays as it was.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from img2img.lab import Floats
from img2img.photo.pixels import Pixels, in_strips


def add_change(pixels: Pixels, change: Floats, *, threads: int = 1) -> Pixels:
    """(H, W, 3), uint8 or uint16: pixels (H, W, 3), or grey (H, W), plus the change (h, w, 3), clipped.

    The change is of values in [-1, 1], so 2 leads from black to white. It is enlarged bicubically (Keys 1981, a = -0.5,
    as Pillow does), in strips of rows.
    """
    height, width = pixels.shape[:2]
    changed = np.empty((height, width, 3), pixels.dtype)
    enlarged = _Enlarged(change, height, width)
    top = np.float32(np.iinfo(pixels.dtype).max)

    def change_rows(rows: slice) -> None:
        values = enlarged.rows(rows)
        values *= top / 2
        values += pixels[rows] if pixels.ndim == 3 else pixels[rows, :, None]
        np.clip(np.rint(values, out=values), 0, top, out=values)
        changed[rows] = values

    in_strips(change_rows, height, width, threads=threads)
    return changed


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
