"""Results that look odd are flagged, others are not, whatever their size, depth and colour space."""

from pathlib import Path

import numpy as np
import pytest
from conftest import DrawPhoto
from hypothesis import given
from hypothesis import strategies as st

from img2img.batch.flags import CLIPPED, NEARLY_GREY, flags_of
from img2img.batch.job import Job
from img2img.batch.one_photo import convert_photo
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import Colorizing, PhotoConverter
from img2img.photo import Photo
from img2img.photo.pixels import Pixels

GREY, TINTED, TAN = (128, 128, 128), (130, 128, 124), (170, 130, 90)
BLUE_AT_ITS_END = (0, 90, 255)


def half_and(colour: tuple[int, int, int], share: float, rest: tuple[int, int, int]) -> Photo:
    """100 x 100 in RGB, the left part of one colour."""
    pixels = np.empty((100, 100, 3), np.uint8)
    pixels[:] = rest
    pixels[:, : round(100 * share)] = colour
    return Photo(pixels, "RGB")


@pytest.mark.parametrize("colour", [GREY, TINTED, (0, 0, 0), (255, 255, 255)])
def test_photo_without_colours_is_nearly_grey(colour: tuple[int, int, int]) -> None:
    assert flags_of(half_and(colour, 1, colour)) == (NEARLY_GREY,)


def test_one_colourful_tenth_makes_a_colour_photo() -> None:
    assert flags_of(half_and(TAN, 0.06, GREY)) == (NEARLY_GREY,)
    assert flags_of(half_and(TAN, 0.14, GREY)) == ()


def test_vivid_colours_at_the_end_of_the_scale_are_clipped() -> None:
    assert flags_of(half_and(BLUE_AT_ITS_END, 0.02, TAN)) == ()
    assert flags_of(half_and(BLUE_AT_ITS_END, 0.08, TAN)) == (CLIPPED,)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (255, 240, 200)])
def test_white_skies_and_black_shadows_are_not_clipped(colour: tuple[int, int, int]) -> None:
    assert flags_of(half_and(colour, 0.5, TAN)) == ()


def test_vivid_colours_inside_the_scale_are_not_clipped() -> None:
    assert flags_of(half_and((40, 90, 220), 0.5, TAN)) == ()


def in_spaces(pixels: Pixels) -> tuple[Photo, ...]:
    """The same photo as RGB of 8 bits and of 16, and as a JPEG's YCbCr."""
    rgb = Photo(pixels, "RGB")
    ycbcr = Photo(np.asarray(rgb.to_image().convert("YCbCr")), "YCbCr")
    return rgb, Photo(pixels.astype(np.uint16) * 257, "RGB"), ycbcr


@pytest.mark.parametrize("colour", [GREY, TAN, BLUE_AT_ITS_END])
def test_depth_and_colour_space_make_no_difference(colour: tuple[int, int, int]) -> None:
    one, deep, ycbcr = in_spaces(half_and(colour, 0.5, GREY).pixels)
    assert flags_of(one) == flags_of(deep) == flags_of(ycbcr)


@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_any_size_can_be_flagged(width: int, height: int) -> None:
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = BLUE_AT_ITS_END
    assert flags_of(Photo(pixels, "RGB")) == (CLIPPED,)
    assert flags_of(Photo(pixels[..., 0].copy(), "L")) == (NEARLY_GREY,)


def test_a_batch_flags_what_it_has_done(tmp_path: Path, tiny_model: Path, draw_photo: DrawPhoto) -> None:
    job = Job(draw_photo(tmp_path / "ramp.png", (90, 60)), tmp_path / "out.png")
    for strength, flags in ((0.0, (NEARLY_GREY,)), (0.6, ())):
        opened = Colorizing(str(tiny_model), strength=strength).open(1)
        assert convert_photo(job, opened, PhotoOptions()).flags == flags
    failing = PhotoConverter(lambda photo: photo)
    assert convert_photo(Job(tmp_path / "none.png", tmp_path / "out.png"), failing, PhotoOptions()).flags == ()
