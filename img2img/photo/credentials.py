"""Content credentials (C2PA), signed for a file's bytes and so never kept: where WebP, GIF, AVIF and HEIC have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from img2img.photo.metadata.iso_boxes import iso_boxes

CREDENTIALS = "content credentials"
_BOX = b"uuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.1, A.5
_IN_GIF = b"\x21\xff\x0bC2PA_GIF"
_IN_WEBP = b"C2PA"


def has_credentials(stream: BinaryIO, image_format: str) -> bool:
    """The other formats' readers see for themselves."""
    if image_format == "WEBP":
        return _IN_WEBP in _riff_kinds(stream)
    if image_format in ("AVIF", "HEIF"):
        return any(box.kind == _BOX for box in iso_boxes(stream))
    stream.seek(0)
    return image_format == "GIF" and _IN_GIF in stream.read()


def _riff_kinds(stream: BinaryIO) -> Iterator[bytes]:
    at = 12
    while len(start := _start(stream, at)) >= 8:
        yield start[:4]
        size = int.from_bytes(start[4:8], "little")
        at += 8 + size + size % 2


def _start(stream: BinaryIO, at: int) -> bytes:
    stream.seek(at)
    return stream.read(24)
