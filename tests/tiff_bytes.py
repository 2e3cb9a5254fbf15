"""TIFF files put together byte by byte, in every layout that TIFF 6.0 knows: what no encoder at hand writes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from img2img.photo import Photo, read_photo
from img2img.photo.metadata.tiff_directory import Tree, longs, pack_tree, shorts

NONE, LZW, JPEG, DEFLATE, PACK_BITS = 1, 5, 7, 8, 32773


def tiff_of(
    samples: np.ndarray,
    photometric: int | None,
    *,
    bits: int | None = None,
    order: str = "<",
    compression: int = NONE,
    predictor: int = 1,
    planar: bool = False,
    tile: tuple[int, int] | None = None,
    rows: int | None = None,
    fill_order: int = 1,
    extra: Sequence[int] = (),
    tags: Tree | None = None,
) -> bytes:
    """(H, W) or (H, W, samples) as a TIFF; `tile` is (width, height), `rows` those of a strip."""
    samples = samples.reshape(*samples.shape[:2], -1)
    bits = bits or samples.itemsize * 8
    height, width, count = samples.shape
    pieces = []
    for plane in np.split(samples, count, axis=2) if planar else [samples]:
        for piece in cut(plane, tile, rows or height):
            data = packed(piece, bits, order, predictor)
            data = reversed_bits(data) if fill_order == 2 and compression == NONE else compressed(data, compression)
            pieces.append(reversed_bits(data) if fill_order == 2 and compression != NONE else data)
    layout = {256: longs(order, width), 257: longs(order, height), 258: shorts(order, *[bits] * count)}
    layout |= {259: shorts(order, compression), 266: shorts(order, fill_order), 277: shorts(order, count)}
    layout |= {284: shorts(order, 2 if planar else 1), 317: shorts(order, predictor)}
    layout |= {} if photometric is None else {262: shorts(order, photometric)}
    layout |= {338: shorts(order, *extra)} if extra else {}
    layout |= {322: longs(order, tile[0]), 323: longs(order, tile[1])} if tile else {278: longs(order, rows or height)}
    return tiff_file(layout | dict(tags or {}), pieces, order, tiled=tile is not None)


def tiff_file(tags: Tree, pieces: Sequence[bytes], order: str = "<", *, tiled: bool = False) -> bytes:
    """A file of one page, with those strips or tiles."""
    body = bytearray(8)
    offsets = []
    for piece in pieces:
        offsets.append(len(body))
        body += piece + b"\0" * (len(piece) % 2)
    where = {324: longs(order, *offsets), 325: longs(order, *map(len, pieces))}
    where = where if tiled else {273: where[324], 279: where[325]}
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, len(body))
    return head + bytes(body[8:]) + pack_tree(dict(sorted((dict(tags) | where).items())), order, len(body))


def cut(plane: np.ndarray, tile: tuple[int, int] | None, rows: int) -> list[np.ndarray]:
    """Tiles at the edges are filled up with 0."""
    if tile is None:
        return [plane[top : top + rows] for top in range(0, len(plane), rows)]
    across, down = tile
    padding = [(0, -plane.shape[0] % down), (0, -plane.shape[1] % across), (0, 0)]
    plane = np.pad(plane, padding)
    tops, lefts = range(0, plane.shape[0], down), range(0, plane.shape[1], across)
    return [plane[top : top + down, left : left + across] for top in tops for left in lefts]


def packed(piece: np.ndarray, bits: int, order: str, predictor: int) -> bytes:
    """Rows start at a byte; of other than 8 and 16 bits the highest comes first."""
    if predictor == 2:
        piece = np.diff(piece, axis=1, prepend=np.zeros_like(piece[:, :1]))
    if bits in (8, 16):
        return piece.astype(f"{order}u{bits // 8}").tobytes()
    flat = piece.reshape(len(piece), -1, 1)
    run = (flat >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(run.reshape(len(piece), -1).astype(np.uint8), axis=1).tobytes()


def compressed(data: bytes, compression: int) -> bytes:
    ways: dict[int, Callable[[bytes], bytes]] = {NONE: bytes, DEFLATE: zlib.compress, LZW: lzw, PACK_BITS: pack_bits}
    return ways[compression](data)


def reversed_bits(data: bytes) -> bytes:
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def pack_bits(data: bytes) -> bytes:
    """TIFF 6.0, section 9: runs of one byte where there are, else literally."""
    result = bytearray()
    at = 0
    while at < len(data):
        run = 1
        while run < 128 and data[at : at + 1] * (run + 1) == data[at : at + run + 1]:
            run += 1
        result += bytes([(257 - run) % 256, data[at]]) if run > 1 else bytes([0, data[at]])
        at += run
    return bytes(result)


def lzw(data: bytes) -> bytes:
    """TIFF 6.0, section 13: a code is as wide as the next one to be given away needs; the table starts anew at 4094."""
    clear, end = 256, 257
    single = {bytes([i]): i for i in range(256)}
    table, following, string = dict(single), 258, b""
    run = f"{clear:09b}"
    for byte in data:
        longer = string + bytes([byte])
        if longer in table:
            string = longer
            continue
        run += f"{table[string]:0{following.bit_length()}b}"
        table[longer] = following
        following, string = following + 1, bytes([byte])
        if following == 4095:
            run += f"{clear:012b}"
            table, following = dict(single), 258
    run += f"{table[string]:0{following.bit_length()}b}"
    run += f"{end:0{(following + 1).bit_length()}b}"
    return int(run + "0" * (-len(run) % 8), 2).to_bytes((len(run) + 7) // 8, "big")


def noise(*shape: int, bits: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**bits, shape, np.uint8 if bits <= 8 else np.uint16)


def smooth(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 4, columns * 3, 255 - rows - columns], axis=-1).clip(0, 255).astype(np.uint8)


def read(data: bytes) -> Photo:
    return read_photo(io.BytesIO(data), name="scan.tif")


def by_opencv(data: bytes) -> np.ndarray:
    """As it is where OpenCV has such pixels, colours as RGB."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert values is not None
    return values[..., ::-1] if values.ndim == 3 else values
