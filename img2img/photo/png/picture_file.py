"""A PNG's picture as a file of its own: what Pillow decodes, without the chunks beside it, over which it stumbles.

Nothing is copied: the file consists of runs of bytes of the one it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from img2img.photo.png.chunks import SIGNATURE, Chunk, PngHeader, packed_chunk
from img2img.photo.png.rows import packed_run
from img2img.photo.spliced_file import Part, spliced_file


def picture_file(stream: BinaryIO, header: PngHeader, palette: bytes | None, picture: Iterable[Chunk]) -> BinaryIO:
    """A PNG file with that header and palette, and the picture of IDAT or fdAT chunks of `stream`.

    Where the picture breaks off, so does the file.
    """
    parts: list[Part] = [SIGNATURE + packed_chunk(b"IHDR", header.packed())]
    if palette is not None:
        parts.append(packed_chunk(b"PLTE", palette))
    broken, there = False, stream.seek(0, 2)
    for chunk in picture:
        parts += _idat(chunk, there)
        broken = not chunk.whole
    if not broken:
        parts.append(packed_chunk(b"IEND", b""))
    return spliced_file(stream, parts)


def _idat(chunk: Chunk, there: int) -> list[Part]:
    """Of a file of `there` bytes: Pillow asks for memory for as many as a chunk says that it has."""
    if not chunk.whole:
        start, end = packed_run(chunk)
        end = max(start, min(end, there))
        return [(end - start).to_bytes(4, "big") + b"IDAT", (start, end)]
    if chunk.kind == b"IDAT":
        return [(chunk.start, chunk.end)]
    start, end = packed_run(chunk)
    return [(end - start).to_bytes(4, "big") + b"IDAT", (start, end), bytes(4)]  # nobody asks for the checksum
