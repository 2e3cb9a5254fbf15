"""Colour: luma that never moves, chroma that is scaled and never clipped."""

import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from img2img import color
from img2img.lab import lightness, rgb_to_lab
from img2img.photo.photo import Photo
from img2img.photo.pixels import strips

RNG = np.random.default_rng


def decoded(joined: np.ndarray) -> np.ndarray:
    """R, G, B (H, W, 3) of 8-bit YCbCr, neither rounded nor clipped, by the definition of BT.601."""
    y, cb, cr = np.moveaxis(joined.astype(np.float64), 2, 0) - np.array([0, 128, 128])[:, None, None]
    red, blue = y + 1.402 * cr, y + 1.772 * cb
    return np.stack([red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=2)


def luma_of(rgb: np.ndarray) -> np.ndarray:
    luma: np.ndarray = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return luma


def photo(pixels: np.ndarray, space: str) -> Photo:
    return Photo(pixels=pixels, space=space)  # type: ignore[arg-type]


# Luma


def test_luma_of_rgb_is_pillows() -> None:
    pixels = RNG(2).integers(0, 256, (300, 400, 3), np.uint8)
    np.testing.assert_array_equal(color.luma(photo(pixels, "RGB")), np.asarray(Image.fromarray(pixels).convert("L")))


def test_luma_of_16_bit_rgb_is_rounded_bt601() -> None:
    pixels = RNG(3).integers(0, 65536, (30, 40, 3), np.uint16)
    pixels[0, 0] = 65535
    grey = color.luma(photo(pixels, "RGB"))
    assert grey.dtype == np.uint16
    assert grey[0, 0] == 65535
    assert np.abs(grey - luma_of(pixels)).max() <= 1


def test_luma_of_grey_is_the_pixels_without_a_copy() -> None:
    pixels = np.zeros((4, 5), np.uint8)
    assert color.luma(photo(pixels, "L")) is pixels


def test_luma_of_ycbcr_is_its_first_plane() -> None:
    pixels = RNG(4).integers(0, 256, (4, 5, 3), np.uint8)
    np.testing.assert_array_equal(color.luma(photo(pixels, "YCbCr")), pixels[..., 0])


# Shrinking


@pytest.mark.parametrize(
    ("height", "width", "small"),
    [
        (3000, 4000, (224, 288)),
        (256, 256, (256, 256)),
        (10, 10, (256, 256)),
        (1, 100_000, (32, 2048)),
        (90, 60, (320, 224)),
    ],
)
def test_small_sizes_by_hand(height: int, width: int, small: tuple[int, int]) -> None:
    assert color.small_size(height, width, 256, 32) == small


@given(
    st.integers(1, 100_000),
    st.integers(1, 100_000),
    st.sampled_from([128, 256, 384]),
    st.sampled_from([1, 8, 32]),
)
def test_small_size_keeps_multiple_area_and_aspect(height: int, width: int, native: int, multiple: int) -> None:
    h, w = color.small_size(height, width, native, multiple)
    assert h % multiple == w % multiple == 0
    assert min(h, w) >= multiple
    assert h * w <= 1.4 * native**2
    if max(height, width) <= 2 * min(height, width):
        assert h * w >= 0.6 * native**2
        assert 0.7 < (h / w) / (height / width) < 1.45


def test_shrinking_16_bit_is_shrinking_the_same_photo_at_8() -> None:
    grey = RNG(5).integers(0, 256, (300, 500), np.uint8)
    np.testing.assert_array_equal(color.shrink(grey.astype(np.uint16) * 257, 64, 8), color.shrink(grey, 64, 8))


def test_shrinking_averages() -> None:
    stripes = np.tile(np.array([0, 200], np.uint8), (640, 320))
    assert np.abs(color.shrink(stripes, 64, 8).astype(int) - 100).max() <= 3


# From ab to chroma


def test_no_ab_is_no_chroma() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.abs(color.chroma_planes(grey, np.zeros((2, 16, 16), np.float32))).max() < 0.01


def test_ab_of_a_colour_gives_back_its_chroma() -> None:
    """On the grey of the same L, a colour inside sRGB has the chroma that its own R, G and B have."""
    rgb = RNG(6).uniform(0.2, 0.8, (3, 20, 20)).astype(np.float32)
    lab = rgb_to_lab(rgb)
    nearest = np.abs(lightness(np.arange(256, dtype=np.uint8))[:, None, None] - lab[0]).argmin(axis=0)
    y = luma_of(255 * np.moveaxis(rgb, 0, 2))
    expected = np.stack([(255 * rgb[2] - y) / 1.772, (255 * rgb[0] - y) / 1.402])
    planes = color.chroma_planes(nearest.astype(np.uint8), lab[1:])
    np.testing.assert_allclose(planes, expected, atol=1.0)  # greys come in whole steps


@given(arrays(np.uint8, (4, 5)), arrays(np.float32, (2, 4, 5), elements=st.floats(-400, 400, width=32)))
def test_any_ab_becomes_a_colour_of_the_same_lightness_inside_srgb(grey: np.ndarray, ab: np.ndarray) -> None:
    cb, cr = color.chroma_planes(grey, ab)
    assert np.isfinite([cb, cr]).all()
    assert max(np.abs(cb).max(), np.abs(cr).max()) <= 127.51
    assert np.abs(cb[grey == 0]).max(initial=0) < 0.01  # black and white have room for no colour
    assert np.abs(cr[grey == 255]).max(initial=0) < 0.01


def test_more_ab_gives_more_chroma_of_the_same_hue() -> None:
    grey = np.full((1, 1), 128, np.uint8)
    ab = np.array([20, 10], np.float32)[:, None, None]
    (cb1, cr1), (cb2, cr2) = (
        color.chroma_planes(grey, ab).reshape(2),
        color.chroma_planes(grey, 1.3 * ab).reshape(2),
    )
    assert np.hypot(cb2, cr2) > 1.2 * np.hypot(cb1, cr1)
    assert abs(np.arctan2(cb2, cr2) - np.arctan2(cb1, cr1)) < 0.05


@given(
    arrays(np.float32, (2, 4, 5), elements=st.floats(-400, 400, width=32)), st.floats(0, allow_infinity=False, width=64)
)
def test_strength_keeps_the_hue_and_a_finite_length(ab: np.ndarray, strength: float) -> None:
    stronger = color.strengthened(ab, strength)
    assert np.isfinite(stronger).all()
    assert np.hypot(*stronger).max() <= 1000.1
    assert np.abs(ab[0] * stronger[1] - ab[1] * stronger[0]).max() <= 1e-4 * 400 * 1000
    np.testing.assert_array_equal(color.strengthened(ab, 1), ab)


# Joining

CHROMA = arrays(np.float32, (2, 3, 4), elements=st.floats(-127.5, 127.5, width=32))


@settings(max_examples=80)
@given(arrays(np.uint8, (7, 9)), CHROMA)
@example(np.arange(63, dtype=np.uint8).reshape(7, 9) * 4, np.full((2, 3, 4), 127.5, np.float32))
@example(np.arange(63, dtype=np.uint8).reshape(7, 9) * 4, np.full((2, 3, 4), -127.5, np.float32))
def test_any_luma_and_chroma_join_inside_rgb_with_luma_kept(luma: np.ndarray, chroma: np.ndarray) -> None:
    joined = color.join(luma, chroma)
    np.testing.assert_array_equal(joined[..., 0], luma)
    exact = decoded(joined)
    assert exact.min() > -0.5  # so rounding clips nothing
    assert exact.max() < 255.5
    assert np.abs(luma_of(np.rint(exact)) - luma).max() <= 0.5


@settings(max_examples=100)
@given(arrays(np.uint8, (7, 9)), CHROMA)
def test_pillow_decodes_the_join_with_luma_within_one_step(luma: np.ndarray, chroma: np.ndarray) -> None:
    joined = color.join(luma, chroma)
    image = Image.frombuffer("YCbCr", (9, 7), joined, "raw", "YCbCr", 0, 1).convert("RGB")
    assert np.abs(luma_of(np.asarray(image)) - luma).max() <= 1


@settings(max_examples=200)
@given(st.integers(0, 255), st.floats(-127, 127), st.floats(-127, 127))
def test_crowded_chroma_keeps_its_direction_to_rounding(y: int, cb: float, cr: float) -> None:
    chroma = np.array([cb, cr], np.float32)[:, None, None] + np.zeros((2, 2, 2), np.float32)
    _, got_cb, got_cr = color.join(np.full((2, 2), y, np.uint8), chroma)[0, 0].astype(float) - [0, 128, 128]
    length = np.hypot(cb, cr)
    if length < 1:
        assert max(abs(got_cb), abs(got_cr)) <= 1
        return
    along = (got_cb * cb + got_cr * cr) / length
    across = (got_cb * cr - got_cr * cb) / length
    assert -1 <= along <= length + 1.3
    assert abs(across) <= 1.5


@pytest.mark.parametrize(
    ("y", "cb", "cr", "expected"),
    [
        (128, 20, -10, (148, 118)),  # R 114, G 128.3, B 163.4: nothing to do
        (255, 20, -10, (128, 128)),  # white has no room
        (0, 20, -10, (128, 128)),
        (28, 0, 80, (128, 167)),  # G = 28 - 0.714 Cr reaches 0.4 at Cr 38.6, 39 in whole steps
        (205, 100, 0, (156, 128)),  # B = 205 + 1.772 Cb reaches 254.6 at Cb 28.0
    ],
)
def test_room_for_chroma_by_hand(y: int, cb: int, cr: int, expected: tuple[int, int]) -> None:
    chroma = np.array([cb, cr], np.float32)[:, None, None] + np.zeros((2, 2, 2), np.float32)
    assert tuple(color.join(np.full((1, 1), y, np.uint8), chroma)[0, 0, 1:]) == expected


def test_pixels_with_room_keep_exactly_their_chroma() -> None:
    chroma = RNG(7).uniform(-30, 30, (2, 8, 8)).astype(np.float32)
    mid = np.full((64, 64), 128, np.uint8)
    beside_black = mid.copy()
    beside_black[::2] = 0
    np.testing.assert_array_equal(color.join(beside_black, chroma)[1::2], color.join(mid, chroma)[1::2])


def test_chroma_is_enlarged_as_pillow_does() -> None:
    chroma = RNG(8).uniform(-40, 40, (2, 8, 10)).astype(np.float32)
    joined = color.join(np.full((90, 133), 128, np.uint8), chroma).astype(float) - 128
    for plane, small in zip((joined[..., 1], joined[..., 2]), chroma, strict=True):
        theirs = np.asarray(Image.fromarray(small).resize((133, 90), Image.Resampling.BILINEAR))
        assert np.abs(plane - theirs).max() < 1.3  # half a step of rounding, and 64 weights between rows


def test_photo_smaller_than_its_chroma_gets_averages() -> None:
    chroma = np.zeros((2, 64, 64), np.float32)
    chroma[:, :, ::2] = 60
    joined = color.join(np.full((8, 8), 128, np.uint8), chroma)
    assert np.abs(joined[..., 1:].astype(int) - 158).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (50, 70), (301, 211)])
