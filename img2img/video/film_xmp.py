"""The XMP packet in a film's file: a box of its own in MP4 and QuickTime, a tag in Matroska and WebM.

The box is that of MPEG-4; cameras that write QuickTime have one for it among the film's user data (Adobe's XMP
Specification, part 3). Matroska has no place for XMP but a tag.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from img2img.errors import FilmError
from img2img.photo.metadata.iso_boxes import iso_boxes

XMP_TAG = "XMP"
_XMP_BOX = b"uuid" + bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MATROSKA = bytes.fromhex("1a45dfa3")
_LARGEST = (1 << 24) - 24  # bytes of a packet: a box that claims more is none of XMP's


def film_xmp(path: Path) -> bytes | None:
    """None where the film has none, or is of another kind. Raises OSError, and FilmError for missing packages."""
    with path.open("rb") as stream:
        start = stream.read(8)
        if start[4:] in _FIRST_BOXES:
            return _in_boxes(stream)
    return _in_tags(path) if start.startswith(_MATROSKA) else None


def xmp_box(xmp: bytes) -> bytes:
    """The box, to stand at an MP4's or QuickTime film's end."""
    return struct.pack(">I", 4 + len(_XMP_BOX) + len(xmp)) + _XMP_BOX + xmp


def _in_boxes(stream: BinaryIO) -> bytes | None:
    """Of several the last, which is the newest; a camera's only where no other is: what we write goes beside it."""
    boxes = list(iso_boxes(stream))
    movies = [box for box in boxes if box.kind == b"moov"]
    user_data = [box for movie in movies for box in iso_boxes(stream, movie) if box.kind == b"udta"]
    of_cameras = [box for each in user_data for box in iso_boxes(stream, each) if box.kind == b"XMP_"]
    ours_last = [*of_cameras, *(box for box in boxes if box.kind == _XMP_BOX)]
    packets = [box for box in ours_last if box.length <= _LARGEST]
    if not packets:
        return None
    stream.seek(packets[-1].start)
    return stream.read(packets[-1].length)


def _in_tags(path: Path) -> bytes | None:
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise FilmError(
            f"{path}: films need two more packages: pip install '.[video]' in img2img's checkout"
        ) from error
    try:
        with av.open(f"file:{path}", "r", metadata_errors="surrogateescape") as film:
            said = {name.upper(): value for name, value in film.metadata.items()}
    except (FFmpegError, ValueError):
        return None
    return said[XMP_TAG].encode(errors="surrogateescape") if XMP_TAG in said else None
