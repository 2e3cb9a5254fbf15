"""A PNG whose packed data end before its last row is damaged, however well they are packed."""

import io
import struct
import zlib

import pytest
from png_bytes import SIGNATURE, chunk

from img2img.errors import UnreadablePhoto
from img2img.photo import read_photo
from img2img.photo.png.chunks import PngHeader
from img2img.photo.png.rows import unpacked_size

WIDTH, HEIGHT = 5, 4


def packed_png(raw: bytes, depth: int, color_type: int, interlaced: bool = False) -> io.BytesIO:
    header = struct.pack(">2L5B", WIDTH, HEIGHT, depth, color_type, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(range(6))) if color_type == 3 else b""
    return io.BytesIO(
        SIGNATURE + chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height", "depth", "color_type", "interlaced", "size"),
    [
        (5, 4, 8, 2, False, 4 * 16),
        (5, 4, 16, 6, False, 4 * 41),
        (5, 4, 1, 0, False, 4 * 2),
        (1, 1, 8, 0, True, 2),  # all in the first pass
        (5, 4, 8, 0, True, 2 + 2 + 0 + 3 + (2 + 1) + 2 * (1 + 2) + 2 * 6),
        (8, 8, 1, 3, True, 2 + 2 + 2 + 2 * 2 + 2 * 2 + 4 * 2 + 4 * 2),
    ],
)
def test_the_size_of_all_rows(
    width: int, height: int, depth: int, color_type: int, interlaced: bool, size: int
) -> None:
    assert unpacked_size(PngHeader(width, height, depth, color_type, interlaced)) == size


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("depth", "color_type", "row"), [(1, 0, 2), (8, 0, 6), (16, 0, 11), (8, 2, 16), (16, 2, 31), (8, 4, 11), (1, 3, 2)]
)
def test_a_row_too_few_is_damage_and_black_is_not(depth: int, color_type: int, row: int, interlaced: bool) -> None:
    """The last row, of the last pass too, is a whole one."""
    raw = bytes(unpacked_size(PngHeader(WIDTH, HEIGHT, depth, color_type, interlaced)))
    whole = read_photo(packed_png(raw, depth, color_type, interlaced))
    assert (whole.width, whole.height) == (WIDTH, HEIGHT)
    for missing in (1, row, 2 * row):
        with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
            read_photo(packed_png(raw[:-missing], depth, color_type, interlaced))
