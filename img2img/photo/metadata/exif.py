"""EXIF and XMP made true for upright pixels: orientation reset, stale thumbnail dropped, the rest as it was.

EXIF is patched where it lies rather than written anew: maker notes hold offsets that must stay right.
An EXIF block here starts with b"Exif\\0\\0", as in a JPEG.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from img2img.photo.metadata.tiff_directory import (
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
from img2img.photo.metadata.xmp import orientation_of

PREFIX = b"Exif\0\0"
ORIENTATION = 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128

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
    """1 to 8 as EXIF defines them, from EXIF or else XMP; 1 when neither says, or no such number."""
    entry = first_directory(exif).get(ORIENTATION)
    if entry is not None and exif is not None:
        value = entry.whole(_order(exif))
        return value if value is not None and 1 <= value <= 8 else 1
    return orientation_of(xmp) or 1


def resolution(exif: bytes | None) -> tuple[float, float] | None:
    """Dots per inch, across and down, as EXIF has them; None when it has not, or no unit."""
    entries = first_directory(exif)
    if exif is None or not {_X_RESOLUTION, _Y_RESOLUTION} <= entries.keys():
        return None
    order = _order(exif)
    unit = entries[_UNIT].whole(order) if _UNIT in entries else 2
    across, down = (entries[tag].numbers(order)[0] for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    factor = {2: 1.0, 3: 2.54}.get(unit or 0)
    return None if factor is None else (across * factor, down * factor)


def exif_of_tiff(stream: BinaryIO, header: Header, directory: Directory) -> bytes | None:
    """What a TIFF file's own directory says about the photo, as an EXIF block; None when it says nothing."""
    tree = _descriptive(read_tree(stream, header, directory))
    return pack_exif(tree, header.order) if tree else None


def exif_tree(exif: bytes | None) -> tuple[str, dict[int, TiffEntry | Tree]]:
    """A block's byte order and descriptive entries: what a TIFF file takes over into its own directory."""
    if exif is None or not first_directory(exif):
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


def first_directory(exif: bytes | None) -> dict[int, TiffEntry]:
    """Empty when the block is damaged: a photo is not refused for its metadata."""
    if exif is None:
        return {}
    try:
        stream = io.BytesIO(exif[len(PREFIX) :])
        header = read_header(stream)
        return {} if header.big else read_directory(stream, header, header.first).entries
    except (ValueError, struct.error):
        return {}
