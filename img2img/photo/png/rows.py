"""Whether a PNG's packed data hold all of its rows: where they end too soon, Pillow leaves the others black."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, BinaryIO

from PIL.PngImagePlugin import PngImageFile

from img2img.photo.png.chunks import Chunk, PngHeader

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: the first column and row of each pass, and the steps from there.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_AT_ONCE = 1 << 20  # bytes


class WholePngFile(PngImageFile):
    """A PNG whose loading calls `check_rows` where rows may be missing: where the last ones are black.

    Unpacking a second time adds two fifths to the time of reading, and most photos end in another colour.
    """

    def __init__(self, file: IO[bytes], check_rows: Callable[[], None]) -> None:
        self._check_rows = check_rows
        super().__init__(file)

    def load_end(self) -> None:
        super().load_end()
        last = (0, self.height - 1, self.width, self.height)
        if self.info.get("interlace") or self.im.crop(last).getbbox(False) is None:
            self._check_rows()


def check_rows(stream: BinaryIO, header: PngHeader, picture: Iterable[Chunk]) -> None:
    """Raises ValueError where rows are missing, zlib.error for other damage."""
    missing = unpacked_size(header)
    unpacking = zlib.decompressobj()
    for packed in _packed(stream, picture):
        while packed and missing > 0:
            missing -= len(unpacking.decompress(packed, _AT_ONCE))
            packed = unpacking.unconsumed_tail
    if missing - len(unpacking.flush()) > 0:
        raise ValueError("its picture breaks off")


def unpacked_size(header: PngHeader) -> int:
    """Bytes of all rows, each with the byte that names its filter (9.2)."""
    passes = _PASSES if header.interlaced else ((0, 0, 1, 1),)
    sizes = (
        (-(-(header.width - left) // across), -(-(header.height - top) // down)) for left, top, across, down in passes
    )
    bits = header.depth * _SAMPLES[header.color_type]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0)


def packed_run(chunk: Chunk) -> tuple[int, int]:
    """Where a chunk's part of the picture begins and ends; fdAT's first four bytes are its number."""
    return chunk.at + (4 if chunk.kind == b"fdAT" else 0), chunk.at + chunk.length


def _packed(stream: BinaryIO, picture: Iterable[Chunk]) -> Iterator[bytes]:
    for chunk in picture:
        start, end = packed_run(chunk)
        while start < end:
            stream.seek(start)
            data = stream.read(min(_AT_ONCE, end - start))
            if not data:
                return
            yield data
            start += len(data)
