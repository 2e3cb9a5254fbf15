"""TIFF, also as EXIF: directories with their entries, and what lies between them, cut where entries point to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from fuzz.parts import Part, number_at, number_bytes, split_bytes

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_DIRECTORY_TAGS = (330, 34665, 34853, 40965)
_DATA_TAGS = (273, 324, 513)
_MOST_ENTRIES = 200


@dataclass(frozen=True)
class _Layout:
    """The widths of numbers in a classic TIFF, or in a BigTIFF."""

    order: str
    count: int = 2
    offset: int = 4

    @property
    def entry(self) -> int:
        return 4 + 2 * self.offset


@dataclass(frozen=True)
class _Directory:
    at: int
    entries: int
    layout: _Layout

    @property
    def end(self) -> int:
        return self.at + self.layout.count + self.entries * self.layout.entry + self.layout.offset


def split_tiff(data: bytes) -> Part:
    layout = _layout(data)
    if layout is None:
        return split_bytes(data)
    header = 8 if layout.offset == 4 else 16
    directories = _directories(data, layout, header)
    inside = {place for each in directories for place in range(each.at + 1, each.end)}
    cuts = {at for each in directories for at in _pointed_at(data, each)} | {each.end for each in directories}
    places = sorted({header, len(data)} | {at for at in cuts if header < at < len(data) and at not in inside})
    starts = {each.at: each for each in directories}
    places = sorted({*places, *starts})
    root = Part("tiff", head=data[:header])
    for start, end in pairwise(places):
        part = _directory_part(data, starts[start]) if start in starts else Part("values", body=data[start:end])
        root.parts.append(part)
    return root


def _layout(data: bytes) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    version = number_at(data, 2, 2, order) if order else 0
    if order is None or len(data) < (8 if version == 42 else 16):
        return None
    return {42: _Layout(order), 43: _Layout(order, 8, 8)}.get(version)


def _directories(data: bytes, layout: _Layout, header: int) -> list[_Directory]:
    """Those that can be reached, whole, and overlap no other."""
    found: list[_Directory] = []
    due = [number_at(data, header - layout.offset, layout.offset, layout.order)]
    while due:
        at = due.pop()
        each = _Directory(at, number_at(data, at, layout.count, layout.order), layout)
        if at < header or not 0 < each.entries < _MOST_ENTRIES or each.end > len(data):
            continue
        if any(at < other.end and other.at < each.end for other in found):
            continue
        found.append(each)
        due.append(number_at(data, each.end - layout.offset, layout.offset, layout.order))
        due += [value for tag, _, _, value in _entries(data, each) if tag in _DIRECTORY_TAGS]
    return found


def _entries(data: bytes, directory: _Directory) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count, value or offset."""
    layout = directory.layout
    for number in range(directory.entries):
        at = directory.at + layout.count + number * layout.entry
        wide = layout.offset
        fields = ((at, 2), (at + 2, 2), (at + 4, wide), (at + 4 + wide, wide))
        tag, kind, count, value = (number_at(data, start, size, layout.order) for start, size in fields)
        yield tag, kind, count, value


def _pointed_at(data: bytes, directory: _Directory) -> Iterator[int]:
    """Where values and strips begin, and where they end."""
    for tag, kind, count, value in _entries(data, directory):
        size = _SIZES.get(kind, 0) * count
        if size > directory.layout.offset:
            yield from (value, value + size)
        elif tag in _DATA_TAGS:
            yield value


def _directory_part(data: bytes, directory: _Directory) -> Part:
    layout = directory.layout
    first, last = directory.at + layout.count, directory.end - layout.offset
    part = Part("directory", head=data[directory.at : first], tail=data[last : directory.end])
    for at in range(first, last, layout.entry):
        value_at = at + 4 + layout.offset
        tag = number_at(data, at, 2, layout.order)
        part.parts.append(Part(f"entry {tag}", data[at:value_at], data[value_at : at + layout.entry]))
    part.mend = partial(_mend_directory, layout=layout, size=directory.end - directory.at)
    return part


def _mend_directory(part: Part, layout: _Layout, size: int) -> None:
    """The count of entries, and where some are gone as many bytes, so that offsets in the file stay true."""
    part.head = number_bytes(len(part.parts), layout.count, layout.order)
    pointer = part.tail[: layout.offset]
    missing = size - len(part.head) - len(part.content) - len(pointer)
    part.tail = pointer + bytes(max(0, missing))
