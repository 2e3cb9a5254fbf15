"""JPEG files as they are opened: the picture without Pillow's additions, and what stands beside it in the file."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from PIL.JpegImagePlugin import JpegImageFile

from img2img.photo.jpeg.frame import EOI, SOI, end_of_picture
from img2img.photo.metadata.tiff_directory import read_directory, read_header
from img2img.photo.metadata.xmp import claims_of
from img2img.photo.spliced_file import Part, spliced_file

_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_NUMBER_OF_IMAGES = 0xB001  # of CIPA DC-007, the multi-picture format


class QuietJpegFile(JpegImageFile):
    """The (main) picture of a JPEG.

    Pillow's own opening parses EXIF for the resolution, with warnings where EXIF is damaged, and makes an
    animation of a phone's multi-picture JPEG. metadata/exif.py reads the resolution; one picture is what is wanted.
    """

    def _open(self) -> None:
        """Without the segments over which Pillow stumbles: a photo is not refused for its metadata."""
        assert self.fp is not None
        self.unreadable = list(_unreadable_segments(self.fp))
        if self.unreadable:
            start, parts = 0, list[Part]()
            for segment in self.unreadable:
                parts.append((start, segment.at))
                start = segment.at + segment.length
            self.fp = spliced_file(self.fp, [*parts, (start, self.fp.seek(0, 2))])
        self.fp.seek(0)
        super()._open()

    def _read_dpi_from_exif(self) -> None:
        pass


@dataclass(frozen=True)
class _Segment:
    """Where it lies, marker and length included."""

    marker: int
    at: int
    length: int


def _unreadable_segments(stream: IO[bytes]) -> Iterator[_Segment]:
    at = 2
    while True:
        stream.seek(at)
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF or not 0xC0 <= head[1] < 0xFF or head[1] in (0xD9, 0xDA):
            return
        segment = _Segment(head[1], at, 2 + int.from_bytes(head[2:], "big"))
        if 0xE0 <= segment.marker <= 0xEF and _is_unreadable(stream.read(segment.length - 4)):
            yield segment
        at += max(segment.length, 4)


def _is_unreadable(data: bytes) -> bool:
    """Whether Pillow would read beyond a segment's end."""
    least = {b"JFIF": 7, b"Adobe": 7, b"ICC_PROFILE\0": 14}
    if any(data.startswith(name) and len(data) < size for name, size in least.items()):
        return True
    at = 14
    while data.startswith(b"Photoshop 3.0\0") and data[at : at + 4] == b"8BIM":
        if len(data) < at + 7:
            return True
        at += 7 + data[at + 6]
        at += at % 2
        at += 4 + int.from_bytes(data[at : at + 4], "big")
        at += at % 2
    return False


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
    for segment in image.unreadable if isinstance(image, QuietJpegFile) else ():
        yield f"metadata (unreadable APP{segment.marker & 15})"
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
