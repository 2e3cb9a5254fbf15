"""photo/tiff: every mode, depth, layout and compression by the standard. The oracles: hand-worked values, OpenCV."""

from __future__ import annotations

import io
import itertools
from typing import TypedDict

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from tiff_bytes import DEFLATE, JPEG, LZW, NONE, PACK_BITS, by_opencv, noise, read, tiff_file, tiff_of

from img2img.errors import UnreadablePhoto
from img2img.photo.metadata.tiff_directory import UNDEFINED, TiffEntry, longs, rational, shorts

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, CMYK, YCBCR, CIE_LAB, ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9


class Layout(TypedDict, total=False):
    """Which pieces a TIFF is cut into, as tiff_of takes it."""

    rows: int
    tile: tuple[int, int]
    planar: bool


def full_range(samples: np.ndarray, bits: int) -> np.ndarray:
    top = 255 if bits <= 8 else 65535
    values: np.ndarray = np.rint(samples / (2**bits - 1) * top).astype(np.uint8 if bits <= 8 else np.uint16)
    return values


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK, RGB])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("layout", [{"rows": 7}, {"tile": (16, 32)}, {"planar": True}, {"planar": True, "rows": 5}])
def test_every_depth_is_scaled_to_its_full_range(bits: int, photometric: int, order: str, layout: Layout) -> None:
    samples = noise(19, 35, 3 if photometric == RGB else 1, bits=bits)
    expected = full_range(samples, bits)
    expected = expected if photometric == RGB else expected[..., 0]
    expected = expected if photometric != MIN_IS_WHITE else np.iinfo(expected.dtype).max - expected
    for compression, fill_order in ((NONE, 1), (NONE, 2), (PACK_BITS, 1), (LZW, 2), (DEFLATE, 1)):
        data = tiff_of(
            samples, photometric, bits=bits, order=order, compression=compression, fill_order=fill_order, **layout
        )
        photo = read(data)
        np.testing.assert_array_equal(photo.pixels, expected)
        assert (photo.alpha, photo.lost) == (None, ())


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", [LZW, DEFLATE])
@pytest.mark.parametrize("layout", [{"rows": 7}, {"tile": (16, 16)}, {"planar": True}])
def test_differences_are_summed_up(bits: int, compression: int, layout: Layout) -> None:
    samples = noise(37, 29, 3, bits=bits)
    for order in "<>":
        data = tiff_of(samples, RGB, order=order, compression=compression, predictor=2, **layout)
        np.testing.assert_array_equal(read(data).pixels, samples)


@pytest.mark.parametrize("bits", [1, 8])
@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK])
def test_opencv_reads_the_same_grey(bits: int, photometric: int) -> None:
    data = tiff_of(noise(37, 29, bits=bits), photometric, bits=bits, rows=7)
    values = by_opencv(data)
    np.testing.assert_array_equal(read(data).pixels, values if values.ndim == 2 else values[..., 0])


@pytest.mark.parametrize("photometric", [MIN_IS_BLACK, RGB])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("layout", [{"tile": (16, 16)}, {"planar": True}, {"tile": (32, 16), "planar": True}])
def test_tifffile_reads_the_same(photometric: int, bits: int, layout: Layout) -> None:
    for order, compression in itertools.product("<>", [NONE, DEFLATE]):
        samples = noise(37, 29, 3 if photometric == RGB else 1, bits=bits)
        data = tiff_of(samples, photometric, order=order, compression=compression, **layout)
        values = tifffile.imread(io.BytesIO(data))
        values = np.moveaxis(values, 0, -1) if values.shape[0] == 3 else values
        np.testing.assert_array_equal(read(data).pixels, values)


def test_16_bit_colours_are_opencvs() -> None:
    for order, compression in itertools.product("<>", [NONE, LZW, DEFLATE]):
        data = tiff_of(noise(37, 29, 3, bits=16), RGB, order=order, compression=compression, rows=8)
        np.testing.assert_array_equal(read(data).pixels, by_opencv(data))


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_a_file_that_does_not_say_what_its_numbers_mean_is_no_negative(bits: int) -> None:
    samples = noise(9, 7, bits=bits)
    np.testing.assert_array_equal(read(tiff_of(samples, None, bits=bits)).pixels, full_range(samples, bits))
    colors = noise(9, 7, 3, bits=bits)
    np.testing.assert_array_equal(read(tiff_of(colors, None, bits=bits)).pixels, full_range(colors, bits))


