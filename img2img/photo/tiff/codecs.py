"""Strips and tiles of a TIFF as they were before compression, in lines of bytes or in samples."""

from __future__ import annotations

import io
import lzma
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo.metadata.tiff_directory import TiffEntry, longs, shorts
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.jpeg_strips import jpeg_samples
from img2img.photo.tiff.layout import Layout
from img2img.photo.tiff.libtiff import decompressed
from img2img.photo.tiff.page import Page

_UNKNOWN = {
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34712: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI's LogL",
    34677: "SGI's LogLuv",
    34887: "LERC",
    34892: "lossy DNG",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_LINE_CODECS = (tags.NO_COMPRESSION, tags.LZW, tags.DEFLATE, tags.OLD_DEFLATE, tags.LZMA, tags.ZSTD, tags.PACK_BITS)
_SAMPLE_BITS = dict.fromkeys(tags.FAX, 1) | {tags.THUNDER_SCAN: 4, tags.JPEG: 8, tags.WEBP: 8}
PREDICTING = (tags.LZW, tags.DEFLATE, tags.OLD_DEFLATE, tags.LZMA, tags.ZSTD)
_SPARE_PIXELS = 1 << 24  # that a strip may have too many of
_NOISE = tuple(random.Random(seed).randbytes(64) for seed in range(3))
_REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)).reshape(256, 8)[:, ::-1]).ravel()


@dataclass(frozen=True)
class Unpacked:
    """Either lines, (lines, line_bytes), as they lie in the file, or samples, (rows, width, samples)."""

    lines: NDArray[np.uint8] | None = None
    samples: NDArray[Any] | None = None


def check_codec(page: Page) -> None:
    """UnreadablePhoto for a compression that is not known, or not for such samples."""
    codec = page.codec
    if codec not in _LINE_CODECS and codec not in _SAMPLE_BITS:
        name = _UNKNOWN.get(codec, f"number {codec}")
        raise UnreadablePhoto(
            f"TIFF with compression {name} is not supported; convert it, with ImageMagick: magick IN.tif OUT.png"
        )
    if codec in _SAMPLE_BITS and page.bits != _SAMPLE_BITS[codec]:
        raise UnreadablePhoto(
            f"TIFF of {page.bits} bits in a compression for {_SAMPLE_BITS[codec]} is not supported; "
            "convert it, with ImageMagick: magick IN.tif -compress none OUT.tif"
        )


def unpacked(page: Page, layout: Layout, strips: Sequence[bytes], rows: Sequence[int]) -> Unpacked:
    """The strips below each other; all but the last have as many rows. ValueError where bytes are missing."""
    codec = page.codec
    if codec == tags.JPEG:
        return Unpacked(samples=jpeg_samples(page, layout, strips, rows))
    if codec == tags.WEBP:
        return Unpacked(samples=_webp_samples(layout, strips, rows))
    if codec in _SAMPLE_BITS:
        return Unpacked(samples=_fax_samples(page, layout, strips, rows))
    if page.number(tags.FILL_ORDER, 1) == 2:
        strips = [_REVERSED[np.frombuffer(strip, np.uint8)].tobytes() for strip in strips]
    lines = [layout.lines(count) for count in rows]
    if codec in (tags.LZW, tags.PACK_BITS, tags.ZSTD):
        return Unpacked(decompressed(strips, lines, layout.line_bytes, 8, codec, {}))
    sizes = [count * layout.line_bytes for count in lines]
    whole = b"".join(_bytes(strip, size, codec) for strip, size in zip(strips, sizes, strict=True))
    return Unpacked(np.frombuffer(whole, np.uint8).reshape(sum(lines), layout.line_bytes))


def _bytes(strip: bytes, size: int, codec: int) -> bytes:
    if codec in (tags.DEFLATE, tags.OLD_DEFLATE):
        strip = zlib.decompressobj().decompress(strip, size)
    elif codec == tags.LZMA:
        strip = lzma.LZMADecompressor().decompress(strip, size)
    if len(strip) < size:
        raise ValueError(f"{size - len(strip)} bytes of a strip or tile are missing")
    return strip[:size]


def _fax_samples(page: Page, layout: Layout, strips: Sequence[bytes], rows: Sequence[int]) -> NDArray[np.uint8]:
    """ThunderScan's as well. libtiff makes up the lines that are missing: where none is, nothing behind matters."""
    size = layout.width * layout.samples, _SAMPLE_BITS[page.codec]
    samples = decompressed(strips, rows, *size, page.codec, _fax_tags(page))
    for noise in _NOISE if page.codec in tags.FAX else ():
        longer = decompressed([strip + noise for strip in strips], rows, *size, page.codec, _fax_tags(page))
        if not np.array_equal(samples, longer):
            raise ValueError("lines of a fax are missing")
    return samples.reshape(sum(rows), layout.width, layout.samples)


def _fax_tags(page: Page) -> dict[int, TiffEntry]:
    fill_order = {tags.FILL_ORDER: shorts("<", page.number(tags.FILL_ORDER, 1))}
    return fill_order | {tag: longs("<", page.number(tag, 0)) for tag in (292, 293) if page.number(tag, 0)}


def _webp_samples(layout: Layout, strips: Sequence[bytes], rows: Sequence[int]) -> NDArray[np.uint8]:
    """Each strip is a WebP file of its own."""
    from PIL.WebPImagePlugin import WebPImageFile

    if layout.samples not in (3, 4):
        raise UnreadablePhoto("TIFF with WebP in samples other than RGB is not supported; save it with deflate")
    parts = []
    for strip, count in zip(strips, rows, strict=True):
        with WebPImageFile(io.BytesIO(strip)) as image:
            if image.width * image.height > layout.width * count + _SPARE_PIXELS:
                raise ValueError("a WebP that is larger than its strip or tile")
            parts.append(cropped(image.convert("RGB" if layout.samples == 3 else "RGBA"), layout.width, count))
    return np.concatenate(parts)


def cropped(image: Image.Image, width: int, rows: int) -> NDArray[np.uint8]:
    """(rows, width, samples); ValueError for a picture that is smaller."""
    if image.width < width or image.height < rows:
        raise ValueError(f"{image.width} x {image.height} pixels in a strip or tile of {width} x {rows}")
    return np.asarray(image.crop((0, 0, width, rows))).reshape(rows, width, -1)
