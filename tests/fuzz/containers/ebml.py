"""EBML (Matroska, WebM): elements whose id and length are numbers of one to eight bytes."""

from __future__ import annotations

from fuzz.parts import Part, number_bytes

# Header, Segment, SeekHead, Seek, Info, Tracks, TrackEntry, Video, Audio, Cluster, BlockGroup, Cues, CuePoint, its
# positions, Tags, Tag, Targets, SimpleTag
_HOLDING = {
    *("1a45dfa3", "18538067", "114d9b74", "4dbb", "1549a966", "1654ae6b", "ae", "e0", "e1", "1f43b675", "a0"),
    *("1c53bb6b", "bb", "b7", "1254c367", "7373", "63c0", "67c8"),
}
_DEEPEST = 12


def split_ebml(data: bytes) -> Part:
    return Part("ebml file", parts=_elements(data, 0))


def _elements(data: bytes, depth: int) -> list[Part]:
    parts, at = [], 0
    while at < len(data) and depth < _DEEPEST:
        id_size = _width(data, at, most=4)
        length_at = at + id_size
        width = _width(data, length_at, most=8)
        content_at = length_at + width
        if not id_size or not width or content_at > len(data):
            break
        end = min(content_at + _length(data[length_at:content_at], len(data)), len(data))
        name = data[at:length_at].hex()
        element = Part(name, head=data[at:content_at], mend=_mend_element)
        if name in _HOLDING:
            element.parts = _elements(data[content_at:end], depth + 1)
        else:
            element.body = data[content_at:end]
        parts.append(element)
        at = end
    return parts if at == len(data) else [*parts, Part("rest", body=data[at:])]


def _width(data: bytes, at: int, most: int) -> int:
    """Of the number there, by the first bit that is set in its first byte; 0 where there is none."""
    width = 9 - data[at].bit_length() if at < len(data) and data[at] else 0
    return width if width <= most and at + width <= len(data) else 0


def _length(number: bytes, unknown: int) -> int:
    value = int.from_bytes(number, "big") & ((1 << 7 * len(number)) - 1)
    return unknown if value == (1 << 7 * len(number)) - 1 else value


def _mend_element(element: Part) -> None:
    id_size = _width(element.head, 0, most=4)
    width, size = len(element.head) - id_size, len(element.content)
    if not id_size or not width or size >= (1 << 7 * width) - 1:
        return  # a head that is damaged by itself, or too short for the new length
    element.head = element.head[:id_size] + number_bytes(size | 1 << 7 * width, width)
