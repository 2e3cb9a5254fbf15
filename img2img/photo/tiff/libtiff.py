"""LZW, PackBits, fax and Zstandard strips decoded by the libtiff in Pillow, and nothing else of the file seen by it.

Strips are put into a file in memory that says only what the decompression needs, one byte a sample: what
Pillow and libtiff make of odd tags, and say on the terminal about them, has no part in it.
"""

from __future__ import annotations

import ctypes
import io
import struct
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, _imaging
from PIL.TiffImagePlugin import TiffImageFile

from img2img.photo.metadata.tiff_directory import TiffEntry, longs, pack_tree, shorts

_MODES = {1: "1", 4: "L", 8: "L"}


def decompressed(
    strips: Sequence[bytes], rows: Sequence[int], width: int, bits: int, codec: int, tags: dict[int, TiffEntry]
) -> NDArray[np.uint8]:
    """(sum of rows, width) samples of 1, 4 or 8 bits. All but the last strip have as many rows; ValueError if damaged.

    `tags`, little-endian, are what the codec needs beside.
    """
    silence()
    size = width, sum(rows)
    with TiffImageFile(io.BytesIO(_file(strips, rows[0], size, bits, codec, tags))) as image:
        image.im = Image.new(_MODES[bits], size).im  # Pillow would ask its own limit of megapixels first
        try:
            image.load()
        except OSError as error:
            raise ValueError("compressed samples that cannot be decoded") from error
        samples = np.asarray(image).astype(np.uint8, copy=False)
    return samples // 17 if bits == 4 else samples


def _file(
    strips: Sequence[bytes], strip_rows: int, size: tuple[int, int], bits: int, codec: int, tags: dict[int, TiffEntry]
) -> bytes:
    body = bytearray(8)
    offsets = []
    for strip in strips:
        offsets.append(len(body))
        body += strip
    body += b"\0" * (len(body) % 2)
    tree = {256: longs("<", size[0]), 257: longs("<", size[1]), 258: shorts("<", bits), 259: shorts("<", codec)}
    tree |= {262: shorts("<", 1), 277: shorts("<", 1), 278: longs("<", strip_rows)}
    tree |= {273: longs("<", *offsets), 279: longs("<", *map(len, strips))} | tags
    return struct.pack("<2sHL", b"II", 42, len(body)) + bytes(body[8:]) + pack_tree(tree, "<", len(body))


@lru_cache(maxsize=1)
def silence() -> None:
    """libtiff writes to the terminal, without a file's name, what Pillow raises anyway: its handlers are taken away.

    They can be reached where Pillow is linked to libtiff as a library of its own, on Linux and macOS.
    """
    try:
        library = ctypes.CDLL(_imaging.__file__)
        handlers = library.TIFFSetErrorHandler, library.TIFFSetWarningHandler
    except (AttributeError, OSError):
        return
    for handler in handlers:
        handler.restype, handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        handler(None)
