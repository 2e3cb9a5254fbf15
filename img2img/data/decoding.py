"""Training images decoded: the one way for the check of the data and for the training, so that both agree."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.atomic_file import reason_for
from img2img.errors import DataError, UnreadablePhoto
from img2img.photo.decode import upright
from img2img.photo.decoder_warnings import decoder_warnings_ignored
from img2img.photo.formats import reader_of, sniff_format
from img2img.photo.image_info import side_of
from img2img.photo.pixels import as_8_bit

MAX_PIXELS = 178_956_970  # where Pillow itself speaks of a decompression bomb
_PLAIN_MODES = {"1", "L", "P", "RGB", "YCbCr"}
_OTHER_MODES = {"LA", "La", "PA", "RGBA", "RGBa", "RGBX", "CMYK"}
_REFUSED_MODES = {"I": "32-bit samples", "F": "floating-point samples"}
_KEPT_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"fcTL")


@dataclass(frozen=True)
class DecodedImage:
    """`rgb` (H, W, 3) uint8, upright; `oddity` says what of the file it does not hold, empty where that is nothing."""

    rgb: NDArray[np.uint8]
    oddity: str


def decoded_image(encoded: bytes) -> DecodedImage:
    """A file's first picture from its first to its last pixel. Transparency is left out, 16 bits become 8.

    Raises DataError with what is wrong, without the file's name and without advice.
    """
    try:
        with decoder_warnings_ignored():
            return _decoded(encoded)
    except DataError:
        raise
    except Exception as error:  # a decoder raises any kind at all for a damaged file
        raise DataError(reason_for(error, "read").rsplit("; ", 1)[0]) from error


def _decoded(encoded: bytes) -> DecodedImage:
    if not encoded:
        raise DataError("empty")
    image_format = sniff_format(encoded[:32])
    if image_format in (None, "HEIF"):
        raise DataError("not an image inside" if image_format is None else "HEIC inside, which training does not read")
    if image_format == "TIFF":
        return _decoded_tiff(BytesIO(encoded))
    content = b"".join(_bare_png(encoded)) if image_format == "PNG" else encoded
    with reader_of(str(image_format))(BytesIO(content), "") as image:
        if image.width * image.height > MAX_PIXELS:
            raise DataError(f"{image.width} x {image.height} pixels, more than a machine can hold many of")
        image.load()
        return DecodedImage(_rgb(image), _oddity(image))


def _decoded_tiff(stream: BytesIO) -> DecodedImage:
    """By the standard, as photos are read: Pillow takes some of its conventions another way."""
    from img2img.photo.tiff.reader import holds_several, read_tiff

    try:
        photo = read_tiff(stream, MAX_PIXELS, first_frame=True)
        several = holds_several(stream)
    except UnreadablePhoto as error:
        raise DataError(str(error).partition(";")[0]) from error
    pixels = as_8_bit(photo.pixels)
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    transparent = "transparent" if photo.alpha is not None else ""
    return DecodedImage(rgb, "several pictures in one file" if several else transparent)


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):  # converted by Pillow, all but the darkest would be white
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return upright(np.repeat(grey[..., None], 3, 2), side_of(image))
    if image.mode not in _PLAIN_MODES | _OTHER_MODES:
        kind = _REFUSED_MODES.get(image.mode, f"pixels of mode {image.mode}")
        raise DataError(f"{kind}, where 8 or 16 bits are needed")
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return upright(np.asarray(rgb), side_of(image))


def _oddity(image: Image.Image) -> str:
    if getattr(image, "n_frames", 1) > 1:
        return "several pictures in one file"
    if image.mode.endswith(("A", "a")) or "transparency" in image.info:
        return "transparent"
    return "" if image.mode in _PLAIN_MODES else f"pixels of mode {image.mode}"


def _bare_png(encoded: bytes) -> Iterator[bytes]:
    """The file without texts, profiles and damaged extras: no reason to lose the picture, for which they are not."""
    yield encoded[:8]
    at = 8
    while at + 8 <= len(encoded):
        end = at + 12 + int.from_bytes(encoded[at : at + 4], "big")
        kind = encoded[at + 4 : at + 8]
        optional = bool(kind[0] & 0x20)
        whole = end <= len(encoded) and zlib.crc32(encoded[at + 4 : end - 4]) == int.from_bytes(encoded[end - 4 : end])
        if not optional or (kind in _KEPT_CHUNKS and whole):
            yield encoded[at:end]
        at = end
