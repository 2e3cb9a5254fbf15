"""JPEG as TIFF 6.0 had it at first (section 22): a whole JPEG file inside, or tables at places that libtiff finds."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.jpeg.frame import SOI, jpeg_frame_of
from img2img.photo.metadata.tiff_directory import pack_tree
from img2img.photo.tiff.jpeg_strips import jpeg_samples
from img2img.photo.tiff.layout import layout_of
from img2img.photo.tiff.libtiff import silence
from img2img.photo.tiff.page import Page

_JPEG_AT, _JPEG_BYTES = 513, 514
_NEEDED = frozenset((*range(256, 260), 262, *range(277, 280), 273, 284, *range(322, 326), *range(512, 522), 530, 532))


def old_jpeg_samples(stream: BinaryIO, page: Page) -> NDArray[Any]:
    """(H, W, 1 or 3), grey or RGB; UnreadablePhoto for other channels."""
    if page.header.big or page.bits != 8 or page.samples not in (1, 3):
        raise UnreadablePhoto(
            "such an old-style JPEG in a TIFF is not supported; convert it, with ImageMagick: magick IN.tif OUT.png"
        )
    jpeg = _whole_jpeg(stream, page)
    if jpeg is not None:
        rows = page.size[1]
        return jpeg_samples(page, replace(layout_of(page), tile=None, rows_per_strip=rows), [jpeg], [rows])
    silence()
    with TiffImageFile(io.BytesIO(_only(stream, page))) as image:
        image.im = Image.new(image.mode, image.size).im  # Pillow would ask its own limit of megapixels first
        image.load()
        return np.array(image).reshape(*page.size[::-1], -1)[..., :3]


def _whole_jpeg(stream: BinaryIO, page: Page) -> bytes | None:
    """The file inside, where it is one of the page's size."""
    at = page.number(_JPEG_AT, 0)
    stream.seek(at)
    data = stream.read(page.number(_JPEG_BYTES, -1)) if at else b""
    frame = jpeg_frame_of(data) if data.startswith(SOI) else None
    return data if frame is not None and frame.size == page.size else None


def _only(stream: BinaryIO, page: Page) -> bytes:
    """The file with this one page, less its metadata, about which Pillow may warn."""
    stream.seek(0)
    body = stream.read()
    body += b"\0" * (len(body) % 2)
    order = page.header.order
    tree = {tag: entry for tag, entry in page.directory.entries.items() if tag in _NEEDED}
    head = body[:2] + struct.pack(order + "HL", 42, len(body))
    return head + body[8:] + pack_tree(tree, order, len(body))
