"""The chunks of a PNG file (PNG, third edition, section 5): found, checked, and written."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from img2img.errors import UnreadablePhoto

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 64 << 20  # bytes of metadata in one chunk, packed or not; pictures have no such limit
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


@dataclass(frozen=True)
class Chunk:
    """Where a chunk's data lie. `whole`: data and checksum are in the file, whatever the checksum says."""

    kind: bytes
    at: int
    length: int
    whole: bool

    @property
    def start(self) -> int:
        return self.at - 8

    @property
    def end(self) -> int:
        return self.at + self.length + 4


@dataclass(frozen=True)
class PngHeader:
    """Of the IHDR chunk. color_type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: bool

    @property
    def is_grey(self) -> bool:
        return self.color_type in (0, 4)

    def packed(self) -> bytes:
        """The data of the IHDR chunk."""
        return struct.pack(">2L5B", self.width, self.height, self.depth, self.color_type, 0, 0, self.interlaced)


def chunks_of(stream: BinaryIO) -> Iterator[Chunk]:
    """The chunks to the end of the picture or of the file; none after bytes that are no chunk."""
    end = stream.seek(0, 2)
    at = len(SIGNATURE)
    while at + 8 <= end:
        stream.seek(at)
        length, kind = struct.unpack(">L4s", stream.read(8))
        if not kind.isalpha():
            return
        yield Chunk(kind, at + 8, length, at + 12 + length <= end)
        at += 12 + length
        if kind == b"IEND":
            return


def data_of(stream: BinaryIO, chunk: Chunk) -> bytes | None:
    """The chunk's data; None where they are incomplete, their checksum is wrong, or they are too many."""
    if not chunk.whole or chunk.length > LARGEST:
        return None
    stream.seek(chunk.at)
    data, checksum = stream.read(chunk.length), stream.read(4)
    return data if checksum == _checksum(chunk.kind, data) else None


def read_png_header(stream: BinaryIO, first: Chunk | None) -> PngHeader:
    """Raises UnreadablePhoto for what the standard does not know, ValueError for damage."""
    data = data_of(stream, first) if first is not None else None
    if first is not None and first.kind != b"IHDR" and first.kind[:1].isupper():
        raise UnreadablePhoto(f"a PNG of a private kind ({first.kind.decode()}); save it as a plain PNG")
    if first is None or first.kind != b"IHDR" or data is None or len(data) != 13:
        raise ValueError("no PNG header, or one with a wrong checksum")
    width, height, depth, color_type, packing, filtering, interlace = struct.unpack(">2L5B", data)
    if depth not in _DEPTHS.get(color_type, ()) or packing or filtering or interlace > 1:
        raise UnreadablePhoto(
            f"a PNG of an unknown kind (depth {depth}, colour type {color_type}, methods {packing}, {filtering}, "
            f"{interlace}); save it as a plain PNG"
        )
    return PngHeader(width, height, depth, color_type, interlace == 1)


def check_known(chunk: Chunk) -> None:
    """Raises UnreadablePhoto for a chunk that must be understood to show the picture, and is not."""
    if chunk.kind[:1].isupper() and chunk.kind not in _CRITICAL:
        raise UnreadablePhoto(f"a PNG that needs an unknown chunk ({chunk.kind.decode()}); save it as a plain PNG")


def packed_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + _checksum(kind, data)


def write_chunk(stream: BinaryIO, kind: bytes, data: bytes) -> None:
    """As `packed_chunk`, without a copy of data that may be large."""
    stream.write(struct.pack(">L", len(data)) + kind)
    stream.write(data)
    stream.write(_checksum(kind, data))


def inflated(data: bytes) -> bytes | None:
    """What was packed by zlib; None where it is damaged, or too much."""
    unpacking = zlib.decompressobj()
    try:
        values = unpacking.decompress(data, LARGEST)
    except zlib.error:
        return None
    return None if unpacking.unconsumed_tail else values


def _checksum(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", zlib.crc32(data, zlib.crc32(kind)))
