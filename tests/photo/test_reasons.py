"""photo/file.py: why a file is refused, and that no decoder speaks for itself."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo import read_photo

SOURCE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


def encoded(image_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(SOURCE)
    if options.get("compression") == "group4":
        image = image.convert("1")
    image.save(stream, image_format, **options)
    return stream.getvalue()


def test_a_bitmap_of_an_unknown_compression_is_not_called_damaged() -> None:
    data = bytearray(encoded("BMP"))
    struct.pack_into("<L", data, 30, 4)  # a JPEG inside, for printers
    with pytest.raises(
        UnreadablePhoto, match=r"a\.bmp: of a kind that is not supported .*; convert it, with"
    ) as caught:
        read_photo(io.BytesIO(data), name="a.bmp")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("BMP", {}),
        ("GIF", {}),
        ("WEBP", {}),
        *[
            ("TIFF", {"compression": name})
            for name in ("raw", "tiff_lzw", "zstd", "packbits", "jpeg", "group4", "tiff_adobe_deflate")
        ],
    ],
)
def test_damage_is_read_or_refused_and_nothing_else_is_said(
    image_format: str, options: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    """Warnings are errors here, and would be reasons; libraries in C write to the terminal itself."""
    whole, rng = encoded(image_format, **options), np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 4)] = rng.integers(0, 256, 4)
        damaged = damaged[: rng.integers(len(damaged) // 2, len(damaged) + 1)]
        try:
            read_photo(io.BytesIO(damaged.tobytes()), name="a", max_pixels=10_000_000)
        except UnreadablePhoto:
            refused += 1
    assert refused > 0
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
