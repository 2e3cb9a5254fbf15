"""16-bit PNG out: Pillow writes no colour of such depth.

Filter type 3 (average) and zlib over strips, between the chunks that PNG's third edition defines.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels, strips

_COLOR_TYPE_OF_SAMPLES = {1: 0, 3: 2, 2: 4, 4: 6}


def write_deep_png(photo: Photo, stream: BinaryIO, *, compress_level: int = 6) -> None:
    samples = _joined(photo)
    height, width, count = samples.shape
    stream.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(stream, b"IHDR", struct.pack(">2L5B", width, height, 16, _COLOR_TYPE_OF_SAMPLES[count], 0, 0, 0))
    for kind, data in _metadata_chunks(photo):
        _write_chunk(stream, kind, data)
    compressor = zlib.compressobj(compress_level)
    for filtered in _filtered_strips(samples):
        _write_chunk(stream, b"IDAT", compressor.compress(filtered))
    _write_chunk(stream, b"IDAT", compressor.flush())
    _write_chunk(stream, b"IEND", b"")


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


def _metadata_chunks(photo: Photo) -> Iterator[tuple[bytes, bytes]]:
    if photo.icc is not None:
        yield b"iCCP", b"ICC Profile\0\0" + zlib.compress(photo.icc)
    if photo.dpi is not None:
        across, down = (round(dpi / 0.0254) for dpi in photo.dpi)
        yield b"pHYs", struct.pack(">2LB", across, down, 1)
    if photo.exif is not None:
        yield b"eXIf", photo.exif.removeprefix(b"Exif\0\0")
    if photo.xmp is not None:
        yield b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + photo.xmp


def _write_chunk(stream: BinaryIO, kind: bytes, data: bytes) -> None:
    if data or kind == b"IEND":
        checksum = zlib.crc32(data, zlib.crc32(kind))
        stream.write(struct.pack(">L", len(data)) + kind)
        stream.write(data)
        stream.write(struct.pack(">L", checksum))
