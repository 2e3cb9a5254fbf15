"""JPEG in strips and tiles of a TIFF: each is a picture of its own, its tables often in a tag (Technical Note 2)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.jpeg.frame import EOI, SOI, check_kind, jpeg_frame_of, refusal_of, segments
from img2img.photo.jpeg.whole import with_end
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.layout import Layout
from img2img.photo.tiff.page import Page

_APP0, _APP15 = 0xE0, 0xEF


def jpeg_samples(page: Page, layout: Layout, strips: Sequence[bytes], rows: Sequence[int]) -> NDArray[np.uint8]:
    """(sum of rows, width, samples) as the page means them, but RGB where it means YCbCr in one plane."""
    tables = page.bytes(tags.JPEG_TABLES) or SOI + EOI
    ycbcr = page.photometric == tags.YCBCR and layout.samples == 3
    parts = [_samples(_whole(strip, tables, ycbcr), layout, count) for strip, count in zip(strips, rows, strict=True)]
    return np.concatenate(parts)


def _whole(strip: bytes, tables: bytes, ycbcr: bool) -> bytes:
    """One file, with Adobe's marker to say whether the colours are YCbCr, whatever the strip says of itself."""
    if not strip.startswith(SOI):
        raise ValueError("a strip or tile that is no JPEG")
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([ycbcr])
    begin = tables.removesuffix(EOI) + adobe
    return begin + _without_claims(strip)


def _without_claims(strip: bytes) -> bytes:
    """From behind its first marker, less application segments, such as JFIF's."""
    kept, at = [], 2
    for marker, start, content in segments(strip):
        if not _APP0 <= marker <= _APP15:
            break
        kept.append(strip[at:start])
        at = start + 4 + len(content)
    return b"".join(kept) + strip[at:]


def _samples(data: bytes, layout: Layout, rows: int) -> NDArray[np.uint8]:
    frame = jpeg_frame_of(data)
    if frame is None:
        raise ValueError("a strip or tile without a JPEG's frame header")
    check_kind(frame)
    if len(frame.components) != layout.samples:
        raise ValueError(f"{len(frame.components)} channels in a strip or tile of {layout.samples}")
    if frame.size[0] < layout.width or frame.size[1] < rows:
        raise ValueError(f"{frame.size[0]} x {frame.size[1]} pixels in a strip or tile of {layout.width} x {rows}")
    if frame.size[0] * frame.size[1] > 4 * layout.width * rows + (1 << 24):
        raise ValueError("a JPEG that is larger than its strip or tile")
    data = with_end(data, frame)
    with JpegImageFile(io.BytesIO(data), "") as image:
        try:
            image.load()
        except OSError as error:
            raise UnreadablePhoto(refusal_of(frame) or str(error)) from error
        values = np.asarray(image.crop((0, 0, layout.width, rows))).reshape(rows, layout.width, -1)
    # Pillow turns four channels round, as Adobe's JPEG files have them; those in a TIFF are as they are.
    return 255 - values if layout.samples == 4 else values
