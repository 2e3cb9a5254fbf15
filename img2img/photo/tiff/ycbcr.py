"""YCbCr of a TIFF as RGB (TIFF 6.0, section 21): the file says its coefficients, and which codes are black, white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from img2img.errors import UnreadablePhoto
from img2img.photo.pixels import Pixels, strips
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page

_COEFFICIENTS, _SUBSAMPLING, _REFERENCE = 529, 530, 532
_BT601 = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


def block_of(page: Page) -> tuple[int, int]:
    """How many pixels, across and down, share their chroma where samples lie uncompressed in one run."""
    is_jpeg = page.codec in (tags.JPEG, tags.WEBP) and not page.is_planar
    if page.photometric != tags.YCBCR or page.samples == 1 or is_jpeg:
        return 1, 1
    numbers = page.whole_numbers(_SUBSAMPLING) or (2, 2)
    block = numbers[0], numbers[-1]
    if not {*block} <= {1, 2, 4} or (block != (1, 1) and (page.is_planar or page.samples != 3)):
        raise UnreadablePhoto(f"YCbCr TIFF with chroma {block[0]} x {block[1]} in such a layout; save it as RGB")
    return block


def rgb_of_ycbcr(values: Pixels, page: Page) -> Pixels:
    """(H, W, 3) uint8 from the same; YCbCr in, RGB out."""
    told, reference = page.numbers(_COEFFICIENTS), page.numbers(_REFERENCE)
    red, green, blue = told if len(told) == 3 and told[1] > 0 else _BT601
    tables = _full_range(reference if len(reference) == 6 else _FULL_RANGE)
    result = np.empty_like(values)
    for rows in strips(*values.shape[:2]):
        y, cb, cr = (table[values[rows, :, i]] for i, table in enumerate(tables))
        r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
        g = (y - red * r - blue * b) / green
        result[rows] = np.rint(np.stack([r, g, b], axis=-1)).clip(0, 255).astype(np.uint8)
    return result


def _full_range(reference: tuple[float, ...]) -> list[NDArray[np.float64]]:
    """For each of Y, Cb and Cr, of each code its value: 0 to 255, and -127 to 127."""
    codes = np.arange(256, dtype=np.float64)
    tables = []
    for i, top in enumerate((255, 127, 127)):
        low, high = reference[2 * i : 2 * i + 2]
        tables.append((codes - low) * (top / (high - low if high > low else top)))
    return tables
