"""What Pillow does not say of an AVIF, and what it would change: its depth, its colours' code, and its EXIF's bytes."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import BinaryIO

from img2img.photo.metadata.iso_boxes import iso_boxes
from img2img.photo.photo import Photo

_LARGEST_LIST = 2**24 - 8  # bytes; a real one has some hundred bytes
_ORIENTATION = 0x0112
_ENTRY = 12
_PREFIX = b"Exif\0\0"
# Of ITU-T H.273, primaries and transfer: what is shown as sRGB, said or unsaid.
_USUAL_PRIMARIES, _USUAL_TRANSFERS = (1, 2), (1, 2, 6, 13)


def bits_of(stream: BinaryIO) -> int:
    """8, 10 or 12 bits a sample, by the deepest AV1 picture in the file (AV1-ISOBMFF, section 2.3: `av1C`)."""
    contents, bits, at = _list_of_contents(stream), 8, 0
    while (at := contents.find(b"av1C", at) + 4) >= 4:
        flags = contents[at + 2] if at + 2 < len(contents) else 0
        bits = max(bits, (12 if flags & 0x20 else 10) if flags & 0x40 else 8)
    return bits


def with_coded_colors(photo: Photo, stream: BinaryIO) -> Photo:
    """The photo with a profile of what an AVIF's or HEIC's code (`nclx`) says of its colours, or with that as lost."""
    contents = _list_of_contents(stream)
    at = contents.find(b"colrnclx") + 8
    if at < 8 or at + 4 > len(contents):
        return photo
    primaries, transfer = struct.unpack_from(">2H", contents, at)
    if primaries in _USUAL_PRIMARIES and transfer in _USUAL_TRANSFERS:
        return photo
    from img2img.photo.png.color import profile_of

    code = bytes([min(primaries, 255), min(transfer, 255), 0, 1])
    icc = profile_of(((b"cICP", code),), grey=photo.space == "L")
    return replace(photo, icc=icc, lost=photo.lost if icc else (*photo.lost, "colour space (nclx)"))


def _list_of_contents(stream: BinaryIO) -> bytes:
    """The file's `meta` box."""
    for box in iso_boxes(stream):
        if box.kind == b"meta" and box.length <= _LARGEST_LIST:
            stream.seek(box.start)
            return stream.read(box.length)
    return b""


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
