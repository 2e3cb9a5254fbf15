"""PNG files by hand, chunk by chunk."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]


def chunk(kind: bytes, data: bytes, *, damaged: bool = False) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data) ^ damaged)


def packed_rows(samples: np.ndarray, depth: int = 8) -> bytes:
    """(H, W, channels), unfiltered and packed by zlib."""
    height = samples.shape[0]
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = samples.astype(np.uint8).reshape(height, -1)
    else:
        bits = np.unpackbits(samples.astype(np.uint8).reshape(height, -1, 1), axis=2)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    return zlib.compress(np.pad(rows, [(0, 0), (1, 0)]).tobytes())


def png_bytes(
    samples: np.ndarray, depth: int = 8, color_type: int = 0, before: Chunks | bytes = b"", after: Chunks | bytes = b""
) -> bytes:
    """`before` and `after` the picture: chunks, or their bytes."""
    height, width = samples.shape[:2]
    header = struct.pack(">2L5B", width, height, depth, color_type, 0, 0, 0)
    first, last = (
        each if isinstance(each, bytes) else b"".join(chunk(*one) for one in each) for each in (before, after)
    )
    picture = chunk(b"IDAT", packed_rows(samples, depth))
    return SIGNATURE + chunk(b"IHDR", header) + first + picture + last + chunk(b"IEND", b"")


def chunks_in(data: bytes) -> Chunks:
    """Kinds and data, in order; the checksums must be right."""
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">L4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert data[at + 8 + length : at + 12 + length] == struct.pack(">L", zlib.crc32(kind + body)), kind
        found.append((kind, body))
        at += 12 + length
    return found
