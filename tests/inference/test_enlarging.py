"""What a network made of a small copy: its change, enlarged and added to the photo, or its picture, enlarged."""

import numpy as np
import pytest
from noise import noise
from PIL import Image

from img2img.inference.enlarging import add_change, enlarge_picture

DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])


@DEPTHS
def test_no_change_leaves_every_pixel(dtype: type) -> None:
    photo = noise(90, 130, 3, dtype=dtype)
    np.testing.assert_array_equal(add_change(photo, np.zeros((16, 32, 3), np.float32)), photo)


@DEPTHS
def test_grey_photo_becomes_three_channels(dtype: type) -> None:
    photo = noise(40, 50, dtype=dtype)
    changed = add_change(photo, np.zeros((16, 16, 3), np.float32))
    np.testing.assert_array_equal(changed, np.repeat(photo[..., None], 3, axis=2))


@pytest.mark.parametrize(("dtype", "expected"), [(np.uint8, (100, 200, 40)), (np.uint16, (25668, 51400, 10280))])
def test_even_change_is_added_and_clipped(dtype: type, expected: tuple[int, int, int]) -> None:
    """0.4 of [-1, 1] is 51 of 255, 0.4 times 65535 / 2 is 13107 of 65535."""
    top = np.iinfo(dtype).max
    photo: np.ndarray = np.broadcast_to(np.array(expected, dtype), (30, 40, 3))
    step = 51 if dtype == np.uint8 else 13107
    for sign in (1, -1):
        changed = add_change(np.ascontiguousarray(photo), np.full((8, 8, 3), sign * 0.4, np.float32))
        exact = np.clip(np.array(expected) + sign * step, 0, top)
        np.testing.assert_array_equal(changed, np.broadcast_to(exact, photo.shape))


@pytest.mark.parametrize("size", [(700, 900), (30, 20), (1, 50), (900, 3)])
def test_change_is_enlarged_as_pillow_does_without_seams_between_strips(size: tuple[int, int]) -> None:
    change = np.random.default_rng(1).uniform(-0.5, 0.5, (48, 64, 3)).astype(np.float32)
    changed = add_change(np.full((*size, 3), 128, np.uint8), change)
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(change, 2, 0)]
    whole = np.stack([np.asarray(plane.resize(size[::-1], Image.Resampling.BICUBIC)) for plane in planes], axis=2)
    expected = np.clip(np.rint(128 + 127.5 * whole), 0, 255)
    assert np.abs(changed - expected).max() <= 1
    assert (changed != expected).mean() < 0.001


def test_threads_change_no_pixel() -> None:
    photo = noise(800, 700, 3)
    change = np.random.default_rng(1).uniform(-1, 1, (32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(add_change(photo, change, threads=3), add_change(photo, change))
    one, three = (enlarge_picture(change, (800, 700), np.uint8, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize(
    ("value", "levels", "deep"),
    [(-1.2, 0, 0), (-1, 0, 0), (-0.6, 51, 13107), (0.2, 153, 39321), (1, 255, 65535), (7, 255, 65535)],
)
def test_even_picture_has_the_levels_that_its_values_stand_for(value: float, levels: int, deep: int) -> None:
    picture = np.full((8, 8, 3), value, np.float32)
    for dtype, expected in ((np.uint8, levels), (np.uint16, deep)):
        enlarged = enlarge_picture(picture, (30, 50), dtype)
        assert enlarged.dtype == dtype
        np.testing.assert_array_equal(enlarged, np.full((30, 50, 3), expected, dtype))


def test_picture_of_the_size_asked_for_stays_pixel_by_pixel() -> None:
    pixels = noise(40, 60, 3)
    picture = (pixels / 127.5 - 1).astype(np.float32)
    np.testing.assert_array_equal(enlarge_picture(picture, (40, 60), np.uint8), pixels)


@pytest.mark.parametrize("size", [(700, 900), (30, 20), (1, 50)])
def test_picture_is_enlarged_as_pillow_does(size: tuple[int, int]) -> None:
    small = noise(48, 64, 3) // 2 + 64  # which no enlargement takes beyond black or white
    enlarged = enlarge_picture((small / 127.5 - 1).astype(np.float32), size, np.uint8)
    expected = np.asarray(Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC))
    assert np.abs(enlarged.astype(int) - expected).max() <= 1
