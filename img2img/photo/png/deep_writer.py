"""16-bit PNG out: Pillow writes no colour of such depth.

Filter type 3 (average) and zlib over strips.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels, strips
from img2img.photo.png.chunks import SIGNATURE, PngHeader, packed_chunk, write_chunk

_COLOR_TYPE_OF_SAMPLES = {1: 0, 3: 2, 2: 4, 4: 6}


def write_deep_picture(photo: Photo, stream: BinaryIO, described: bytes, *, compress_level: int) -> None:
    """The whole file; `described` are chunks that come before the picture."""
    samples = _joined(photo)
    height, width, count = samples.shape
    header = PngHeader(width, height, 16, _COLOR_TYPE_OF_SAMPLES[count], interlaced=False)
    stream.write(SIGNATURE + packed_chunk(b"IHDR", header.packed()) + described)
    compressor = zlib.compressobj(compress_level)
    for filtered in _filtered_strips(samples):
        if packed := compressor.compress(filtered):
            write_chunk(stream, b"IDAT", packed)
    write_chunk(stream, b"IDAT", compressor.flush())
    write_chunk(stream, b"IEND", b"")


def _joined(photo: Photo) -> Pixels:
    color = photo.pixels.reshape(photo.height, photo.width, -1)
    return color if photo.alpha is None else np.concatenate([color, photo.alpha[..., None]], axis=2)


def _filtered_strips(samples: Pixels) -> Iterator[bytes]:
    """Each row's filter byte, and its bytes less the floored mean of the bytes to the left and above."""
    height, width, count = samples.shape
    step = 2 * count
    above = np.zeros((1, width * step), np.uint8)
    for part in strips(height, width):
        raw = samples[part].astype(">u2").view(np.uint8).reshape(-1, width * step)
        up = np.concatenate([above, raw[:-1]])
        left = np.zeros_like(raw)
        left[:, step:] = raw[:, :-step]
        filtered = np.full((len(raw), 1 + width * step), 3, np.uint8)
        # (a + b) // 2 without leaving 8 bits
        filtered[:, 1:] = raw - ((left & up) + ((left ^ up) >> 1))
        yield filtered.tobytes()
        above = raw[-1:]
