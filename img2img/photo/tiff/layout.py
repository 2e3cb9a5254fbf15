"""Where the samples of a TIFF page lie: strips or tiles, row by row (TIFF 6.0, sections 3, 15 and 21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page

_PIECE_BYTES = 1 << 20
_LARGE_TILE = 1 << 24  # pixels, that a small photo's may have


@dataclass(frozen=True)
class Piece:
    """A strip or tile: its bytes in the file (size None: as many as there are) and its place in the picture."""

    offset: int
    size: int | None
    plane: int
    top: int
    left: int
    rows: int


@dataclass(frozen=True)
class Layout:
    """How a page is cut. `samples` are those in one piece; `block` is the (across, down) of chroma in YCbCr.

    A line is what is packed together: one row of a piece, or of subsampled YCbCr as many as share their chroma.
    """

    size: tuple[int, int]
    bits: int
    samples: int
    planes: int
    tile: tuple[int, int] | None
    rows_per_strip: int
    block: tuple[int, int] = (1, 1)

    @property
    def width(self) -> int:
        """Of a piece, in pixels."""
        return self.tile[0] if self.tile else self.size[0]

    @property
    def line_bytes(self) -> int:
        if self.block != (1, 1):
            across, down = self.block
            return -(-self.width // across) * (across * down + 2)
        return -(-self.width * self.samples * self.bits // 8)

    def lines(self, rows: int) -> int:
        return -(-rows // self.block[1])


def layout_of(page: Page, block: tuple[int, int] = (1, 1)) -> Layout:
    """ValueError for one that cannot be."""
    width, height = page.size
    tile = None
    if tags.TILE_WIDTH in page.directory.entries:
        tile = page.number(tags.TILE_WIDTH, 0), page.number(tags.TILE_HEIGHT, 0)
        if min(tile) < 1 or tile[0] * tile[1] > 4 * width * height + _LARGE_TILE:
            raise ValueError(f"tiles of {tile[0]} x {tile[1]} pixels")
    rows = page.number(tags.ROWS_PER_STRIP, height)
    planes = page.samples if page.is_planar else 1
    return Layout(
        (width, height), page.bits, page.samples // planes, planes, tile, rows if 0 < rows < height else height, block
    )


def pieces_of(page: Page, layout: Layout) -> Iterator[Piece]:
    """In the file's order. Uncompressed strips are cut further, so that none is large in memory."""
    offsets = page.whole_numbers(tags.TILE_OFFSETS if layout.tile else tags.STRIP_OFFSETS)
    offsets = offsets or page.whole_numbers(tags.STRIP_OFFSETS)  # some writers put a tile's there
    sizes = page.whole_numbers(tags.TILE_SIZES if layout.tile else tags.STRIP_SIZES)
    sizes = sizes or page.whole_numbers(tags.STRIP_SIZES)
    places = list(_places(layout))
    if len(offsets) < len(places):
        raise ValueError(f"{len(offsets)} strips or tiles of {len(places)}")
    for i, (plane, top, left, rows) in enumerate(places):
        size = sizes[i] if i < len(sizes) and sizes[i] else None
        piece = Piece(offsets[i], size, plane, top, left, rows)
        yield from _cut(piece, layout) if page.codec == tags.NO_COMPRESSION else (piece,)


def _places(layout: Layout) -> Iterator[tuple[int, int, int, int]]:
    """Plane, top, left and rows of each piece."""
    width, height = layout.size
    across, down = layout.tile or (width, layout.rows_per_strip)
    for plane in range(layout.planes):
        for top in range(0, height, down):
            for left in range(0, width, across):
                yield plane, top, left, down if layout.tile else min(down, height - top)


def _cut(piece: Piece, layout: Layout) -> Iterator[Piece]:
    down = layout.block[1]
    step = max(1, _PIECE_BYTES // layout.line_bytes) * down
    for top in range(0, piece.rows, step):
        rows = min(step, piece.rows - top)
        at = piece.offset + layout.lines(top) * layout.line_bytes
        yield Piece(at, layout.lines(rows) * layout.line_bytes, piece.plane, piece.top + top, piece.left, rows)
