"""PNG files as they are written: 8 bits by Pillow, 16 by hand, before either all that is said about the picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import Image

from img2img.photo.photo import Photo
from img2img.photo.png.chunks import SIGNATURE, packed_chunk
from img2img.photo.png.deep_writer import write_deep_picture
from img2img.photo.png.text import TEXTS, comment_chunk, xmp_chunk

_HEADER_END = len(SIGNATURE) + 25  # IHDR: 13 bytes of data between 8 and 4
_LEVEL, _DEEP_LEVEL = 1, 2
"""Of zlib: photos of 500 x 375 that were coloured take 34 ms, at 2 36 ms and 0.6% fewer bytes, at 3 47 ms and 3% fewer,
at 6 (the usual one) 92 ms and 6% more. Small photos gain less, none much loses: 14% at worst."""
# The order that the standard asks for (5.6): colours first; text may stand anywhere.
_FIRST = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"bKGD", b"pHYs")


def write_png(photo: Photo, stream: BinaryIO) -> None:
    """8 or 16 bits, with all metadata."""
    described = b"".join(packed_chunk(kind, data) for kind, data in metadata_chunks(photo))
    if photo.pixels.itemsize == 2:
        write_deep_picture(photo, stream, described, compress_level=_DEEP_LEVEL)
        return
    image = photo.to_image()
    image.info.clear()
    save_with(image, stream, described, compress_level=_LEVEL)


def save_with(image: Image.Image, stream: BinaryIO, described: bytes, **options: Any) -> None:
    """The PNG that Pillow makes of the image, with these chunks after its header."""
    image.save(_Described(stream, described), "PNG", **options)  # type: ignore[arg-type]


def metadata_chunks(photo: Photo) -> list[tuple[bytes, bytes]]:
    """All that a PNG holds of the photo beside its pixels, in order; those of its source made true for it."""
    own = ((kind, _true(photo, kind, data)) for kind, data in photo.png if kind != b"pHYs" or not photo.dpi)
    chunks = [*own, *_made(photo)]
    return sorted(chunks, key=lambda chunk: _FIRST.index(chunk[0]) if chunk[0] in _FIRST else len(_FIRST))


def _made(photo: Photo) -> Iterator[tuple[bytes, bytes]]:
    if photo.icc is not None:
        yield b"iCCP", b"ICC Profile\0\0" + zlib.compress(photo.icc)
    if photo.dpi is not None:
        across, down = (round(dpi / 0.0254) for dpi in photo.dpi)
        yield b"pHYs", struct.pack(">2LB", across, down, 1)
    if photo.exif is not None and len(photo.exif) > 6:
        yield b"eXIf", photo.exif.removeprefix(b"Exif\0\0")
    if photo.xmp is not None:
        yield xmp_chunk(photo.xmp)
    comment = photo.jpeg.comment if photo.jpeg is not None else None
    if comment and not any(kind in TEXTS and data.startswith(b"Comment\0") for kind, data in photo.png):
        yield comment_chunk(comment)


def _true(photo: Photo, kind: bytes, data: bytes) -> bytes:
    """sBIT and bKGD, which are kept as of RGB with alpha, as this photo's layout has them."""
    grey = photo.space == "L"
    if kind == b"sBIT":
        depth = 8 * photo.pixels.itemsize
        bits = bytes(min(each, depth) for each in data)
        return bits[: 1 if grey else 3] + (bits[3:4] if photo.alpha is not None else b"")
    return data[:2] if kind == b"bKGD" and grey else data


class _Described:
    """A file to be written to, into which chunks go after the header that comes first."""

    def __init__(self, stream: BinaryIO, described: bytes) -> None:
        self._stream, self._described, self._at = stream, described, 0

    def write(self, data: bytes) -> int:
        before, self._at = self._at, self._at + len(data)
        if before < _HEADER_END <= self._at:
            split = _HEADER_END - before
            self._stream.write(data[:split] + self._described)
            self._stream.write(data[split:])
        else:
            self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        self._stream.flush()
