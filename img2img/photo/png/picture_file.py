"""A PNG's picture as a file of its own: what Pillow decodes, without the chunks beside it, over which it stumbles.

Nothing is copied: the file consists of runs of bytes of the one it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from img2img.photo.png.chunks import SIGNATURE, Chunk, Header, packed_chunk
from img2img.photo.spliced_file import Part, spliced_file


def picture_file(stream: BinaryIO, header: Header, palette: bytes | None, picture: Iterable[Chunk]) -> BinaryIO:
    """A PNG file with that header and palette, and the picture of IDAT or fdAT chunks of `stream`.

    Where the picture breaks off, so does the file.
    """
    parts: list[Part] = [SIGNATURE + packed_chunk(b"IHDR", header.packed())]
    if palette is not None:
        parts.append(packed_chunk(b"PLTE", palette))
    broken = False
    for chunk in picture:
        parts += _idat(chunk)
        broken = not chunk.whole
    if not broken:
        parts.append(packed_chunk(b"IEND", b""))
    return spliced_file(stream, parts)


def _idat(chunk: Chunk) -> list[Part]:
    if chunk.kind == b"IDAT":
        return [(chunk.start, chunk.end)]
    # fdAT's first four bytes are its number; nobody asks for the checksum.
    length = (chunk.length - 4).to_bytes(4, "big")
    return [length + b"IDAT", (chunk.at + 4, chunk.at + chunk.length), bytes(4)]
