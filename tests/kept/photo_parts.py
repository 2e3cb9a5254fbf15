"""What comes with a photo beside its pixels, as bytes made by hand: EXIF, XMP, captions, profiles, further files."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image, ImageCms

SIDE = 6  # the EXIF orientation of files that have one: a quarter turn to the right makes it upright
MAKER, TAKEN, TITLE, CAPTION, REMARK = "Ernemann", "1936:03:09 12:00:00", "Harbour", "Migrant mother", "A remark"
MAKER_NOTE = b"ERNEMANN\0\1\2\3\4\5\6\7"
LATITUDE = (35.0, 2.0, 30.0)
DPI = (300, 150)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDTH, HEIGHT = 48, 32
FILM = struct.pack(">L4s4sL", 16, b"ftyp", b"mp42", 0) + bytes(500)
IPTC = b"".join(
    struct.pack(">BBBH", 0x1C, 2, tag, len(text)) + text for tag, text in ((5, TITLE.encode()), (120, CAPTION.encode()))
)
PHOTOSHOP = b"Photoshop 3.0\0" + struct.pack(">4sHHL", b"8BIM", 0x0404, 0, len(IPTC)) + IPTC + bytes(len(IPTC) % 2)


def samples(channels: int = 3, top: int = 255) -> np.ndarray:
    """(H, W, channels): brightest at the upper left, as stored; the fourth is transparent to the right."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    slope = 20 + (WIDTH + HEIGHT - rows - columns) * 2
    picture = np.stack([slope, slope + 8, slope + 4, np.where(columns < 20, 255, 0)], axis=-1)[..., :channels]
    values: np.ndarray = (picture.astype(np.uint16) * (top // 255)).astype(np.uint8 if top == 255 else np.uint16)
    return values


def image(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(samples(4)).convert(mode)


def saved(picture: Image.Image, image_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, image_format, **options)
    return stream.getvalue()


def exif_block(side: int | None = SIDE) -> bytes:
    """As a camera writes it, with b"Exif\\0\\0" before it and a thumbnail behind."""
    exif = Image.Exif()
    exif[0x010F], exif[0x011A], exif[0x011B], exif[0x0128] = MAKER, *DPI, 2
    if side:
        exif[0x0112] = side
    exif.get_ifd(0x8769).update({0x9003: TAKEN, 0x927C: MAKER_NOTE, 0xA002: WIDTH, 0xA003: HEIGHT})
    exif.get_ifd(0x8769)[0x9214] = (10, 6, 8, 4)
    exif.get_ifd(0x8825).update({0: b"\2\3\0\0", 1: "N", 2: LATITUDE})
    return _with_thumbnail(exif.tobytes())


def _with_thumbnail(block: bytes) -> bytes:
    """A second directory behind the first, with a small JPEG."""
    body = bytearray(block.removeprefix(b"Exif\0\0"))
    order = "<" if body[:2] == b"II" else ">"
    first = struct.unpack_from(f"{order}L", body, 4)[0]
    link = first + 2 + 12 * struct.unpack_from(f"{order}H", body, first)[0]
    body += bytes(len(body) % 2)
    struct.pack_into(f"{order}L", body, link, len(body))
    small = saved(Image.new("L", (8, 8), 90), "JPEG")
    start = len(body) + 2 + 3 * 12 + 4
    entries = ((0x0103, 3, 6), (0x0201, 4, start), (0x0202, 4, len(small)))
    body += struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        values = (value, 0) if kind == 3 else (value,)
        body += struct.pack(f"{order}HHL{'HH' if kind == 3 else 'L'}", tag, kind, 1, *values)
    return b"Exif\0\0" + bytes(body) + bytes(4) + small


_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
}
FACE = {"x": 0.25, "y": 0.1, "w": 0.3, "h": 0.2}


def xmp_packet(spaces: dict[str, str] | None = None, attributes: str = "", inside: str = "") -> bytes:
    """A title, a thumbnail, a face's place; and what else is given."""
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in (_SPACES | (spaces or {})).items())
    area = " ".join(f'stArea:{name}="{value}"' for name, value in FACE.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} dc:title="{TITLE}" {attributes}>'
        "<xmp:Thumbnails><rdf:Alt>small</rdf:Alt></xmp:Thumbnails>"
        f"<mwg-rs:Area {area}/>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def grey_profile() -> bytes:
    """Of a grey whose value is light to the power of 1 / 1.8; ICC.1, 7.2 to 7.3 and 10.6."""
    curve = struct.pack(">4sLLHH", b"curv", 0, 1, round(1.8 * 256), 0)
    white = struct.pack(">4sL3l", b"XYZ ", 0, 63190, 65536, 54061)
    table = struct.pack(">L4sLL4sLL", 2, b"wtpt", 156, len(white), b"kTRC", 156 + len(white), len(curve))
    size = 128 + len(table) + len(white) + len(curve)
    header = struct.pack(">L4xL4s4s4s12x4s", size, 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    return header.ljust(68, b"\0") + struct.pack(">3l", 63190, 65536, 54061) + bytes(48) + table + white + curve