def test_strips_and_threads_change_no_pixel(
    monkeypatch: pytest.MonkeyPatch, dtype: type, size: tuple[int, int]
) -> None:
    luma = RNG(9).integers(0, np.iinfo(dtype).max, size, dtype, endpoint=True)
    chroma = RNG(9).uniform(-100, 100, (2, 32, 32)).astype(np.float32)
    whole = color.join(luma, chroma)
    monkeypatch.setattr("img2img.photo.pixels.STRIP_PIXELS", 1000)
    np.testing.assert_array_equal(color.join(luma, chroma), whole)
    np.testing.assert_array_equal(color.join(luma, chroma, threads=3), whole)


def test_strips_cover_every_row_once() -> None:
    for height, width in ((1, 1), (100, 3000), (3000, 4000), (5, 10_000_000)):
        rows = np.concatenate([np.arange(height)[each] for each in strips(height, width)])
        np.testing.assert_array_equal(rows, np.arange(height))


@settings(max_examples=100)
@given(arrays(np.uint16, (5, 6)), CHROMA)
def test_16_bit_join_is_rgb_with_luma_kept(luma: np.ndarray, chroma: np.ndarray) -> None:
    joined = color.join(luma, chroma)
    assert joined.dtype == np.uint16
    assert np.abs(luma_of(joined) - luma).max() <= 1


