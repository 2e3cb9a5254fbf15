"""16-bit PNG in and out. Pillow keeps the upper byte of 16-bit colour and writes none of it.

Read: Pillow's decoder (C) runs twice and is told to keep the first, then the second byte of each sample.
Written: filter type 3 (average) and zlib over strips, between the chunks that PNG's third edition defines.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import check_size, profiled, side_of, upright, with_metadata
from img2img.photo.photo import Photo, Pixels, strips

# Samples per pixel: for each pass the mode that holds its bytes, and how Pillow's decoder unpacks them.
_PASSES = {
    1: [("I;16", "I;16B")],
    2: [("RGBA", "RGBA")],
    3: [("RGB", "RGB;16B"), ("RGB", "RGB;16L")],
    4: [("RGBA", "RGBA;16B"), ("RGBA", "RGBA;16L")],
}
_SAMPLES_OF_COLOR_TYPE = {0: 1, 2: 3, 4: 2, 6: 4}
_COLOR_TYPE_OF_SAMPLES = {1: 0, 3: 2, 2: 4, 4: 6}


def read_deep_png(stream: BinaryIO, max_pixels: int, first_frame: bool) -> Photo:
    """Grey or RGB, with alpha or one transparent colour."""
    stream.seek(25)
    count = _SAMPLES_OF_COLOR_TYPE[stream.read(1)[0]]
    for number, (mode, rawmode) in enumerate(_PASSES[count]):
        image = _opened(stream)
        check_size(image.size, max_pixels)
        if image.is_animated and not first_frame:
            raise UnreadablePhoto("an animation; --first-frame takes its first picture")
        image._mode = mode
        image.tile = [image.tile[0]._replace(args=rawmode)]
        image.load()
        if number == 0:
            samples = np.zeros((image.height, image.width, count), np.uint16)
        _add_bytes(samples, image, shift=8 if number == 0 else 0)
    return _photo(samples, image)


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


def _opened(stream: BinaryIO) -> PngImageFile:
    stream.seek(0)
    return PngImageFile(stream)


def _add_bytes(samples: Pixels, image: PngImageFile, shift: int) -> None:
    count = samples.shape[2]
    for part in strips(*samples.shape[:2]):
        strip = np.asarray(image.crop((0, part.start, image.width, part.stop)))
        if count == 1:
            samples[part, :, 0] = strip
        elif count == 2:
            samples[part] = strip.view(">u2")
        else:
            samples[part] |= strip.astype(np.uint16) << shift


def _photo(samples: Pixels, image: PngImageFile) -> Photo:
    count = samples.shape[2]
    alpha = samples[..., -1] if count in (2, 4) else _keyed_alpha(samples, image.info.get("transparency"))
    color = samples[..., 0] if count < 3 else samples[..., :3]
    side = side_of(image)
    pixels, icc = profiled(upright(color, side), image.info.get("icc_profile") or None)
    photo = Photo(
        pixels=pixels,
        space="L" if count < 3 else "RGB",
        alpha=None if alpha is None else upright(alpha, side),
        icc=icc,
        format="PNG",
    )
    return with_metadata(photo, image, side)


def _keyed_alpha(samples: Pixels, key: Any) -> Pixels | None:
    """0 where all samples have the key's values (tRNS), 65535 elsewhere; None without a key."""
    if key is None:
        return None
    opaque = np.any(samples != np.asarray(key, np.uint16), axis=2)
    return np.where(opaque, np.uint16(65535), np.uint16(0))


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
