"""The boxes that MP4, QuickTime, AVIF and HEIC files are made of (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_IDENTIFIER = 16  # bytes that tell one "uuid" from another


class Box(NamedTuple):
    """`kind`: four letters; of a "uuid" its identifier follows. `start` and `length` are those of its contents."""

    kind: bytes
    start: int
    length: int


def iso_boxes(stream: BinaryIO, inside: Box | None = None) -> Iterator[Box]:
    """The file's own boxes, or those that another is made of, up to one that has no end, or one beyond the other's."""
    at, end = (inside.start, inside.start + inside.length) if inside else (0, None)
    while end is None or at + 8 <= end:
        stream.seek(at)
        head = stream.read(16 + _IDENTIFIER)
        size, kind, inner = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, inner = int.from_bytes(head[8:16], "big"), 16
        if len(head) < 8 or size < 8 or (end is not None and at + size > end):
            return
        if kind == b"uuid":
            kind, inner = kind + head[inner : inner + _IDENTIFIER], inner + _IDENTIFIER
        yield Box(kind, at + inner, max(0, size - inner))
        at += size
