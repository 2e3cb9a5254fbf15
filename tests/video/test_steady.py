"""Colours hold still along the film's motion, and nothing of one scene gets into the next."""

import io
from pathlib import Path

import numpy as np
import pytest
from film_clips import greys, texture
from tiny_translator import NEGATIVE, matrix_translator

from img2img.inference.colorizer import Colorizer
from img2img.inference.translator import Translator
from img2img.photo import Photo
from img2img.video.steady import Steadier

HEIGHT, WIDTH, STEP, COUNT = 96, 128, 3, 24


def moving(seed: int = 0, flicker: float = 8.0) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Frames that move by STEP pixels to the left, the true field that moves with them, and the field with flicker."""
    lumas = greys(COUNT, HEIGHT, WIDTH, STEP)
    scene = np.stack([texture(HEIGHT, WIDTH + STEP * COUNT, each).astype(np.float32) - 125 for each in (5, 6)]) / 3
    true = np.stack([scene[..., STEP * number : STEP * number + WIDTH] for number in range(COUNT)])
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, flicker, (COUNT, 2, HEIGHT // 8, WIDTH // 8)).astype(np.float32)
    return lumas, true, true + coarse.repeat(8, axis=2).repeat(8, axis=3)


def steadied(lumas: list[np.ndarray], fields: np.ndarray) -> np.ndarray:
    steadier = Steadier()
    return np.stack([steadier(luma, field) for luma, field in zip(lumas, fields, strict=True)])


def change_along_motion(fields: np.ndarray) -> float:
    return float(np.abs(fields[1:, ..., :-STEP] - fields[:-1, ..., STEP:]).mean())


def test_flicker_along_the_motion_falls_to_a_quarter() -> None:
    lumas, true, flickering = moving()
    assert change_along_motion(true) == 0
    assert change_along_motion(steadied(lumas, flickering)) < 0.25 * change_along_motion(flickering)


def test_what_is_shown_is_nearer_the_truth() -> None:
    lumas, true, flickering = moving()
    before, after = (np.abs(each - true)[5:].mean() for each in (flickering, steadied(lumas, flickering)))
    assert after < 0.6 * before


def test_a_field_without_flicker_stays_as_sharp_as_it_was() -> None:
    lumas, true, _ = moving()
    result = steadied(lumas, true)
    assert np.abs(result - true).mean() < 0.06 * np.abs(true).mean()
    assert np.abs(np.diff(result[-1])).mean() > 0.93 * np.abs(np.diff(true[-1])).mean()


def test_flickering_light_and_grain_do_not_end_the_trust() -> None:
    lumas, _, flickering = moving()
    rng = np.random.default_rng(1)
    old = [
        (luma + rng.normal(0, 4, luma.shape) + 12 * (-1) ** number).clip(0, 255).astype(np.uint8)
        for number, luma in enumerate(lumas)
    ]
    assert change_along_motion(steadied(old, flickering)) < 0.35 * change_along_motion(flickering)


def test_first_frame_and_first_frame_after_a_cut_are_as_the_network_says() -> None:
    lumas, _, flickering = moving()
    steadier = Steadier()
    np.testing.assert_array_equal(steadier(lumas[0], flickering[0]), flickering[0])
    steadier(lumas[1], flickering[1])
    other_scene = texture(HEIGHT, WIDTH, seed=99)
    np.testing.assert_array_equal(steadier(other_scene, flickering[2]), flickering[2])


def test_what_comes_into_view_takes_nothing_from_what_was_there() -> None:
    """A bright square goes over a dark ground: where it was, the ground gets its own colour at once."""
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 30, (HEIGHT, WIDTH)).astype(np.uint8)
    steadier = Steadier()
    for left in (20, 32, 44):
        luma, field = 40 + grain, np.full((2, HEIGHT, WIDTH), -20, np.float32)
        luma[30:60, left : left + 30] = 200 + grain[30:60, left : left + 30] // 2
        field[:, 30:60, left : left + 30] = 30
        result = steadier(luma, field)
    assert np.abs(result[:, 33:57, 33:41] + 20).mean() < 4, "the last step uncovered columns 32 to 43"
    assert np.abs(result[:, 33:57, 47:71] - 30).mean() < 2


def test_a_frame_of_another_size_begins_anew() -> None:
    steadier = Steadier()
    steadier(texture(64, 96), np.ones((2, 64, 96), np.float32))
    field = np.zeros((2, 96, 64), np.float32)
    np.testing.assert_array_equal(steadier(texture(96, 64), field), field)


@pytest.mark.parametrize("frames", [0, 5])
def test_saved_and_restored_it_goes_on_exactly(frames: int) -> None:
    lumas, _, flickering = moving()
    whole = steadied(lumas, flickering)
    first, saved = Steadier(), io.BytesIO()
    for luma, field in zip(lumas[:frames], flickering[:frames], strict=True):
        first(luma, field)
    np.savez(saved, **first.state())
    second = Steadier()
    saved.seek(0)
    with np.load(saved) as state:
        second.restore(state)
    for number in range(frames, COUNT):
        np.testing.assert_array_equal(second(lumas[number], flickering[number]), whole[number])


def test_reset_forgets() -> None:
    lumas, _, flickering = moving()
    steadier = Steadier()
    steadier(lumas[0], flickering[0])
    steadier.reset()
    np.testing.assert_array_equal(steadier(lumas[1], flickering[1]), flickering[1])


def test_the_field_that_comes_back_may_be_changed() -> None:
    lumas, _, flickering = moving()
    kept, changed = Steadier(), Steadier()
    kept(lumas[0], flickering[0])
    changed(lumas[0], flickering[0])[:] = 0
    np.testing.assert_array_equal(kept(lumas[1], flickering[1]), changed(lumas[1], flickering[1]))


def test_colorizer_leads_the_colours_of_a_small_copy_through_the_hook(tiny_model: Path) -> None:
    """tiny_model says (22, 44) everywhere; the hook turns all blue."""
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def steady(small: np.ndarray, field: np.ndarray) -> np.ndarray:
        seen.append((small, field))
        return np.stack([np.zeros_like(field[0]), np.full_like(field[1], -40)])

    photo = Photo(texture(90, 120), "L")
    colorizer = Colorizer(tiny_model, threads=1)
    result = colorizer.convert(photo, steady=steady)
    ((small, field),) = seen
    assert small.dtype == np.uint8
    assert field.shape == (2, *small.shape)
    np.testing.assert_allclose(field.mean((1, 2)), [22, 44], atol=0.01)
    np.testing.assert_array_equal(result.pixels[..., 0], photo.pixels)
    assert result.pixels[..., 1].mean() > 140 > 120 > colorizer.convert(photo).pixels[..., 1].mean()
    as_it_is = colorizer.convert(photo, steady=lambda small, field: field)
    np.testing.assert_array_equal(as_it_is.pixels, colorizer.convert(photo).pixels)


def test_translator_leads_the_change_of_a_small_copy_through_the_hook(tmp_path: Path) -> None:
    """Of a negative the change is -2 times the picture."""
    translator = Translator(matrix_translator(tmp_path / "negative.onnx", NEGATIVE), threads=1)
    photo = Photo(np.repeat(texture(90, 120)[..., None], 3, axis=2), "RGB")
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def steady(small: np.ndarray, field: np.ndarray) -> np.ndarray:
        seen.append((small, field))
        return np.zeros_like(field)

    np.testing.assert_array_equal(translator.convert(photo, steady=steady).pixels, photo.pixels)
    ((small, field),) = seen
    assert field.shape == (3, *small.shape)
    np.testing.assert_allclose(field[0], -2 * (small / 127.5 - 1), atol=0.02)
    as_it_is = translator.convert(photo, steady=lambda small, field: field)
    np.testing.assert_array_equal(as_it_is.pixels, translator.convert(photo).pixels)
