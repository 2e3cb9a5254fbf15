"""photo/png: every kind of picture of the standard's table 11.1, read as pypng and OpenCV read it."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import png
import pytest
from PIL import Image
from png_bytes import chunk, png_bytes

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo, read_photo, write_photo

KINDS = [
    (color_type, depth)
    for color_type, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items()
    for depth in depths
]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def file_of(color_type: int, depth: int, *, key: bool, interlace: bool = False) -> bytes:
    """By pypng, with few values, so that the transparent one is met often."""
    generator = np.random.default_rng(depth * 10 + color_type)
    count, top = CHANNELS[color_type], 2**depth
    samples = generator.integers(0, min(top, 3), (9, 11, count)) * ((top - 1) // min(top - 1, 2))
    options: dict[str, object] = {"greyscale": color_type in (0, 4), "alpha": color_type in (4, 6)}
    if color_type == 3:
        options = {"palette": [tuple(map(int, each)) for each in generator.integers(0, 256, (top, 4 if key else 3))]}
    elif key:
        options["transparent"] = int(samples[2, 3, 0]) if count == 1 else tuple(map(int, samples[2, 3]))
    stream = io.BytesIO()
    writer = png.Writer(11, 9, bitdepth=depth, interlace=interlace, **options)
    writer.write(stream, samples.reshape(9, -1).tolist())
    return stream.getvalue()


def rgba_of(photo: Photo) -> np.ndarray:
    color = np.broadcast_to(photo.pixels.reshape(photo.height, photo.width, -1), (photo.height, photo.width, 3))
    opaque = np.full(color.shape[:2], np.iinfo(color.dtype).max, color.dtype)
    return np.dstack([color, opaque if photo.alpha is None else photo.alpha])


def rgba_by_pypng(data: bytes) -> np.ndarray:
    width, height, rows, info = png.Reader(bytes=data).asRGBA()
    values = np.array([list(row) for row in rows]).reshape(height, width, 4)
    scaled: np.ndarray = values * (65535 if info["bitdepth"] == 16 else 255) // (2 ** info["bitdepth"] - 1)
    return scaled


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize(("color_type", "depth"), KINDS)
def test_every_kind_is_read_as_two_other_decoders_do(color_type: int, depth: int, key: bool, interlace: bool) -> None:
    if key and color_type in (4, 6):
        pytest.skip("has an alpha channel, no transparent value")
    data = file_of(color_type, depth, key=key, interlace=interlace)
    photo = read_photo(io.BytesIO(data))
    assert photo.pixels.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert (photo.alpha is not None) == (key or color_type in (4, 6))
    np.testing.assert_array_equal(rgba_of(photo), rgba_by_pypng(data))
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    np.testing.assert_array_equal(rgba_of(photo)[..., :3], by_opencv)


@pytest.mark.parametrize(("color_type", "depth"), KINDS)
def test_transparency_survives_a_png(color_type: int, depth: int) -> None:
    if color_type in (4, 6):
        return
    data = file_of(color_type, depth, key=True)
    written = io.BytesIO()
    write_photo(read_photo(io.BytesIO(data)), written, format="PNG")
    np.testing.assert_array_equal(rgba_by_pypng(written.getvalue()), rgba_by_pypng(data))


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_of_a_transparent_grey_only_the_samples_own_bits_count(depth: int) -> None:
    """PNG, 11.3.1.1: the others are to be ignored."""
    samples = np.array([[0, 1], [1, 0]])
    data = png_bytes(samples, depth, before=[(b"tRNS", struct.pack(">H", (1 << depth) | 1))])
    np.testing.assert_array_equal(read_photo(io.BytesIO(data)).alpha, [[255, 0], [0, 255]])


@pytest.mark.parametrize("depth", [2, 4])
def test_pillows_own_image_keeps_its_transparent_grey(depth: int) -> None:
    samples = np.array([[0, 1, 2, 3]])
    data = png_bytes(samples, depth, before=[(b"tRNS", b"\0\2")])
    np.testing.assert_array_equal(Photo.from_image(Image.open(io.BytesIO(data))).alpha, [[255, 255, 0, 255]])


def test_pillows_own_16_bit_image_keeps_its_transparent_grey() -> None:
    data = png_bytes(np.array([[0, 500, 999]]), 16, before=[(b"tRNS", struct.pack(">H", 500))])
    np.testing.assert_array_equal(Photo.from_image(Image.open(io.BytesIO(data))).alpha, [[65535, 0, 65535]])


def test_what_the_standard_does_not_know_is_refused() -> None:
    grey = png_bytes(np.zeros((2, 2)))
    header = struct.pack(">2L", 2, 2)
    for rest in (b"\3\0\0\0\0", b"\x10\3\0\0\0", b"\x08\1\0\0\0", b"\x08\0\1\0\0", b"\x08\0\0\1\0", b"\x08\0\0\0\2"):
        with pytest.raises(UnreadablePhoto, match="unknown kind"):
            read_photo(io.BytesIO(grey[:8] + chunk(b"IHDR", header + rest) + grey[33:]))
    with pytest.raises(UnreadablePhoto, match="CgBI"):
        read_photo(io.BytesIO(grey[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + grey[8:]))
    with pytest.raises(UnreadablePhoto, match="FRAM"):
        read_photo(io.BytesIO(grey[:33] + chunk(b"FRAM", b"") + grey[33:]))


@pytest.mark.parametrize("lost", [b"IHDR", b"PLTE", b"IDAT"])
def test_damage_of_what_makes_the_picture_is_told(lost: bytes) -> None:
    data = file_of(3, 4, key=False)
    at = data.index(lost)
    with pytest.raises(UnreadablePhoto, match="damaged"):
        read_photo(io.BytesIO(data[:at] + b"tEXt" + data[at + 4 :]))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_that_breaks_off_is_told(depth: int) -> None:
    data = png_bytes(np.random.default_rng(0).integers(0, 256, (40, 50)), depth)
    with pytest.raises(UnreadablePhoto, match="damaged"):
        read_photo(io.BytesIO(data[: len(data) // 2]))


def test_a_picture_in_many_chunks_with_others_between_is_whole() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (30, 40))
    data = png_bytes(samples, 16)
    at = data.index(b"IDAT")
    length = struct.unpack(">L", data[at - 4 : at])[0]
    body = data[at + 4 : at + 4 + length]
    runs = b"".join(chunk(b"IDAT", body[i : i + 7]) + chunk(b"tEXt", b"a\0b") for i in range(0, length, 7))
    photo = read_photo(io.BytesIO(data[: at - 4] + chunk(b"IDAT", b"") + runs + chunk(b"IEND", b"")))
    np.testing.assert_array_equal(photo.pixels, samples)
