"""BMP's newest header (BITMAPV5), of which Pillow knows little: it says that there is alpha, and holds a profile."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from PIL import Image

_FILE_HEADER, _HEADER, _OLD_HEADER = 14, 124, 40
_EMBEDDED, _SRGB = b"DEBM", b"BGRs"  # PROFILE_EMBEDDED and LCS_sRGB, as they lie in the file
_BIT_FIELDS, _PHOTOGRAPH = 3, 4  # a compression that is none; an intent, perceptual
_MASKS = struct.pack("<4L", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_TO_COLOR_SPACE, _TO_PROFILE = 56, 112  # bytes into the header


def bmp_profile(stream: BinaryIO) -> bytes | None:
    """The ICC profile in a BMP."""
    stream.seek(_FILE_HEADER)
    header = stream.read(_HEADER)
    if len(header) < _HEADER or header[_TO_COLOR_SPACE : _TO_COLOR_SPACE + 4] != _EMBEDDED:
        return None
    start, size = struct.unpack_from("<2L", header, _TO_PROFILE)
    stream.seek(_FILE_HEADER + start)
    return stream.read(size) or None


def write_bmp(image: Image.Image, stream: BinaryIO, icc: bytes | None, dpi: tuple[float, float] | None) -> None:
    """L, RGB or RGBA, the header in its oldest form where that says all; a profile that is not for L."""
    whole = io.BytesIO()
    image.save(whole, "BMP", **({} if dpi is None else {"dpi": dpi}))
    if image.mode != "RGBA" and icc is None:
        stream.write(whole.getbuffer())
        return
    said = bytearray(whole.getbuffer()[_FILE_HEADER : _FILE_HEADER + _OLD_HEADER])
    rows = whole.getbuffer()[_FILE_HEADER + _OLD_HEADER :]
    struct.pack_into("<L", said, 0, _HEADER)
    if image.mode == "RGBA":
        struct.pack_into("<L", said, 16, _BIT_FIELDS)
    profile = icc or b""
    places = (_PHOTOGRAPH, _HEADER + len(rows) if profile else 0, len(profile), 0)
    said += _MASKS + (_EMBEDDED if profile else _SRGB) + bytes(48) + struct.pack("<4L", *places)
    start = _FILE_HEADER + _HEADER
    stream.write(struct.pack("<2sLLL", b"BM", start + len(rows) + len(profile), 0, start) + bytes(said))
    stream.write(rows)
    stream.write(profile)
