"""PNG, GIF and BMP, whose parts follow one another."""

from __future__ import annotations

import zlib

from fuzz.containers.tiff import split_tiff
from fuzz.parts import Part, number_at, number_bytes


def split_png(data: bytes) -> Part:
    """Chunks; EXIF within one as the TIFF that it is."""
    root, at = Part("png", head=data[:8]), 8
    while at + 8 <= len(data):
        end = min(at + 8 + number_at(data, at, 4), len(data))
        name, content = data[at + 4 : at + 8].decode("latin-1"), data[at + 8 : end]
        chunk = Part(name, head=data[at : at + 8], tail=data[end : end + 4], mend=_mend_chunk)
        if name == "eXIf":
            chunk.parts = [split_tiff(content)]
        else:
            chunk.body = content
        root.parts.append(chunk)
        at = end + 4
    root.tail = data[at:]
    return root


def _mend_chunk(chunk: Part) -> None:
    content, kind = chunk.content, chunk.head[4:]
    chunk.head = number_bytes(len(content), 4) + kind
    chunk.tail = number_bytes(zlib.crc32(kind + content), 4)


def split_gif(data: bytes) -> Part:
    """The header with its palette, then extensions and pictures, each with its sub-blocks."""
    at = min(13 + _palette_size(data[10:11]), len(data))
    root = Part("gif", head=data[:13], body=data[13:at])
    while at < len(data) and data[at : at + 1] in (b"!", b","):
        if data[at : at + 1] == b"!":
            start, name = at + 2, f"extension {number_at(data, at + 1, 1):02x}"
        else:
            start, name = at + 11 + _palette_size(data[at + 9 : at + 10]), "picture"
        end = _end_of_blocks(data, start)
        root.parts.append(Part(name, head=data[at:start], body=data[start:end]))
        at = end
    root.tail = data[at:]
    return root


def _palette_size(flags: bytes) -> int:
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))


def split_bmp(data: bytes) -> Part:
    """The file's header, the picture's, the palette, and the pixels row by row, as near as can be told."""
    header_end = min(14 + number_at(data, 14, 4, "<"), len(data))
    pixels_at = min(max(number_at(data, 10, 4, "<"), header_end), len(data))
    return Part(
        "bmp",
        head=data[:14],
        parts=[
            Part("header", head=data[14:18], body=data[18:header_end] if header_end >= 18 else b""),
            Part("palette", body=data[max(header_end, 18) : pixels_at]),
            Part("pixels", body=data[max(pixels_at, 18) :]),
        ],
    )