def test_four_channels_without_a_word_on_them_are_refused() -> None:
    with pytest.raises(UnreadablePhoto, match=r"scan\.tif: it does not say what its colours are"):
        read(tiff_of(noise(5, 5, 4), None))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("factor", [1, 256, 257], ids=["8-bit values", "times 256", "times 257"])
def test_a_colour_map_has_values_of_16_bits_but_old_writers_stored_8(bits: int, factor: int) -> None:
    index, colors = noise(9, 7, bits=bits), noise(2**bits, 3, seed=1)
    colors[0] = 0, 128, 255
    colour_map = shorts("<", *(colors.T.ravel().astype(int) * factor).tolist())
    photo = read(tiff_of(index, PALETTE, bits=bits, tags={320: colour_map}))
    np.testing.assert_array_equal(photo.pixels, colors[index])


def test_a_colour_map_of_the_wrong_length_is_damage() -> None:
    with pytest.raises(UnreadablePhoto, match="a colour map of 30 numbers for 8 bits"):
        read(tiff_of(noise(5, 5), PALETTE, tags={320: shorts("<", *range(30))}))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("kind", "words"), [(2, "signed integers"), (3, "floating point"), (5, "complex integers"), (6, "complex numbers")]
)
def test_samples_without_a_known_black_and_white_are_refused_at_every_depth(bits: int, kind: int, words: str) -> None:
    for count in (1, 3):
        tags = {339: shorts("<", *[kind] * count)}
        with pytest.raises(UnreadablePhoto, match=f"scan.tif: its samples are {words}.*; save it with 8 or 16"):
            read(tiff_of(noise(5, 5, count, bits=bits), RGB if count == 3 else MIN_IS_BLACK, tags=tags))


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_alpha_is_kept_and_colour_multiplied_with_it_is_divided(bits: int) -> None:
    for count, photometric in ((1, MIN_IS_BLACK), (3, RGB)):
        samples = noise(9, 7, count + 1, bits=bits)
        photo = read(tiff_of(samples, photometric, bits=bits, extra=[2]))
        np.testing.assert_array_equal(photo.pixels.reshape(9, 7, count), full_range(samples[..., :count], bits))
        np.testing.assert_array_equal(photo.alpha, full_range(samples[..., count], bits))
        half = np.full((2, 2, count + 1), 2 ** (bits - 1), samples.dtype)
        photo = read(tiff_of(half, photometric, bits=bits, extra=[1]))
        assert photo.pixels.min() == np.iinfo(photo.pixels.dtype).max
        np.testing.assert_array_equal(photo.alpha, full_range(half[..., 0], bits))


def test_channels_that_are_no_alpha_are_left_out_and_named() -> None:
    for extra in ([0], [0, 0], [2, 0]):
        samples = noise(9, 7, 3 + len(extra))
        photo = read(tiff_of(samples, RGB, extra=extra))
        np.testing.assert_array_equal(photo.pixels, samples[..., :3])
        assert (photo.alpha is not None) == (extra[0] == 2)
        assert photo.lost == ("further channels",)


def test_many_channels_that_nobody_calls_colours_are_refused() -> None:
    with pytest.raises(UnreadablePhoto, match=r"scan\.tif: 5 channels, of which nobody says that they are colours"):
        read(tiff_of(noise(5, 5, 5), MIN_IS_BLACK, extra=[0] * 4))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", [[], [2], [0]], ids=["plain", "alpha", "spot colour"])
@pytest.mark.parametrize("planar", [False, True])
def test_inks_become_colours_with_alpha_or_without(bits: int, extra: list[int], planar: bool) -> None:
    samples = noise(9, 7, 4 + len(extra), bits=bits)
    photo = read(tiff_of(samples, CMYK, extra=extra, planar=planar))
    eight = np.rint(samples / (2**bits - 1) * 255).astype(np.uint8)
    expected = np.asarray(Image.fromarray(eight[..., :4], "CMYK").convert("RGB"))
    np.testing.assert_array_equal(photo.pixels, expected)
    assert photo.icc is None
    if extra == [2]:
        np.testing.assert_array_equal(photo.alpha, eight[..., 4])
    assert photo.lost == (("further channels",) if extra == [0] else ())


