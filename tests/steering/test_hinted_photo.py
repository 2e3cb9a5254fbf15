"""A colorizer with hints, from end to end: the shipped model on drawn photos."""

from functools import cache

import numpy as np
from PIL import Image

from img2img.inference.colorizer import Colorizer
from img2img.lab import rgb_to_lab
from img2img.photo import Photo
from img2img.photo.pixels import Pixels
from img2img.steering.colors import ab_of
from img2img.steering.hints import parse_hint
from img2img.steering.steering import Steering


@cache
def colorizer() -> Colorizer:
    return Colorizer("colorizer", threads=1)


def coat_before_a_wall() -> Pixels:
    """A dark disc of 120 px before a light wall with a ramp, 300 x 400 (width x height)."""
    down, across = np.mgrid[:400, :300]
    wall = 170 + across // 10
    return np.where(np.hypot(down - 200, across - 150) < 120, 80, wall).astype(np.uint8)


def test_the_place_has_the_colour_and_luma_is_untouched() -> None:
    grey = coat_before_a_wall()
    coloured = colorizer().convert(Photo(grey, "L"), steering=Steering(hints=[parse_hint("150,210=#4a6b8f")]))
    np.testing.assert_array_equal(coloured.pixels[..., 0], grey)
    rgb = np.asarray(coloured.to_image().convert("RGB"))[210, 150]
    ab = rgb_to_lab((rgb / 255).astype(np.float32).reshape(3, 1, 1))[1:, 0, 0]
    np.testing.assert_allclose(ab, ab_of((0x4A, 0x6B, 0x8F)), atol=2)


def test_the_coat_is_coloured_and_the_wall_is_not() -> None:
    grey = coat_before_a_wall()
    image = Image.fromarray(grey)
    plain, hinted = (
        np.asarray(colorizer()(image, hints=hints).convert("YCbCr")).astype(int)[..., 1:]
        for hints in ((), (parse_hint("50%,52%=#2e6b3a"),))
    )
    change = np.hypot(*np.moveaxis(hinted - plain, 2, 0))
    at_the_place = change[208, 150]
    assert at_the_place > 20
    assert change[grey == 80].mean() > 0.8 * at_the_place
    assert change[grey > 100].mean() < 0.1 * at_the_place


def test_no_hints_give_what_no_steering_gives() -> None:
    image = Image.fromarray(coat_before_a_wall())
    assert colorizer()(image).tobytes() == colorizer()(image, hints=()).tobytes()
