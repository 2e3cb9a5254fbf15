"""A JPEG's markers: its frame header, which process it is coded with, its scans, and where it ends (ITU-T T.81, B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from img2img.errors import UnreadablePhoto

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # none of those that stand within a scan
_SOF = {0xC0 + i for i in range(16)} - {0xC4, 0xC8, 0xCC}
_SOS, _END = 0xDA, 0xD9
_BASELINE, _EXTENDED, _PROGRESSIVE, _LOSSLESS = 0xC0, 0xC1, 0xC2, 0xC3
_ARITHMETIC = (0xC9, 0xCA, 0xCB)
HUFFMAN_DCT = (_BASELINE, _EXTENDED, _PROGRESSIVE)


@dataclass(frozen=True)
class JpegFrame:
    """Process is the second byte of its marker; components are their identifiers."""

    process: int
    bits: int
    size: tuple[int, int]
    components: tuple[int, ...]

    @property
    def is_progressive(self) -> bool:
        return self.process == _PROGRESSIVE


def segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Marker, place and content of each segment; the end comes last, and there the picture ends."""
    at = 2
    while found := _MARKER.search(data, at):
        marker, start = data[found.start() + 1], found.end()
        if marker == _END:
            yield marker, found.start(), b""
            return
        length = struct.unpack_from(">H", data, start)[0] if start + 2 <= len(data) else 2
        at = start + max(length, 2)
        yield marker, found.start(), data[start + 2 : at]


def end_of_picture(data: bytes) -> int | None:
    """Where the marker of the end stands."""
    return next((at for marker, at, _ in segments(data) if marker == _END), None)


def jpeg_frame_of(data: bytes) -> JpegFrame | None:
    """From the header; None where it is damaged."""
    for marker, _, content in segments(data):
        if marker in _SOF and len(content) >= 6:
            bits, height, width, count = struct.unpack_from(">BHHB", content)
            return JpegFrame(marker, bits, (width, height), tuple(content[6 : 6 + 3 * count : 3]))
        if marker == _SOS:
            return None
    return None


def check_kind(frame: JpegFrame) -> None:
    """UnreadablePhoto for what libjpeg does not decode, or not to 8 bits."""
    if frame.bits != 8:
        raise UnreadablePhoto(
            f"JPEG of {frame.bits} bits is not supported; convert it, with ImageMagick: magick IN.jpg OUT.png"
        )
    if frame.process not in (*HUFFMAN_DCT, _LOSSLESS, *_ARITHMETIC):
        raise UnreadablePhoto(
            "hierarchical JPEG is not supported; save it as baseline JPEG or PNG in the program that made it"
        )
    if len(frame.components) not in (1, 3, 4):
        raise UnreadablePhoto(
            f"JPEG of {len(frame.components)} channels is not supported; convert it, with ImageMagick: "
            "magick IN.jpg OUT.png"
        )
    if frame.size[1] == 0:
        raise UnreadablePhoto(
            "JPEG whose height stands behind the picture is not supported; convert it, with ImageMagick: "
            "magick IN.jpg OUT.png"
        )


def refusal_of(frame: JpegFrame) -> str | None:
    """What to say when the libjpeg at hand cannot decode it: not every one is built with all processes."""
    if frame.process in _ARITHMETIC:
        return "arithmetic-coded JPEG is not supported here; recode it: jpegtran -copy all IN.jpg > OUT.jpg"
    if frame.process == _LOSSLESS:
        return "lossless JPEG is not supported here; convert it: djpeg -outfile OUT.ppm IN.jpg, magick OUT.ppm OUT.png"
    return None


def has_all_scans(data: bytes, frame: JpegFrame) -> bool:
    """Whether every coefficient of every component was sent to its last bit (of a DCT picture)."""
    missing = {(component, coefficient) for component in frame.components for coefficient in range(64)}
    for marker, _, content in segments(data):
        if marker == _SOS and content and len(content) >= 4 + 2 * content[0]:
            first, last, precision = content[1 + 2 * content[0] :][:3]
            if not frame.is_progressive:
                first, last, precision = 0, 63, 0
            if precision & 15 == 0:
                sent = content[1 : 1 + 2 * content[0] : 2]
                missing -= {(component, k) for component in sent for k in range(first, last + 1)}
    return not missing
