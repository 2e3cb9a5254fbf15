"""JPEG files as they are opened: the picture without Pillow's additions, and what stands beside it in the file."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL.JpegImagePlugin import JpegImageFile

from img2img.photo.jpeg_frame import EOI, SOI, end_of_picture
from img2img.photo.metadata.tiff_directory import read_directory, read_header
from img2img.photo.metadata.xmp import claims_of

_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_NUMBER_OF_IMAGES = 0xB001  # of CIPA DC-007, the multi-picture format


class QuietJpegFile(JpegImageFile):
    """The (main) picture of a JPEG.

    Pillow's own opening parses EXIF for the resolution, with warnings where EXIF is damaged, and makes an
    animation of a phone's multi-picture JPEG. metadata/exif.py reads the resolution; one picture is what is wanted.
    """

    def _read_dpi_from_exif(self) -> None:
        pass


def beside_picture(image: JpegImageFile) -> Iterator[str]:
    """In words, what of an opened file is not kept: films, gain maps and further pictures, XMP's second half."""
    segments = [data for _, data in image.applist]
    claims = claims_of(image.info.get("xmp"))
    has_gain_map = "gain map" in claims or any(data.startswith(_GAIN_MAP) for data in segments)
    behind = _behind(image, certain=has_gain_map or bool(claims) or "mp" in image.info)
    pictures = max(SOI + b"\xff" in behind, _further_pictures(image.info.get("mp")) if behind else 0)
    if b"ftyp" in behind:
        yield "motion film"
    if has_gain_map and pictures:
        yield "gain map"
    if pictures > has_gain_map:
        yield "further pictures"
    if any(data.startswith(_EXTENDED_XMP) for data in segments):
        yield "depth map" if "depth map" in claims else "extended XMP"
    if any(name == "APP11" and data.startswith(b"JP") for name, data in image.applist):
        yield "content credentials"
    if any(data.startswith(b"ICC_PROFILE\0") for data in segments) and not image.info.get("icc_profile"):
        yield "colour profile (incomplete)"


def _further_pictures(index: bytes | None) -> int:
    """How many, beside the first, a multi-picture index counts."""
    if index is None:
        return 0
    try:
        stream = io.BytesIO(index)
        header = read_header(stream)
        entry = read_directory(stream, header, header.first).entries[_NUMBER_OF_IMAGES]
    except (ValueError, KeyError, struct.error):
        return 0
    return max((entry.whole(header.order) or 1) - 1, 0)


def _behind(image: JpegImageFile, *, certain: bool) -> bytes:
    """The bytes behind the picture's end. The file is looked through where it is certain, or likely, that there are."""
    stream = image.fp
    if stream is None:
        return b""
    place = stream.tell()
    try:
        end = stream.seek(0, 2)
        stream.seek(max(end - 2, 0))
        if not certain and stream.read() == EOI:
            return b""
        stream.seek(0)
        return _after_end(stream.read())
    finally:
        stream.seek(place)


def _after_end(data: bytes) -> bytes:
    end = end_of_picture(data)
    return b"" if end is None else data[end + len(EOI) :]
