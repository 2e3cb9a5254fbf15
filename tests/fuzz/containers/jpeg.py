"""JPEG: segments, the scans between them, and what follows the picture, a further one in a multi-picture file."""

from __future__ import annotations

from fuzz.containers.tiff import split_tiff
from fuzz.parts import Part, number_at, number_bytes

_STANDALONE = frozenset((0x01, *range(0xD0, 0xDA)))
_START_OF_SCAN = 0xDA
_EXIF = b"Exif\0\0"


def split_jpeg(data: bytes) -> Part:
    root, at = Part("jpeg"), 0
    while at < len(data):
        part = _segment(data, at) if data[at] == 0xFF and at + 1 < len(data) else _scan(data, at)
        root.parts.append(part)
        at += len(bytes(part))
    return root


def _segment(data: bytes, at: int) -> Part:
    marker = data[at + 1]
    name = f"{marker:02x}"
    if marker in _STANDALONE or marker in (0x00, 0xFF):
        return Part(name, head=data[at : at + 2])
    end = max(at + 4, at + 2 + number_at(data, at + 2, 2))
    content = data[at + 4 : end]
    if marker == 0xE1 and content.startswith(_EXIF):
        return Part("exif", head=data[at : at + 10], parts=[split_tiff(content[6:])], mend=_mend_segment)
    return Part("scan header" if marker == _START_OF_SCAN else name, data[at : at + 4], content, mend=_mend_segment)


def _scan(data: bytes, at: int) -> Part:
    """Up to the next marker; 0xFF 0x00 and restarts belong to it."""
    end = at + 1
    while end < len(data) and not (data[end] == 0xFF and _ends_scan(data[end + 1 : end + 2])):
        end += 1
    return Part("scan", body=data[at:end])


def _ends_scan(following: bytes) -> bool:
    return bool(following) and following[0] != 0 and not 0xD0 <= following[0] <= 0xD7


def _mend_segment(segment: Part) -> None:
    size = len(bytes(segment)) - 2
    segment.head = segment.head[:2] + number_bytes(size, 2) + segment.head[4:]
