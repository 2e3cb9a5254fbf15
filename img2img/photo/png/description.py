"""What a PNG file says about its picture beside the pixels: EXIF, XMP, profile and resolution, colours and texts.

Chunks that say what the numbers mean, and texts, go on as the bytes they are. Those whose form depends on how the
pixels are stored (sBIT, bKGD) are kept as of an RGB picture of the photo's depth, with alpha.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from img2img.photo.image_info import valid_dpi
from img2img.photo.png.chunks import Header, inflated
from img2img.photo.png.parts import NAMES, PngParts
from img2img.photo.png.text import TEXTS, XMP_KEYWORD, read_text, readable

# What the numbers mean, with the length that its data have.
COLOR_LENGTHS = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"mDCV": 24, b"mDCv": 24, b"cLLI": 8, b"cLLi": 8}
# Of the old file, and untrue of any other: its time, its palette, how it is laid out.
_STALE = (b"tIME", b"hIST", b"sPLT", b"iDOT", b"acTL", b"fcTL", b"fdAT")
# Texts that say what EXIF says, as ImageMagick writes them, of sides and resolution.
_STALE_WORDS = re.compile(
    r"(exif|tiff):.*(orientation|width|length|height|dimension|resolution|subject(area|location)|thumbnail|compression)",
    re.IGNORECASE,
)
_RAW_STALE = ("8bim", "generic", "app12")  # Photoshop's resources, which hold the old picture


@dataclass
class Description:
    """exif, icc, xmp: as stored. dots: across and down in a metre. `chunks` go on into another PNG.

    `lost` says what does not.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dots: tuple[int, int] | None = None
    chunks: list[tuple[bytes, bytes]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def described(parts: PngParts) -> Description:
    description = Description(lost=list(parts.lost))
    for kind, data in parts.beside:
        if not _take(description, parts, kind, data):
            description.lost.append(f"{NAMES.get(kind, 'the chunk')} ({kind.decode()})")
    if description.icc is not None:
        description.chunks = [each for each in description.chunks if each[0] != b"sRGB"]
    description.lost = list(dict.fromkeys(description.lost))
    return description


def _take(description: Description, parts: PngParts, kind: bytes, data: bytes) -> bool:
    """Whether the chunk could be kept, or nobody will miss it. Of two of a kind the first holds."""
    if kind in _STALE or (kind not in TEXTS and kind in (each[0] for each in description.chunks)):
        return True
    if kind in TEXTS:
        return _take_text(description, kind, data)
    if kind == b"iCCP":
        description.icc = description.icc or _profile(data)
        return description.icc is not None
    if kind == b"eXIf":
        description.exif = data or description.exif
        return bool(data)
    if (
        kind == b"pHYs"
        and len(data) == 9
        and data[8] == 1
        and valid_dpi(dpi_of(dots := struct.unpack(">2L", data[:8])))
    ):
        description.dots = description.dots or dots
        return True
    kept = _kept(parts, kind, data)
    if kept is not None:
        description.chunks.append((kind, kept))
    return kept is not None


def dpi_of(dots: tuple[int, int]) -> tuple[float, float]:
    """Dots in an inch, of dots in a metre."""
    return dots[0] * 0.0254, dots[1] * 0.0254


def _profile(data: bytes) -> bytes | None:
    _, _, rest = data.partition(b"\0")
    return inflated(rest[1:]) or None if rest[:1] == b"\0" else None


def _take_text(description: Description, kind: bytes, data: bytes) -> bool:
    text = read_text(kind, data)
    if text.value is None:
        return False
    if text.keyword == XMP_KEYWORD:
        description.xmp = description.xmp or text.value
        return True
    if not text.raw_kind:
        if not _STALE_WORDS.fullmatch(text.keyword):
            description.chunks.append(readable(kind, data, text))
        return True
    block = text.raw()
    if text.raw_kind in ("exif", "app1"):
        if block is not None and block.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            description.xmp = description.xmp or block.partition(b"\0")[2]
        else:
            description.exif = description.exif or block
    elif text.raw_kind in ("icc", "icm"):
        description.icc = description.icc or block
    elif text.raw_kind == "xmp":
        description.xmp = description.xmp or block
    elif text.raw_kind not in _RAW_STALE:
        description.chunks.append((kind, data))
    return block is not None


def _kept(parts: PngParts, kind: bytes, data: bytes) -> bytes | None:
    """The data as another file has them; None where they mean nothing there."""
    if kind in COLOR_LENGTHS:
        useless = kind in (b"gAMA", b"cHRM") and not any(data)
        return data if len(data) == COLOR_LENGTHS[kind] and not useless else None
    if kind == b"pHYs":  # the pixels' aspect, or a resolution of stars or cells
        return data if len(data) == 9 and data[8] <= 1 and all(struct.unpack(">2L", data[:8])) else None
    if kind == b"sBIT":
        return _significant_bits(parts.header, data)
    if kind == b"bKGD":
        return _background(parts, data)
    return data if kind[3:].islower() else None  # "safe to copy", 5.4


def _significant_bits(header: Header, data: bytes) -> bytes | None:
    """Of red, green, blue and alpha."""
    depth = 8 if header.color_type == 3 else header.depth
    count = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[header.color_type]
    if len(data) != count or not all(0 < bits <= depth for bits in data):
        return None
    colors = data[:1] * 3 if header.is_grey else data[:3]
    return colors + (data[-1:] if header.color_type in (4, 6) else bytes([16 if header.depth == 16 else 8]))


def _background(parts: PngParts, data: bytes) -> bytes | None:
    """Red, green and blue, 16 bits each, in steps of the photo's depth."""
    header = parts.header
    if header.color_type == 3:
        color = (parts.palette or b"")[3 * data[0] : 3 * data[0] + 3] if data else b""
        return struct.pack(">3H", *color) if len(color) == 3 else None
    if len(data) != (2 if header.is_grey else 6):
        return None
    values = struct.unpack(f">{len(data) // 2}H", data)
    top, scale = 2**header.depth - 1, 255 if header.depth < 8 else 2**header.depth - 1
    if max(values) > top:
        return None
    scaled = [value * scale // top for value in values]
    return struct.pack(">3H", *(scaled * 3)[:3])