def test_other_inks_are_refused() -> None:
    with pytest.raises(UnreadablePhoto, match="inks other than cyan"):
        read(tiff_of(noise(5, 5, 4), CMYK, tags={332: shorts("<", 2)}))


@pytest.mark.parametrize(("photometric", "offset"), [(CIE_LAB, 0), (ICC_LAB, 128)])
def test_lab_becomes_srgb(photometric: int, offset: int) -> None:
    """L* = 53.24, a* = 80.09, b* = 67.20 is red under D65, so about it under D50; a* and b* of 0 are grey."""
    lab = np.array([[(136, 81, 70), (255, 0, 0), (0, 0, 0), (136, 0, 0)]])
    stored = (np.add(lab, [0, offset, offset]) % 256).astype(np.uint8)
    pixels = read(tiff_of(stored, photometric)).pixels[0].astype(int)
    assert np.abs(pixels - [(255, 0, 0), (255, 255, 255), (0, 0, 0), (127, 127, 127)]).max() <= 9
    assert np.ptp(pixels[3]) <= 2


def ycbcr_tiff(values: np.ndarray, block: tuple[int, int], rows: int, **tags: TiffEntry) -> bytes:
    """(H, W, 3) YCbCr whose chroma is the same in each block of (across, down)."""
    across, down = block
    height, width = values.shape[:2]
    strips = []
    for top in range(0, height, rows):
        strip = values[top : top + rows]
        strip = np.pad(strip, [(0, -len(strip) % down), (0, -width % across), (0, 0)], "edge")
        cells = strip.reshape(len(strip) // down, down, -1, across, 3).transpose(0, 2, 1, 3, 4)
        luma = cells[..., 0].reshape(*cells.shape[:2], -1)
        strips.append(np.concatenate([luma, cells[:, :, 0, 0, 1:]], axis=2).tobytes())
    layout = {256: longs("<", width), 257: longs("<", height), 258: shorts("<", 8, 8, 8), 259: shorts("<", 1)}
    layout |= {262: shorts("<", YCBCR), 277: shorts("<", 3), 278: longs("<", rows), 530: shorts("<", *block)}
    return tiff_file(layout | {int(tag[1:]): entry for tag, entry in tags.items()}, strips)


@pytest.mark.parametrize("block", [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (4, 4)])
def test_ycbcr_shares_its_chroma_between_neighbours(block: tuple[int, int]) -> None:
    across, down = block
    values = noise(21, 19, 3)
    values[..., 1:] = values[::down, ::across, 1:].repeat(down, axis=0).repeat(across, axis=1)[:21, :19]
    data = ycbcr_tiff(values, block, rows=8)
    y, cb, cr = (values[..., i].astype(float) for i in range(3))
    r, b = y + 1.402 * (cr - 128), y + 1.772 * (cb - 128)
    g = (y - 0.299 * r - 0.114 * b) / 0.587
    expected = np.stack([r, g, b], axis=-1).round().clip(0, 255)
    np.testing.assert_array_equal(read(data).pixels, expected)
    if block != (1, 2):  # libtiff's interface for viewers does not know it, and mistakes the edges of 4 x 4
        assert np.abs(by_opencv(data).astype(int) - expected)[:16, :16].max() <= 2


@pytest.mark.parametrize("compression", [NONE, JPEG])
def test_chroma_in_planes_of_its_own_size_is_refused_by_name(compression: int) -> None:
    tags = {259: shorts("<", compression), 530: shorts("<", 2, 2)}
    with pytest.raises(UnreadablePhoto, match="YCbCr TIFF with chroma 2 x 2 in such a layout; save it as RGB"):
        read(tiff_of(noise(16, 16, 3), YCBCR, planar=True, tags=tags))


def test_ycbcr_of_video_has_black_at_16_and_white_at_235() -> None:
    values = np.array([[(16, 128, 128), (235, 128, 128), (16, 128, 128)]], np.uint8)
    reference = b"".join(rational("<", number).data for number in (16, 235, 128, 240, 128, 240))
    data = ycbcr_tiff(values, (1, 1), 1, t532=TiffEntry(5, reference))
    np.testing.assert_array_equal(read(data).pixels, [[(0,) * 3, (255,) * 3, (0,) * 3]])


def test_colour_profiles_stay_with_their_colours() -> None:
    profile = TiffEntry(UNDEFINED, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert read(tiff_of(noise(5, 5, 3), RGB, tags={34675: profile})).icc == profile.data
