"""What Pillow does not say of an AVIF, and what it would change: the depth of its samples, and its EXIF's bytes."""

from __future__ import annotations

import struct
from typing import BinaryIO

_LARGEST_LIST = 2**24  # of contents; a real one has some hundred bytes
_ORIENTATION = 0x0112
_ENTRY = 12
_PREFIX = b"Exif\0\0"


def bits_of(stream: BinaryIO) -> int:
    """8, 10 or 12 bits a sample, by the deepest AV1 picture in the file (AV1-ISOBMFF, section 2.3: `av1C`)."""
    contents, bits, at = _list_of_contents(stream), 8, 0
    while (at := contents.find(b"av1C", at) + 4) >= 4:
        flags = contents[at + 2] if at + 2 < len(contents) else 0
        bits = max(bits, (12 if flags & 0x20 else 10) if flags & 0x40 else 8)
    return bits


def _list_of_contents(stream: BinaryIO) -> bytes:
    """The file's `meta` box (ISO/IEC 14496-12)."""
    at = 0
    while True:
        stream.seek(at)
        head = stream.read(8)
        size = int.from_bytes(head[:4], "big")
        if head[4:] == b"meta" and size <= _LARGEST_LIST:
            return stream.read(size - 8) if size > 8 else b""
        if len(head) < 8 or size < 8:
            return b""
        at += size


def without_orientation(exif: bytes) -> bytes:
    """The block without the orientation's entry, which is 1 where there is none, and all else where it was.

    Given one, Pillow writes the whole block anew, and not all of it.
    """
    start = len(_PREFIX) if exif.startswith(_PREFIX) else 0
    order = "<" if exif[start : start + 2] == b"II" else ">"
    try:
        directory = start + struct.unpack_from(f"{order}I", exif, start + 4)[0]
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        tags = [struct.unpack_from(f"{order}H", exif, directory + 2 + _ENTRY * n)[0] for n in range(count)]
    except struct.error:
        return exif
    if _ORIENTATION not in tags:
        return exif
    entry, end = directory + 2 + _ENTRY * tags.index(_ORIENTATION), directory + 2 + _ENTRY * count + 4
    rest = exif[entry + _ENTRY : end] + bytes(_ENTRY)
    return exif[:directory] + struct.pack(f"{order}H", count - 1) + exif[directory + 2 : entry] + rest + exif[end:]
