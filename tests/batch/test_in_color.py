"""batch/in_color.py: colour is more than one hue; a tone, however strong, is none."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from img2img.batch.in_color import color_spread, is_in_color, is_our_result
from img2img.photo import Photo
from img2img.photo.metadata.provenance import COMPOSITE, Provenance

Values = NDArray[np.floating[Any]]


def greys(seed: int = 0, side: int = 120) -> Values:
    """(side, side), 20 to 235: soft spots of many sizes."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(random.normal(size=(n, n))).resize((side, side), Image.Resampling.BICUBIC)) / n**0.5
        for n in (3, 9, 27)
    ]
    whole = np.sum(layers, axis=0)
    return np.asarray(20 + 215 * (whole - whole.min()) / np.ptp(whole))


def photo(pixels: Values, dtype: type = np.uint8) -> Photo:
    scale = np.iinfo(dtype).max / 255
    return Photo(np.rint(np.clip(pixels, 0, 255) * scale).astype(dtype), "RGB")


def toned(grey: Values, dark: tuple[int, int, int], light: tuple[int, int, int]) -> Values:
    share = grey[..., None] / 255
    return np.asarray((1 - share) * np.array(dark) + share * np.array(light))


TONES: dict[str, Callable[[Values], Values]] = {
    "grey": lambda grey: np.stack([grey] * 3, axis=2),
    "sepia": lambda grey: toned(grey, (40, 20, 5), (255, 240, 200)),
    "strong brown": lambda grey: toned(grey, (0, 0, 0), (255, 200, 120)),
    "cyanotype": lambda grey: toned(grey, (0, 20, 90), (235, 240, 235)),
    "noise": lambda grey: grey[..., None] + np.random.default_rng(1).normal(size=(*grey.shape, 3)) * 12,
    "yellow stain": lambda grey: grey[..., None] * (1 - np.linspace(0, 1, 120)[:, None, None] * [0, 0.07, 0.3]),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tone", TONES)
def test_a_photo_of_one_hue_is_not_in_colour(tone: str, dtype: type) -> None:
    assert not is_in_color(photo(TONES[tone](greys()), dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("side", [120, 700])
def test_a_photo_of_several_hues_is_in_colour(side: int, dtype: type) -> None:
    grey, cb, cr = (greys(seed, side) for seed in range(3))
    cb, cr = (cb - 127) * 0.25, (cr - 127) * 0.25
    colours = np.stack([grey + 1.402 * cr, grey - 0.344 * cb - 0.714 * cr, grey + 1.772 * cb], axis=2)
    assert is_in_color(photo(colours, dtype))


def test_spread_is_that_of_the_chroma() -> None:
    """A quarter of the places each with +-10 in Cb and +-10 in Cr at one luma: both standard deviations are 10."""
    cb, cr = np.meshgrid([-10.0, 10.0], [-10.0, 10.0])
    colours = 128 + np.stack([1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb], axis=2)
    assert color_spread(photo(np.kron(colours, np.ones((96, 96, 1))))) == pytest.approx(10, abs=0.3)


def test_one_channel_is_grey_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("img2img.batch.in_color.color_spread", None)
    assert not is_in_color(Photo(np.zeros((4, 4), np.uint8), "L"))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (30, 2), (24, 24)])
def test_any_size_can_be_judged(size: tuple[int, int]) -> None:
    assert color_spread(Photo(np.zeros((*size, 3), np.uint8), "RGB")) == 0


def test_our_results_are_known_by_name_and_by_what_they_say() -> None:
    plain = Photo(np.zeros((4, 4, 3), np.uint8), "RGB")
    assert is_our_result(plain, PurePath("p.colorized.jpg"), word="colorized")
    assert not is_our_result(plain, PurePath("colorized.jpg"), word="colorized")

    def saying(**options: object) -> Photo:
        packet = Provenance.of_ours(COMPOSITE, "m", "0" * 64, options).packet
        return Photo(np.zeros((4, 4, 3), np.uint8), "RGB", xmp=packet)

    assert is_our_result(saying(strength=1.0), PurePath("p.jpg"), word="colorized")
    assert not is_our_result(saying(size="card"), PurePath("p.jpg"), word="colorized")  # a translated grey photo