def test_16_bit_join_shows_the_colours_of_the_8_bit_join() -> None:
    luma = RNG(10).integers(0, 256, (40, 50), np.uint8)
    chroma = RNG(10).uniform(-60, 60, (2, 8, 8)).astype(np.float32)
    deep = color.join(luma.astype(np.uint16) * 257, chroma)
    assert np.abs(deep / 257 - decoded(color.join(luma, chroma))).max() < 4


def test_no_chroma_gives_the_grey_photo() -> None:
    luma = RNG(11).integers(0, 256, (40, 50), np.uint8)
    none = np.zeros((2, 8, 8), np.float32)
    assert (color.join(luma, none)[..., 1:] == 128).all()
    deep = luma.astype(np.uint16) * 250
    np.testing.assert_array_equal(color.join(deep, none), np.stack([deep] * 3, axis=2))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_joining_takes_at_most_16_bytes_a_pixel(dtype: type) -> None:
    luma = RNG(12).integers(0, np.iinfo(dtype).max, (2000, 2500), dtype)
    chroma = RNG(12).uniform(-100, 100, (2, 224, 288)).astype(np.float32)  # the worst case: most pixels are crowded
    tracemalloc.start()
    color.join(luma, chroma, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 16 * luma.size


def test_jpeg_of_the_join_has_the_jpeg_of_the_luma() -> None:
    """The encoder gets Y' as it is: the luma plane of the coloured file is that of the grey one."""
    luma = np.asarray(Image.linear_gradient("L"))
    joined = color.join(luma, RNG(13).uniform(-20, 20, (2, 8, 8)).astype(np.float32))
    grey, coloured = BytesIO(), BytesIO()
    Image.fromarray(luma).save(grey, "JPEG", quality=90)
    Image.frombuffer("YCbCr", (256, 256), joined, "raw", "YCbCr", 0, 1).save(coloured, "JPEG", quality=90)
    with Image.open(coloured) as image:
        image.draft("YCbCr", image.size)
        got = np.asarray(image.convert("YCbCr"))[..., 0]
    with Image.open(grey) as image:
        np.testing.assert_array_equal(got, np.asarray(image))


def test_pixels_of_a_strip_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    luma, chroma = rng.integers(0, 256, (60, 50)).astype(np.uint8), rng.normal(0, 60, (2, 7, 9)).astype(np.float32)
    whole = color.join(luma, chroma)
    monkeypatch.setattr("img2img.color._JOINED_AT_ONCE", 200)
    assert np.array_equal(color.join(luma, chroma), whole)


def test_chroma_of_zero_leaves_black_and_white_alone() -> None:
    """Where all 256 lumas have room, of which a byte cannot count the last."""
    luma = np.array([[0, 254, 255]], np.uint8)
    joined = color.join(luma, np.zeros((2, 1, 3), np.float32))
    assert joined.tolist() == [[[0, 128, 128], [254, 128, 128], [255, 128, 128]]]
