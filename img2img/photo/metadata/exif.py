"""EXIF and XMP made true for upright pixels: orientation reset, stale thumbnail dropped, the rest as it was.

EXIF is patched where it lies rather than written anew: maker notes hold offsets that must stay right.
An EXIF block here starts with b"Exif\\0\\0", as in a JPEG.
"""

from __future__ import annotations

import io
import re
import struct
from typing import BinaryIO

from img2img.photo.metadata.tiff_directory import (
    EXIF_POINTER,
    Directory,
    Header,
    TiffEntry,
    Tree,
    pack_tree,
    read_directory,
    read_header,
    read_tree,
    shorts,
)

PREFIX = b"Exif\0\0"
ORIENTATION = 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202

# Tags that say how one TIFF file stores its pixels; they mean nothing for another file. The third line: XMP
# and the ICC profile, kept elsewhere, and Photoshop's layers and resources, which hold the old picture.
_STORAGE_TAGS = (*range(254, 260), *range(262, 267), *range(277, 285), *range(288, 294), *range(317, 329))
_MORE_STORAGE_TAGS = (273, 274, 296, 297, 301, 330, *range(332, 343), 347, *range(512, 522), *range(529, 533))
_KEPT_ELSEWHERE_OR_STALE = (700, 34675, 34377, 37724, 50255)
STRUCTURAL_TAGS = frozenset((*_STORAGE_TAGS, *_MORE_STORAGE_TAGS, *_KEPT_ELSEWHERE_OR_STALE))


def with_prefix(exif: bytes | None) -> bytes | None:
    """The block as a JPEG has it, whether or not the file's format leaves the prefix out."""
    if not exif:
        return None
    return exif if exif.startswith(PREFIX) else PREFIX + exif


def orientation(exif: bytes | None, xmp: bytes | None = None) -> int:
    """1 to 8 as EXIF defines them, from EXIF or else XMP; 1 when neither says."""
    entry = _first_directory(exif).get(ORIENTATION)
    if entry is not None and exif is not None:
        value = int(entry.numbers(_order(exif))[0])
        return value if 1 <= value <= 8 else 1
    found = re.search(rb'tiff:Orientation(?:\s*=\s*["\']|>)\s*([1-8])', xmp or b"")
    return int(found[1]) if found else 1


