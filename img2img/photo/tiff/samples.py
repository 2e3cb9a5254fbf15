"""The samples of a TIFF page as one array: strips and tiles decompressed, unpacked from their bits, put in place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from img2img.errors import UnreadablePhoto
from img2img.photo.pixels import strips
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.codecs import PREDICTING, check_codec, unpacked
from img2img.photo.tiff.layout import Layout, Piece, layout_of, pieces_of
from img2img.photo.tiff.page import Page

_GROUP_BYTES = 1 << 20
_DIFFERENCING = 2
_MOST_SAMPLES = 64


def read_samples(stream: BinaryIO, page: Page, keep: int, block: tuple[int, int] = (1, 1)) -> NDArray[Any]:
    """(H, W, keep), the first samples of each pixel, uint8 up to 8 bits, else uint16; not scaled.

    `block` is how many pixels, across and down, share their chroma. ValueError where bytes are missing,
    UnreadablePhoto for what is not known.
    """
    check_codec(page)
    _check_predictor(page, block)
    if page.samples > _MOST_SAMPLES:
        raise UnreadablePhoto(f"{page.samples} channels; save its colours as RGB")
    layout = layout_of(page, block)
    width, height = layout.size
    end = stream.seek(0, 2)
    result = np.empty((height, width, keep), np.uint8 if page.bits <= 8 else np.uint16)
    for group in _groups(pieces_of(page, layout), layout):
        if group[0].plane >= keep:
            break
        encoded = [_read(stream, piece, end) for piece in group]
        rows = [piece.rows for piece in group]
        samples = _samples(page, layout, encoded, rows)
        for piece, part in zip(group, np.split(samples, np.cumsum(rows)[:-1]), strict=True):
            _put(result, part, piece, layout)
    return result


def _check_predictor(page: Page, block: tuple[int, int]) -> None:
    predictor = page.number(tags.PREDICTOR, 1)
    if page.codec not in PREDICTING or predictor == 1:
        return
    if predictor != _DIFFERENCING or page.bits not in (8, 16) or block != (1, 1):
        raise UnreadablePhoto(
            f"TIFF of {page.bits} bits with predictor {predictor} is not supported; "
            "convert it: tiffcp -c zip:1 IN.tif OUT.tif"
        )


def _groups(pieces: Iterator[Piece], layout: Layout) -> Iterator[list[Piece]]:
    """Pieces of one plane that are decoded at once: about a megabyte, all but the last with as many rows."""
    for _, plane in itertools.groupby(pieces, lambda piece: piece.plane):
        group: list[Piece] = []
        for piece in plane:
            if group and (
                sum(each.rows for each in group) * layout.line_bytes >= _GROUP_BYTES or group[-1].rows < group[0].rows
            ):
                yield group
                group = []
            group.append(piece)
        yield group


def _read(stream: BinaryIO, piece: Piece, end: int) -> bytes:
    stream.seek(piece.offset)
    if piece.size is None:
        return stream.read()
    if piece.offset + piece.size > end:
        raise ValueError(f"{piece.offset + piece.size - end} bytes of a strip or tile are missing")
    return stream.read(piece.size)


def _put(result: NDArray[Any], part: NDArray[Any], piece: Piece, layout: Layout) -> None:
    bottom, right = min(piece.top + piece.rows, layout.size[1]), min(piece.left + layout.width, layout.size[0])
    visible = part[: bottom - piece.top, : right - piece.left]
    if layout.planes > 1:
        result[piece.top : bottom, piece.left : right, piece.plane] = visible[..., 0]
    else:
        result[piece.top : bottom, piece.left : right] = visible[..., : result.shape[2]]


def _samples(page: Page, layout: Layout, encoded: Sequence[bytes], rows: Sequence[int]) -> NDArray[Any]:
    """(sum of rows, width, samples), differences summed up."""
    whole = unpacked(page, layout, encoded, rows)
    if whole.samples is not None:
        return whole.samples
    assert whole.lines is not None
    if layout.block != (1, 1):
        parts = np.split(whole.lines, np.cumsum([layout.lines(count) for count in rows])[:-1])
        blocks = zip(parts, rows, strict=True)
        return np.concatenate([_unshared(part, layout)[:count] for part, count in blocks])
    samples = _numbers(whole.lines, layout, page.header.order)
    if page.codec in PREDICTING and page.number(tags.PREDICTOR, 1) == _DIFFERENCING:
        samples = np.add.accumulate(samples, axis=1, dtype=samples.dtype)
    return samples


def _numbers(lines: NDArray[np.uint8], layout: Layout, order: str) -> NDArray[Any]:
    """Samples of 8 and 16 bits as they lie, others from a run of bits, the highest first; rows start at a byte."""
    shape = len(lines), layout.width, layout.samples
    if layout.bits == 8:
        return lines.reshape(shape)
    if layout.bits == 16:
        return np.ascontiguousarray(lines).view(order + "u2").astype(np.uint16).reshape(shape)
    count = layout.width * layout.samples
    result = np.empty((len(lines), count), np.uint8 if layout.bits < 8 else np.uint16)
    for rows in strips(len(lines), count):
        bits = np.unpackbits(lines[rows], axis=1, count=count * layout.bits)
        result[rows] = _from_bits(bits.reshape(-1, count, layout.bits), result.dtype)
    return result.reshape(shape)


def _from_bits(bits: NDArray[np.uint8], depth: np.dtype[Any]) -> NDArray[Any]:
    numbers = np.zeros(bits.shape[:2], depth)
    for place in range(bits.shape[2]):
        numbers = (numbers << 1) | bits[..., place]
    return numbers


def _unshared(lines: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Each pixel with the chroma of its block: blocks hold their luma, row by row, then Cb and Cr."""
    across, down = layout.block
    blocks = lines.reshape(len(lines), -1, across * down + 2)
    height, width = len(lines) * down, blocks.shape[1] * across
    result = np.empty((height, width, 3), np.uint8)
    luma = blocks[..., :-2].reshape(len(lines), -1, down, across)
    result[..., 0] = luma.transpose(0, 2, 1, 3).reshape(height, width)
    result[..., 1:] = blocks[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return result[:, : layout.width]
