"""Many small pictures as one: enlarged, in rows and columns."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

GAP = 2  # white pixels between pictures
MOST_CLASS_COLUMNS = 16


def columns_for(count: int, classes: int) -> int:
    """One column a class while they are few, else as many columns as rows."""
    return classes if 0 < classes <= MOST_CLASS_COLUMNS else max(1, math.ceil(math.sqrt(count)))


def tile(pictures: npt.NDArray[np.uint8], columns: int) -> npt.NDArray[np.uint8]:
    """(N, h, w, C) -> (H, W, C), row by row, with white gaps between and white where the last row ends early."""
    count, height, width, channels = pictures.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 255, np.uint8)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        top, left = row * (height + GAP), column * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def enlarge(pictures: npt.NDArray[np.uint8], scale: int) -> npt.NDArray[np.uint8]:
    """(..., h, w, C) -> (..., scale * h, scale * w, C): each pixel a square, so that one sees what was drawn."""
    return pictures.repeat(scale, axis=-3).repeat(scale, axis=-2)
