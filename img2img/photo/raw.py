"""Camera raw files by their first bytes: a sensor's values are no picture yet, and their thumbnails no photo."""

from __future__ import annotations

from typing import NoReturn

from img2img.errors import UnreadablePhoto

# Of files that are no plain TIFF: Fujifilm, Sigma, Minolta, Panasonic, Olympus, Canon's CRW.
_STARTS = (b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"II\x1a\0\0\0HEAPCCDR")
_CR2, _IIQ, _CR3 = b"CR", b"IIII", b"ftypcrx "


def refuse_raw_start(start: bytes) -> None:
    """UnreadablePhoto for a file that begins like a raw one; tiff/sensor.py looks into those that begin as any TIFF."""
    if start.startswith(_STARTS) or start[4:12] == _CR3:
        refuse_raw()
    if start.startswith((b"II*\0", b"MM\0*")) and (start[8:10] == _CR2 or start[8:12] == _IIQ):
        refuse_raw()


def refuse_raw() -> NoReturn:
    raise UnreadablePhoto(
        "a camera raw file: develop it first, with RawTherapee or darktable-cli IN.NEF OUT.tif, and give the result"
    )
