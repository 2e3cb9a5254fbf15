"""A Photo becomes the bytes of a file."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from img2img.errors import UnwritablePhoto
from img2img.photo.avif import without_orientation
from img2img.photo.bmp import write_bmp
from img2img.photo.fitting import JPEG_SEGMENT_BYTES, fitted
from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels, as_8_bit, pillow_image, strips

DEFAULT_QUALITY = 95
_AVIF_QUALITY = 90  # on a scale of its own
_AVIF_SPEED = 8  # of 10: a quarter of the time that 6, the usual one, takes, for 2 to 5 % more bytes
_LOSSLESS_WEBP = {"lossless": True, "method": 2, "quality": 50}  # a third of the usual time for 1.7% more bytes
_LARGEST_SIDES = {"JPEG": 65500, "WEBP": 16383, "AVIF": 16384}  # AVIF: what its readers take
_WHITE = {"L": (255,), "RGB": (255, 255, 255), "YCbCr": (255, 128, 128)}


def encode(photo: Photo, image_format: str, quality: int | None, stream: BinaryIO) -> tuple[str, ...]:
    """Writes the file, and says what of the photo it does not hold. `stream` must be seekable for TIFF.

    JPEG: the source's own tables and subsampling, or `quality`, or 95; alpha is blended with white.
    WebP: lossless when the source was lossless WebP and no quality is asked for, else `quality` or 95.
    AVIF: `quality` or 90. TIFF: deflate. PNG and TIFF keep 16 bits, the others round to 8.

    What a format has no room for is left out: in a JPEG, XMP of more than 64 KB (and IPTC; of EXIF the largest
    values), in a WebP or AVIF the dpi that EXIF does not hold. IPTC and a JPEG's tables go into a JPEG only, a PNG's
    texts into a PNG; what its chunks say of its colours becomes a profile elsewhere.
    """
    largest = _LARGEST_SIDES.get(image_format)
    if largest is not None and max(photo.width, photo.height) > largest:
        raise UnwritablePhoto(
            f"{photo.width} x {photo.height} pixels are more than {image_format} can hold "
            f"({largest} a side); choose --format png or tiff"
        )
    photo, lost = fitted(photo, image_format)
    _ENCODERS[image_format](photo, quality, stream)
    return lost


def _encode_jpeg(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    pixels = as_8_bit(photo.pixels) if photo.alpha is None else _on_white(photo)
    options: dict[str, Any] = {"quality": DEFAULT_QUALITY if quality is None else quality}
    if photo.jpeg is not None:
        options = {"subsampling": photo.jpeg.subsampling, "progressive": photo.jpeg.progressive}
        options |= {"qtables": photo.jpeg.tables} if quality is None else {"quality": quality}
        options |= {"comment": photo.jpeg.comment} if photo.jpeg.comment else {}
    if photo.space == "L":
        options.pop("subsampling", None)
    metadata = _present(icc_profile=photo.icc, exif=photo.exif, xmp=photo.xmp, dpi=photo.dpi)
    options["extra"] = _iptc_segment(photo.jpeg.iptc if photo.jpeg else None)
    with _memory_file(stream) as memory:
        pillow_image(pixels, photo.space).save(memory, "JPEG", **options, **metadata)


@contextmanager
def _memory_file(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A file without a disk, whose bytes the stream gets: to a file with a number Pillow encodes outside Python's lock.

    The real file's number would do as well, but Pillow does not notice when a full disk takes a part of a write.
    """
    if not hasattr(os, "memfd_create"):  # Linux has it
        yield stream
        return
    with open(os.memfd_create("jpeg"), "w+b") as memory:  # noqa: PTH123 (a number, no path)
        yield memory
        memory.seek(0)
        shutil.copyfileobj(memory, stream, 1 << 20)


def _iptc_segment(iptc: bytes | None) -> bytes:
    """An APP13 segment that holds them as Photoshop's one resource (nameless 0x0404); empty where they do not fit."""
    if iptc is None:
        return b""
    resource = struct.pack(">4sHHL", b"8BIM", 0x0404, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    content = b"Photoshop 3.0\0" + resource
    if len(content) > JPEG_SEGMENT_BYTES:
        return b""
    return struct.pack(">HH", 0xFFED, 2 + len(content)) + content


def _encode_png(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    from img2img.photo.png.writer import write_png

    write_png(photo, stream)


def _encode_webp(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    lossless = photo.lossless and quality is None
    options = _LOSSLESS_WEBP if lossless else {"quality": DEFAULT_QUALITY if quality is None else quality}
    metadata = _present(icc_profile=photo.icc, exif=photo.exif, xmp=photo.xmp)
    photo.to_image().save(stream, "WEBP", exact=True, **options, **metadata)


def _encode_avif(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    """Colour at full resolution: at the half of it that is usual, what was coloured would bleed over its edges."""
    exif = without_orientation(photo.exif) if photo.exif else None
    metadata = _present(icc_profile=photo.icc, exif=exif, xmp=photo.xmp)
    options: dict[str, Any] = {"quality": _AVIF_QUALITY if quality is None else quality, "speed": _AVIF_SPEED}
    image = photo.to_image()
    if image.mode != "L":
        options["subsampling"] = "4:4:4"
    image.info.clear()
    image.save(stream, "AVIF", **options, **metadata)


def _encode_tiff(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    from img2img.photo.tiff.writer import write_tiff

    write_tiff(photo, stream)


def _encode_bmp(photo: Photo, quality: int | None, stream: BinaryIO) -> None:
    image = photo.to_image()
    image = image.convert("RGBA") if image.mode == "LA" else image
    write_bmp(image, stream, None if image.mode == "L" else photo.icc, photo.dpi)


_ENCODERS: dict[str, Callable[[Photo, int | None, BinaryIO], None]] = {
    "JPEG": _encode_jpeg,
    "PNG": _encode_png,
    "WEBP": _encode_webp,
    "TIFF": _encode_tiff,
    "BMP": _encode_bmp,
    "AVIF": _encode_avif,
}


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _on_white(photo: Photo) -> Pixels:
    """The pixels in 8 bits, blended with white where they are transparent; exact to half a value."""
    assert photo.alpha is not None
    pixels, alpha = as_8_bit(photo.pixels), as_8_bit(photo.alpha)
    white = np.array(_WHITE[photo.space], np.uint32)
    blended = np.empty_like(pixels)
    for part in strips(photo.height, photo.width):
        opacity = alpha[part].astype(np.uint32).reshape(-1, photo.width, 1)
        colors = pixels[part].astype(np.uint32).reshape(*opacity.shape[:2], -1)
        mixed = (colors * opacity + white * (255 - opacity) + 127) // 255
        blended[part] = mixed.reshape(pixels[part].shape)
    return blended
