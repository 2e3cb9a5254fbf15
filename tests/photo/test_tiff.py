"""photo/tiff and photo/metadata/tiff_directory.py. The oracles are tifffile and Pillow."""

from __future__ import annotations

import io
import itertools
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from noise import noise
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo, read_photo, write_photo


def by_tifffile(values: np.ndarray, **options: Any) -> io.BytesIO:
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    stream.seek(0)
    return stream


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"tile": (16, 16)},
        {"rowsperstrip": 5},
        {"bigtiff": True},
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_layouts_are_read_exactly(options: dict[str, Any], channels: int) -> None:
    values = noise(37, 21, dtype=np.uint16) if channels == 1 else noise(37, 21, 3, dtype=np.uint16)
    kind = "minisblack" if channels == 1 else "rgb"
    photo = read_photo(by_tifffile(values, photometric=kind, resolution=(300, 200), **options))
    assert photo.dpi == (300.0, 200.0)
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(photo.pixels, values)


def test_separate_planes_are_read() -> None:
    values = noise(3, 12, 17, dtype=np.uint16)
    photo = read_photo(by_tifffile(values, photometric="rgb", planarconfig="separate"))
    np.testing.assert_array_equal(photo.pixels, np.moveaxis(values, 0, -1))


@pytest.mark.parametrize("bits", [8, 16])
def test_min_is_white_is_turned_round(bits: int) -> None:
    values = noise(9, 7, dtype=np.uint8 if bits == 8 else np.uint16)
    for order in "<>":
        photo = read_photo(by_tifffile(values, photometric="miniswhite", byteorder=order))
        np.testing.assert_array_equal(photo.pixels, 2**bits - 1 - values)


