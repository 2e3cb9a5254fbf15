"""Pixels as arrays: worked on strip by strip, brought to 8 bits, handed to Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[Any]
STRIP_PIXELS = 1 << 16  # what is worked on in a strip of them stays in a core's second-level cache


def strips(height: int, width: int, pixels: int = STRIP_PIXELS) -> Iterator[slice]:
    """The rows of a picture in runs of about so many pixels."""
    step = max(1, pixels // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def in_strips(
    work: Callable[[slice], None], height: int, width: int, *, threads: int, pixels: int = STRIP_PIXELS
) -> None:
    """Do the work on the rows of each strip of about so many pixels; of a large picture, on several at a time."""
    if threads > 1 and height * width > 4 * STRIP_PIXELS:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, strips(height, width, pixels)))
    else:
        for rows in strips(height, width, pixels):
            work(rows)


def as_8_bit(values: Pixels) -> NDArray[np.uint8]:
    """uint8 as they are; uint16 divided by 257 and rounded, in strips."""
    if values.dtype == np.uint8:
        return values
    result = np.empty(values.shape, np.uint8)
    for rows in strips(*values.shape[:2]):
        result[rows] = (values[rows].astype(np.uint32) + 128) // 257
    return result


def pillow_image(values: Pixels, mode: str) -> Image.Image:
    """A Pillow image of the mode, 8 bit, without the copy that tobytes() would make."""
    values = np.ascontiguousarray(as_8_bit(values))
    size = (values.shape[1], values.shape[0])
    return Image.frombuffer(mode, size, values, "raw", mode, 0, 1)


def png_bytes(image: Image.Image) -> bytes:
    """A PNG file of the image, as a notebook shows it."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
