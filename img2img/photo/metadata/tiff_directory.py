"""TIFF directories as raw entries (TIFF 6.0, section 2; BigTIFF): TIFF files and EXIF blocks consist of them.

Values stay the bytes that they were, in the file's own byte order: nothing is lost by interpreting them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Union

TYPE_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_STRUCT_CODES = {
    1: "B",
    3: "H",
    4: "L",
    6: "b",
    8: "h",
    9: "l",
    11: "f",
    12: "d",
    13: "L",
    16: "Q",
    17: "q",
    18: "Q",
}
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 34665, 34853, 40965
_POINTERS = (EXIF_POINTER, GPS_POINTER, INTEROP_POINTER)


@dataclass(frozen=True)
class Header:
    """The first bytes of a TIFF: struct's byte order sign, BigTIFF or not, where the first directory lies."""

    order: str
    big: bool
    first: int


@dataclass(frozen=True)
class TiffEntry:
    """One value: its TIFF type, its bytes, and where they lie in the stream."""

    type: int
    data: bytes
    offset: int = 0

    def numbers(self, order: str) -> tuple[float, ...]:
        """The value as numbers; a rational is its quotient (0 when the denominator is)."""
        if self.type in (5, 10):
            code = "L" if self.type == RATIONAL else "l"
            parts = struct.unpack(f"{order}{len(self.data) // 4}{code}", self.data)
            return tuple(a / b if b else 0.0 for a, b in zip(parts[::2], parts[1::2], strict=True))
        code = _STRUCT_CODES.get(self.type, "B")
        return struct.unpack(f"{order}{len(self.data) // struct.calcsize(order + code)}{code}", self.data)

    def whole(self, order: str) -> int | None:
        """The first number where it is a whole one; None for text, fractions and what is no number."""
        if self.type in (ASCII, 6, UNDEFINED) or not (numbers := self.numbers(order)):
            return None
        return int(numbers[0]) if math.isfinite(numbers[0]) and numbers[0] == int(numbers[0]) else None


@dataclass(frozen=True)
class Directory:
    """Entries by tag, the offset of the next directory (0: none) and where that offset is written."""

    entries: dict[int, TiffEntry]
    next: int
    next_at: int


# A directory to be written: a tag's value is an entry or, for the pointer tags, a directory of its own.
Tree = Mapping[int, Union[TiffEntry, "Tree"]]


def read_header(stream: BinaryIO) -> Header:
    """Raises ValueError when the stream does not start like a TIFF."""
    stream.seek(0)
    start = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or len(start) < 8:
        raise ValueError("no TIFF header")
    magic = struct.unpack(order + "H", start[2:4])[0]
    if magic == 43 and len(start) == 16:
        return Header(order, True, struct.unpack(order + "Q", start[8:])[0])
    if magic != 42:
        raise ValueError("no TIFF header")
    return Header(order, False, struct.unpack(order + "L", start[4:8])[0])


def read_directory(stream: BinaryIO, header: Header, offset: int) -> Directory:
    """The directory at that offset, less entries that point outside the stream; ValueError without one."""
    end = stream.seek(0, 2)
    count_code, entry_code, room = ("Q", "HHQ8s", 8) if header.big else ("H", "HHL4s", 4)
    count = struct.unpack(header.order + count_code, _read(stream, offset, struct.calcsize("<" + count_code)))[0]
    at = offset + struct.calcsize("<" + count_code)
    size = struct.calcsize("<" + entry_code)
    if not 0 < count <= 65535:
        raise ValueError("no TIFF directory")
    table = _read(stream, at, count * size)
    entries: dict[int, TiffEntry] = {}
    for i, (tag, kind, number, value) in enumerate(struct.iter_unpack(header.order + entry_code, table)):
        length = TYPE_SIZES.get(kind, 0) * number
        where = at + (i + 1) * size - room
        if length > room:
            where = struct.unpack(header.order + ("Q" if header.big else "L"), value)[0]
        if length > 0 and where + length <= end and tag not in entries:
            entries[tag] = TiffEntry(kind, value[:length] if length <= room else _read(stream, where, length), where)
    next_at = at + len(table)
    pointer = stream.read(room) if stream.seek(next_at) + room <= end else b""
    following = struct.unpack(header.order + ("Q" if header.big else "L"), pointer)[0] if pointer else 0
    return Directory(entries, following, next_at)


def read_tree(stream: BinaryIO, header: Header, directory: Directory) -> dict[int, TiffEntry | Tree]:
    """The directory with the EXIF, GPS and interoperability directories that it points to."""
    tree: dict[int, TiffEntry | Tree] = dict(directory.entries)
    for tag in _POINTERS:
        if tag not in directory.entries:
            continue
        del tree[tag]
        try:
            below = read_directory(stream, header, directory.entries[tag].whole(header.order) or 0)
        except (ValueError, struct.error):
            continue
        # Pointers only go down, so that a directory that points to itself ends.
        entries = {t: e for t, e in below.entries.items() if t > tag or t not in _POINTERS}
        tree[tag] = read_tree(stream, header, Directory(entries, 0, 0))
    return tree


def pack_tree(tree: Tree, order: str, offset: int) -> bytes:
    """The directory and all below it as a classic TIFF writes them when they start at that (even) offset."""
    table: list[bytes] = []
    body = bytearray()
    body_at = offset + 2 + 12 * len(tree) + 4
    for tag, value in sorted(tree.items()):
        if isinstance(value, TiffEntry):
            kind, number, data = value.type, len(value.data) // TYPE_SIZES[value.type], value.data
        else:
            kind, number, data = LONG, 1, struct.pack(order + "L", body_at + len(body))
            body += pack_tree(value, order, body_at + len(body))
        if len(data) > 4:
            where = struct.pack(order + "L", body_at + len(body))
            body += data + b"\0" * (len(data) % 2)
            data = where
        table.append(struct.pack(order + "HHL4s", tag, kind, number, data))
    return struct.pack(order + "H", len(table)) + b"".join(table) + b"\0\0\0\0" + bytes(body)


def shorts(order: str, *values: int) -> TiffEntry:
    return TiffEntry(SHORT, struct.pack(f"{order}{len(values)}H", *values))


def longs(order: str, *values: int) -> TiffEntry:
    return TiffEntry(LONG, struct.pack(f"{order}{len(values)}L", *values))


def rational(order: str, value: float) -> TiffEntry:
    """An unsigned rational, exact to one part in a million or better."""
    from fractions import Fraction

    fraction = Fraction(value).limit_denominator(1_000_000)
    return TiffEntry(RATIONAL, struct.pack(order + "2L", min(fraction.numerator, 2**32 - 1), fraction.denominator))


def _read(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    data = stream.read(size)
    if len(data) != size:
        raise ValueError("the file ends inside a TIFF directory")
    return data