def test_alpha_is_read_plain_and_premultiplied() -> None:
    values = noise(8, 9, 4, dtype=np.uint16)
    photo = read_photo(by_tifffile(values, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(photo.pixels, values[..., :3])
    np.testing.assert_array_equal(photo.alpha, values[..., 3])
    half = np.full((2, 2, 4), 32768, np.uint16)
    photo = read_photo(by_tifffile(half, photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(photo.pixels, 65535)
    np.testing.assert_array_equal(photo.alpha, 32768)
    grey = noise(8, 9, 2, dtype=np.uint16)
    photo = read_photo(by_tifffile(grey, photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig"))
    np.testing.assert_array_equal(photo.pixels, grey[..., 0])
    np.testing.assert_array_equal(photo.alpha, grey[..., 1])


def lzw(values: np.ndarray) -> io.BytesIO:
    """A 16-bit LZW file: its bytes written as a grey 8-bit file, then the directory put right."""
    import struct

    from img2img.photo.metadata.tiff_directory import longs, pack_tree, read_directory, read_header, shorts

    height, width, channels = values.shape
    stream = io.BytesIO()
    as_bytes = values.astype("<u2").view(np.uint8).reshape(height, -1)
    Image.fromarray(as_bytes).save(stream, "TIFF", compression="tiff_lzw")
    header = read_header(stream)
    tree = dict(read_directory(stream, header, header.first).entries)
    tree |= {256: longs("<", width), 258: shorts("<", *[16] * channels), 277: shorts("<", channels)}
    tree |= {262: shorts("<", 2 if channels > 2 else 1)}
    tree |= {338: shorts("<", 2)} if channels in (2, 4) else {}
    at = stream.seek(0, 2)
    at += at % 2
    stream.seek(at)
    stream.write(pack_tree(tree, "<", at))
    stream.seek(4)
    stream.write(struct.pack("<L", at))
    stream.seek(0)
    return stream


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_lzw_is_read_exactly(channels: int) -> None:
    values = noise(19, 23, channels, dtype=np.uint16)
    photo = read_photo(lzw(values))
    np.testing.assert_array_equal(photo.pixels, values[..., 0] if channels < 3 else values[..., :3])
    if channels in (2, 4):
        np.testing.assert_array_equal(photo.alpha, values[..., -1])


@pytest.mark.parametrize("side", range(1, 9))
@pytest.mark.parametrize("how", ["plain", "lzw"])
def test_16_bit_photos_are_turned_upright(side: int, how: str) -> None:
    values = noise(4, 6, 3, dtype=np.uint16)
    source = by_tifffile(values, photometric="rgb", extratags=[(274, "H", 1, side, True)])
    if how == "lzw":
        source = io.BytesIO()
        Image.fromarray(values[..., 0]).save(source, "TIFF", compression="tiff_lzw", tiffinfo={274: side})
        source.seek(0)
    turned = {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
        5: values.swapaxes(0, 1),
        6: np.rot90(values, -1),
        7: np.rot90(values, 2).swapaxes(0, 1),
        8: np.rot90(values),
    }[side]
    photo = read_photo(source)
    np.testing.assert_array_equal(photo.pixels, turned if how == "plain" else turned[..., 0])
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 4), np.float32), "floating point"),
        (np.zeros((4, 4), np.int16), "signed integers"),
        (np.zeros((4, 4), np.uint32), "32 bits per sample"),
    ],
)
def test_samples_without_a_known_white_are_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(UnreadablePhoto, match=f"scan.tif: .*{words}.*; save it with 8 or 16"):
        read_photo(by_tifffile(values, photometric="minisblack"), name="scan.tif")


def test_a_thumbnail_is_not_a_page() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(noise(20, 30, 3, dtype=np.uint16), photometric="rgb")
        writer.write(noise(5, 8, 3, dtype=np.uint16), photometric="rgb", subfiletype=1)
    stream.seek(0)
    assert read_photo(stream).width == 30


def test_two_16_bit_pages_are_refused_unless_the_first_is_asked_for() -> None:
    stream = io.BytesIO()
    pages = noise(2, 20, 30, dtype=np.uint16)
    with tifffile.TiffWriter(stream) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack")
    stream.seek(0)
    with pytest.raises(UnreadablePhoto, match="several pages; --first-frame"):
        read_photo(stream)
    stream.seek(0)
    np.testing.assert_array_equal(read_photo(stream, first_frame=True).pixels, pages[0])


@pytest.mark.parametrize(
    ("dtype", "space", "alpha", "order"),
    list(itertools.product([np.uint8, np.uint16], ["L", "RGB"], [False, True], "<>")),
)
def test_tifffile_and_pillow_read_what_is_written(
    dtype: type, space: Literal["L", "RGB"], alpha: bool, order: str
) -> None:
    exif = Image.Exif()
    exif.endian = order
    exif[0x013B] = "Dorothea Lange"
    exif.get_ifd(0x8769)[0x9003] = "1936:03:09 12:00:00"
    pixels = noise(31, 17, dtype=dtype) if space == "L" else noise(31, 17, 3, dtype=dtype)
    photo = Photo(
        pixels,
        space,
        noise(31, 17, dtype=dtype) if alpha else None,
        b"profile",
        exif.tobytes(),
        b"<x/>",
        (300.0, 150.0),
    )
    stream = io.BytesIO()
    write_photo(photo, stream, format="TIFF")
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        values = page.asarray()
        assert bytes(page.tags[700].value) == b"<x/>"
        assert bytes(page.tags[34675].value) == b"profile"
        assert page.tags[315].value == "Dorothea Lange"
        assert page.tags[34665].value["DateTimeOriginal"] == "1936:03:09 12:00:00"
    color = pixels.reshape(31, 17, -1)
    expected = color if photo.alpha is None else np.concatenate([color, photo.alpha[..., None]], axis=2)
    np.testing.assert_array_equal(values.reshape(expected.shape), expected)
    if dtype == np.uint8:
        stream.seek(0)
        with Image.open(stream) as image:
            np.testing.assert_array_equal(np.asarray(image).reshape(expected.shape), expected)
            assert image.info["dpi"] == (300, 150)


def test_strips_of_a_large_photo_join_without_a_seam() -> None:
    pixels = noise(900, 800, 3, dtype=np.uint16)
    stream = io.BytesIO()
    write_photo(Photo(pixels, "RGB"), stream, format="TIFF")
    stream.seek(0)
    np.testing.assert_array_equal(read_photo(stream).pixels, pixels)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"])
def test_8_bit_and_1_bit_compressions_are_read(compression: str) -> None:
    image = Image.fromarray(noise(16, 24, dtype=np.uint8))
    image = image.convert("1") if compression == "group4" else image
    stream = io.BytesIO()
    image.save(stream, "TIFF", compression=compression)
    stream.seek(0)
    photo = read_photo(stream)
    with Image.open(stream) as opened:
        np.testing.assert_array_equal(photo.pixels, np.asarray(opened.convert("L")))