def resolution(exif: bytes | None) -> tuple[float, float] | None:
    """Dots per inch, across and down, as EXIF has them; None when it has not, or no unit."""
    entries = _first_directory(exif)
    if exif is None or not {_X_RESOLUTION, _Y_RESOLUTION} <= entries.keys():
        return None
    order = _order(exif)
    unit = int(entries[_UNIT].numbers(order)[0]) if _UNIT in entries else 2
    across, down = (entries[tag].numbers(order)[0] for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    factor = {2: 1.0, 3: 2.54}.get(unit)
    return None if factor is None else (across * factor, down * factor)


def upright_exif(exif: bytes | None, *, sides_swapped: bool) -> bytes | None:
    """The block for upright pixels: orientation 1, no thumbnail, its pixel dimensions swapped where due."""
    if exif is None or not _first_directory(exif):
        return exif
    patched = bytearray(exif)
    stream = io.BytesIO(exif[len(PREFIX) :])
    header = read_header(stream)
    directory = read_directory(stream, header, header.first)
    if ORIENTATION in directory.entries:
        _put(patched, directory.entries[ORIENTATION], 1, header.order)
    if sides_swapped:
        _swap_dimensions(patched, stream, header, directory)
    return bytes(_without_thumbnail(patched, stream, header, directory))


def upright_xmp(xmp: bytes | None) -> bytes | None:
    """The packet with tiff:Orientation 1, where it has one."""
    return xmp and re.sub(rb'(tiff:Orientation(?:\s*=\s*["\']|>)\s*)[2-8]', rb"\g<1>1", xmp)


def exif_of_tiff(stream: BinaryIO, header: Header, directory: Directory) -> bytes | None:
    """What a TIFF file's own directory says about the photo, as an EXIF block; None when it says nothing."""
    tree = _descriptive(read_tree(stream, header, directory))
    return pack_exif(tree, header.order) if tree else None


def exif_tree(exif: bytes | None) -> tuple[str, dict[int, TiffEntry | Tree]]:
    """A block's byte order and descriptive entries: what a TIFF file takes over into its own directory."""
    if exif is None or not _first_directory(exif):
        return "<", {}
    stream = io.BytesIO(exif[len(PREFIX) :])
    header = read_header(stream)
    tree = read_tree(stream, header, read_directory(stream, header, header.first))
    return header.order, _descriptive(tree)


def _descriptive(tree: Tree) -> dict[int, TiffEntry | Tree]:
    return {tag: value for tag, value in tree.items() if tag not in STRUCTURAL_TAGS}


def pack_exif(tree: Tree, order: str) -> bytes:
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    return PREFIX + start + pack_tree(tree, order, 8)


def fitted_exif(exif: bytes | None, limit: int) -> bytes | None:
    """The block in at most `limit` bytes (a JPEG takes 64 KB): its largest values are left out as needed."""
    if exif is None or len(exif) <= limit:
        return exif
    order, tree = exif_tree(exif)
    tree[ORIENTATION] = shorts(order, 1)
    while len(packed := pack_exif(tree, order)) > limit:
        _drop_largest(tree)
    return packed


def _drop_largest(tree: dict[int, TiffEntry | Tree]) -> None:
    def size(tag: int) -> int:
        value = tree[tag]
        return len(value.data) if isinstance(value, TiffEntry) else len(pack_tree(value, "<", 0))

    largest = max(tree, key=size)
    value = tree.pop(largest)
    if not isinstance(value, TiffEntry) and len(value) > 1:
        below = dict(value)
        _drop_largest(below)
        tree[largest] = below


def _order(exif: bytes) -> str:
    return "<" if exif[len(PREFIX) :].startswith(b"II") else ">"


def _first_directory(exif: bytes | None) -> dict[int, TiffEntry]:
    """Empty when the block is damaged: a photo is not refused for its metadata."""
    if exif is None:
        return {}
    try:
        stream = io.BytesIO(exif[len(PREFIX) :])
        header = read_header(stream)
        return {} if header.big else read_directory(stream, header, header.first).entries
    except (ValueError, struct.error):
        return {}


def _put(patched: bytearray, entry: TiffEntry, value: int, order: str) -> None:
    code = {1: "B", 3: "H", 4: "L"}.get(entry.type)
    if code is not None:
        struct.pack_into(order + code, patched, len(PREFIX) + entry.offset, value)


def _swap_dimensions(patched: bytearray, stream: io.BytesIO, header: Header, directory: Directory) -> None:
    if EXIF_POINTER not in directory.entries:
        return
    try:
        at = int(directory.entries[EXIF_POINTER].numbers(header.order)[0])
        below = read_directory(stream, header, at).entries
        width, height = below[_PIXEL_WIDTH], below[_PIXEL_HEIGHT]
        sides = int(width.numbers(header.order)[0]), int(height.numbers(header.order)[0])
        _put(patched, width, sides[1], header.order)
        _put(patched, height, sides[0], header.order)
    except (ValueError, KeyError, struct.error):
        return


def _without_thumbnail(patched: bytearray, stream: io.BytesIO, header: Header, directory: Directory) -> bytearray:
    """The second directory unlinked, and its JPEG blanked, or cut off where nothing lies behind it."""
    if directory.next == 0:
        return patched
    struct.pack_into(header.order + "L", patched, len(PREFIX) + directory.next_at, 0)
    try:
        second = read_directory(stream, header, directory.next).entries
        start = len(PREFIX) + int(second[_THUMBNAIL_OFFSET].numbers(header.order)[0])
        end = start + int(second[_THUMBNAIL_LENGTH].numbers(header.order)[0])
    except (ValueError, KeyError, struct.error):
        return patched
    if patched[start : start + 2] != b"\xff\xd8" or end > len(patched):
        return patched
    if not any(patched[end:]):
        return patched[:start]
    patched[start:end] = bytes(end - start)
    return patched
