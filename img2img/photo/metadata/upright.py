"""EXIF made true for upright pixels: orientation reset, sides and places turned, the old picture's thumbnail dropped.

EXIF is patched where it lies rather than written anew: maker notes hold offsets that must stay right.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from img2img.photo.metadata.exif import ORIENTATION, PREFIX, first_directory
from img2img.photo.metadata.tiff_directory import (
    EXIF_POINTER,
    INTEROP_POINTER,
    Directory,
    Header,
    TiffEntry,
    read_directory,
    read_header,
)
from img2img.photo.metadata.xmp import turned_point

_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_SUBJECT_AREA, _SUBJECT_LOCATION = 0x9214, 0xA214
# Of a TIFF that the block once was a part of: how its pixels lay there.
_STORAGE = (254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339)
# Across and down, by directory: resolution; pixels and focal plane; the related picture's.
_PAIRS = {
    0: ((0x011A, 0x011B),),
    EXIF_POINTER: ((0xA002, 0xA003), (0xA20E, 0xA20F)),
    INTEROP_POINTER: ((0x1001, 0x1002),),
}


@dataclass
class _Block:
    """A block on its way to being true: `data` are patched, `stream` holds what was there."""

    data: bytearray
    stream: io.BytesIO
    header: Header

    def below(self, directory: Directory, tag: int) -> Directory | None:
        """The directory that a pointer names."""
        at = directory.entries[tag].whole(self.header.order) if tag in directory.entries else None
        try:
            return read_directory(self.stream, self.header, at) if at else None
        except (ValueError, struct.error):
            return None

    def put(self, entry: TiffEntry, values: list[float]) -> None:
        """Other whole numbers in place of an entry's; nothing where they do not fit it."""
        code = {1: "B", 3: "H", 4: "L"}.get(entry.type)
        size = struct.calcsize(f"<{len(values)}{code}") if code else 0
        top = 2 ** (8 * struct.calcsize(f"<{code}")) - 1 if code else 0
        if code and size <= len(entry.data) and all(0 <= round(each) <= top for each in values):
            numbers = [round(each) for each in values]
            struct.pack_into(
                f"{self.header.order}{len(numbers)}{code}", self.data, len(PREFIX) + entry.offset, *numbers
            )


def upright_exif(exif: bytes | None, side: int = 1, size: tuple[int, int] | None = None) -> bytes | None:
    """The block for pixels turned upright from that side; `size` is their width and height before, where known."""
    if exif is None or not first_directory(exif):
        return exif
    stream = io.BytesIO(exif[len(PREFIX) :])
    header = read_header(stream)
    block = _Block(bytearray(exif), stream, header)
    directory = read_directory(stream, header, header.first)
    if ORIENTATION in directory.entries:
        block.put(directory.entries[ORIENTATION], [1])
    photo = block.below(directory, EXIF_POINTER)
    if side >= 5:
        related = block.below(photo, INTEROP_POINTER) if photo else None
        for tag, each in ((0, directory), (EXIF_POINTER, photo), (INTEROP_POINTER, related)):
            _swap(block, each, tag)
    if side != 1 and photo is not None:
        _turn_subject(block, photo, side, size)
    _drop_thumbnail(block, directory)
    _drop_storage(block, directory)
    return bytes(block.data)


def _swap(block: _Block, directory: Directory | None, tag: int) -> None:
    entries = directory.entries if directory else {}
    for across, down in _PAIRS[tag]:
        if across not in entries or down not in entries:
            continue
        one, other = entries[across], entries[down]
        if (one.type, len(one.data)) == (other.type, len(other.data)):
            for place, value in ((one, other.data), (other, one.data)):
                at = len(PREFIX) + place.offset
                block.data[at : at + len(value)] = value
        else:
            sides = one.whole(block.header.order), other.whole(block.header.order)
            block.put(one, [sides[1] or 0])
            block.put(other, [sides[0] or 0])


def _turn_subject(block: _Block, photo: Directory, side: int, size: tuple[int, int] | None) -> None:
    """A point, a circle (point, diameter), or a rectangle (centre, width, height), in pixels."""
    for tag in (_SUBJECT_AREA, _SUBJECT_LOCATION):
        entry = photo.entries.get(tag)
        values = list(entry.numbers(block.header.order)) if entry is not None else []
        if entry is None or size is None or not 2 <= len(values) <= 4:
            continue
        values[:2] = turned_point(values[0], values[1], side, *size)
        if side >= 5 and len(values) == 4:
            values[2:] = reversed(values[2:])
        block.put(entry, values)


def _drop_thumbnail(block: _Block, directory: Directory) -> None:
    """The second directory unlinked, and its JPEG blanked, or cut off where nothing lies behind it."""
    if directory.next == 0:
        return
    struct.pack_into(block.header.order + "L", block.data, len(PREFIX) + directory.next_at, 0)
    try:
        second = read_directory(block.stream, block.header, directory.next).entries
        start = len(PREFIX) + (second[_THUMBNAIL_OFFSET].whole(block.header.order) or 0)
        end = start + (second[_THUMBNAIL_LENGTH].whole(block.header.order) or 0)
    except (ValueError, KeyError, struct.error):
        return
    if block.data[start : start + 2] != b"\xff\xd8" or end > len(block.data):
        return
    if any(block.data[end:]):
        block.data[start:end] = bytes(end - start)
    else:
        del block.data[start:]


def _drop_storage(block: _Block, directory: Directory) -> None:
    """The entries that are left move together, the space behind them stays."""
    if not directory.entries.keys() & set(_STORAGE):
        return
    start = len(PREFIX) + block.header.first
    table = bytes(block.data[start + 2 : len(PREFIX) + directory.next_at])
    link = bytes(block.data[len(PREFIX) + directory.next_at :][:4])
    order = block.header.order
    rows = [table[i : i + 12] for i in range(0, len(table), 12)]
    kept = [row for row in rows if struct.unpack(order + "H", row[:2])[0] not in _STORAGE]
    body = struct.pack(order + "H", len(kept)) + b"".join(kept) + link
    block.data[start : start + len(body)] = body
    block.data[start + len(body) : start + 2 + len(table) + len(link)] = bytes(2 + len(table) + len(link) - len(body))
