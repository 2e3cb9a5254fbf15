"""Grids, walks, animations, and what is measured on pictures, by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from img2img.atomic_file import check_target
from img2img.errors import ModelError, UnwritablePhoto
from img2img.generation.drawing import condition_of
from img2img.generation.picture_file import write_animation, write_picture
from img2img.generation.properties import Property, brightness, hue, properties_of, slant, thickness
from img2img.generation.walk import loop_order, slerp, sweep, walk
from img2img.inference.grid import columns_for, enlarge, tile

HUE = properties_of(3)[-1]


def shades(*values: int, height: int = 2, width: int = 3, channels: int = 1) -> NDArray[np.uint8]:
    return np.tile(np.reshape(values, (-1, 1, 1, 1)), (1, height, width, channels)).astype(np.uint8)


# Grids


def test_grid_has_two_white_pixels_between_pictures_and_white_where_it_ends_early() -> None:
    sheet = tile(shades(10, 20, 30, 40, 50), columns=3)
    assert sheet.shape == (2 * 2 + 2, 3 * 3 + 2 * 2, 1)
    expected = np.full((6, 13), 255)
    for shade, top, left in ((10, 0, 0), (20, 0, 5), (30, 0, 10), (40, 4, 0), (50, 4, 5)):
        expected[top : top + 2, left : left + 3] = shade
    np.testing.assert_array_equal(sheet[..., 0], expected)


def test_grid_is_no_wider_than_its_pictures() -> None:
    assert tile(shades(1, 2), columns=9).shape == (2, 8, 1)
    assert tile(shades(1, channels=3), columns=1).shape == (2, 3, 3)


def test_classes_make_the_columns_while_they_are_few() -> None:
    assert [columns_for(count, 0) for count in (1, 4, 5, 64)] == [1, 2, 3, 8]
    assert columns_for(64, 10) == 10
    assert columns_for(64, 1000) == 8


def test_enlarging_repeats_pixels() -> None:
    picture = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    expected = [[0, 0, 0, 1, 1, 1]] * 3 + [[2, 2, 2, 3, 3, 3]] * 3
    np.testing.assert_array_equal(enlarge(picture, 3)[0, ..., 0], expected)
    assert enlarge(np.zeros((2, 5, 4, 6, 3), np.uint8), 2).shape == (2, 5, 8, 12, 3)


# Walks

angles = st.floats(0.01, math.pi - 0.01)


def test_half_way_between_the_axes_is_45_degrees() -> None:
    x, y = np.eye(2, dtype=np.float32)
    np.testing.assert_allclose(slerp(x, y, 0.5), [math.sqrt(0.5)] * 2, atol=1e-6)
    np.testing.assert_allclose(slerp(x, y, 1 / 3), [math.cos(math.pi / 6), 0.5], atol=1e-6)


@given(angles, st.floats(0, 1), st.floats(0.1, 20))
@settings(max_examples=60, deadline=None)
def test_slerp_keeps_the_norm_and_turns_evenly(angle: float, share: float, radius: float) -> None:
    start = np.array([radius, 0, 0], np.float32)
    end = np.array([math.cos(angle), math.sin(angle), 0], np.float32) * np.float32(radius)
    between = slerp(start, end, share)
    expected = [radius * math.cos(share * angle), radius * math.sin(share * angle), 0]
    np.testing.assert_allclose(between, expected, atol=2e-4 * radius)


def test_slerp_starts_and_ends_where_it_is_told_even_with_other_norms() -> None:
    start, end = np.array([3, 0, 1], np.float32), np.array([0, 5, -2], np.float32)
    np.testing.assert_allclose(slerp(start, end, 0), start, atol=1e-6)
    np.testing.assert_allclose(slerp(start, end, 1), end, atol=1e-6)


@pytest.mark.parametrize("end", [[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]])
def test_slerp_of_latents_on_one_line_is_straight(end: list[float]) -> None:
    start = np.array([1, 2], np.float32)
    np.testing.assert_allclose(slerp(start, np.array(end, np.float32), 0.25), 0.75 * start + 0.25 * np.array(end))


def test_walk_goes_from_each_start_to_its_end() -> None:
    starts, ends = np.eye(3, dtype=np.float32)[:2], np.eye(3, dtype=np.float32)[1:]
    path = walk(starts, ends, 5)
    assert path.shape == (2, 5, 3)
    np.testing.assert_allclose(path[:, 0], starts, atol=1e-6)
    np.testing.assert_allclose(path[:, -1], ends, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=2), 1, atol=1e-6)


def test_sweep_moves_each_latent_by_each_amount() -> None:
    z = np.array([[1, 2], [3, 4]], np.float32)
    moved = sweep(z, np.array([0, 10], np.float32), [-1, 0, 0.5])
    assert moved.tolist() == [[[1, -8], [1, 2], [1, 7]], [[3, -6], [3, 4], [3, 9]]]


def test_loop_shows_each_end_once() -> None:
    assert loop_order(4) == [0, 1, 2, 3, 2, 1]
    assert loop_order(2) == [0, 1]
    assert loop_order(1) == [0]


# Files


@pytest.mark.parametrize("name", ["walk.gif", "walk.webp"])
def test_animation_has_every_frame_and_loops(tmp_path: Path, name: str) -> None:
    write_animation(list(shades(0, 60, 120, 180, 240, height=8, width=8)), tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert (image.n_frames, image.info["loop"], image.size) == (5, 0, (8, 8))
        for frame, shade in enumerate((0, 60, 120, 180, 240)):
            image.seek(frame)
            assert image.convert("L").getpixel((4, 4)) == shade
            assert image.info["duration"] == 80


@pytest.mark.parametrize("name", ["picture.png", "picture.webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_picture_comes_back_pixel_by_pixel(tmp_path: Path, name: str, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, channels), np.uint8)
    write_picture(pixels, tmp_path / "new" / name)
    with Image.open(tmp_path / "new" / name) as image:
        read = np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(pixels.shape)
    np.testing.assert_array_equal(read, pixels)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_what_exists_is_not_replaced_unless_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(UnwritablePhoto, match=r"a.png: is there already; --overwrite replaces it"):
        check_target(tmp_path / "a.png", overwrite=False)
    check_target(tmp_path / "a.png", overwrite=True)
    check_target(tmp_path / "b.png", overwrite=False)
    with pytest.raises(UnwritablePhoto, match="a folder"):
        check_target(tmp_path, overwrite=True)


def test_target_whose_folder_cannot_be_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    check_target(tmp_path / "new" / "newer" / "a.json", overwrite=False)
    with pytest.raises(ModelError, match=r"a.json: .*file is a file, not a folder"):
        check_target(tmp_path / "file" / "new" / "a.json", overwrite=True, error=ModelError)
    monkeypatch.setattr("os.access", lambda path, mode: False)  # for the superuser it never is
    with pytest.raises(ModelError, match=r"a.json: no permission to write in "):
        check_target(tmp_path / "new" / "a.json", overwrite=True, error=ModelError)


def test_picture_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritablePhoto, match=r"a.png: "):
        write_picture(shades(1)[0], tmp_path / "file" / "a.png")


def test_condition_is_the_photos_middle_square(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 4:12] = (255, 128, 0)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    condition = condition_of(tmp_path / "photo.png", 8)
    assert (condition.shape, condition.dtype) == ((1, 3, 8, 8), np.float32)
    np.testing.assert_allclose(condition[0, :, 2, 5], [1, 128 / 127.5 - 1, -1], atol=1e-6)
    np.testing.assert_allclose(condition, condition[:, :, :1, :1] * np.ones((8, 8)), atol=1e-6)


# Properties


def drawn(width: float, lean: float = 0.0, *, light: int = 255, ground: int = 0, side: int = 64) -> NDArray[np.float64]:
    """(1, side, side, 1) in [0, 1]: one stroke, `width` px across and half of the side tall, sheared by `lean`."""
    large = Image.new("L", (8 * side, 8 * side), ground)
    top, bottom, middle, half = 2 * side, 6 * side, 4 * side, 4 * width
    ends = [(middle + lean * (middle - y), y) for y in (top, bottom)]
    corners = [
        (ends[0][0] - half, top),
        (ends[0][0] + half, top),
        (ends[1][0] + half, bottom),
        (ends[1][0] - half, bottom),
    ]
    ImageDraw.Draw(large).polygon(corners, fill=light)
    small = large.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float64)[None, ..., None] / 255


def test_brightness_is_the_mean() -> None:
    assert brightness(np.full((1, 4, 4, 3), 0.25)).tolist() == [0.25]
    half = np.zeros((1, 4, 4, 1))
    half[:, 2:] = 1
    assert brightness(half).tolist() == [0.5]


@pytest.mark.parametrize(("width", "length"), [(1, 20), (2, 20), (5, 20), (8, 8)])
def test_thickness_of_a_bar_is_twice_its_area_over_its_outline(width: int, length: int) -> None:
    picture = np.zeros((1, 40, 40, 1))
    picture[:, 10 : 10 + length, 12 : 12 + width] = 1
    outline = 2 * (width + length) - (2 - math.sqrt(2))  # the corner that two differences share is cut
    assert thickness(picture)[0] == pytest.approx(2 * width * length / outline)


def test_thickness_of_a_disc_is_its_radius() -> None:
    rows, columns = np.mgrid[:64, :64] - 31.5
    soft = np.clip(20.5 - np.hypot(rows, columns), 0, 1)
    assert thickness(soft[None, ..., None])[0] == pytest.approx(
        20, rel=0.1
    )  # on pixels a slanting outline is up to 8% longer


def test_thickness_grows_with_the_strokes_width_alone() -> None:
    measured = [thickness(drawn(width))[0] for width in (2, 3, 4, 5, 6)]
    assert np.diff(measured).min() > 0.5
    assert thickness(drawn(4, lean=0.5))[0] == pytest.approx(thickness(drawn(4))[0], rel=0.15)
    assert thickness(drawn(4, light=120))[0] == pytest.approx(thickness(drawn(4))[0], rel=1e-3)


@pytest.mark.parametrize("lean", [-0.8, -0.3, 0.0, 0.4, 0.8])
def test_slant_is_the_shear_that_was_drawn(lean: float) -> None:
    assert slant(drawn(3, lean))[0] == pytest.approx(lean, abs=0.02)


def test_black_on_white_measures_like_white_on_black() -> None:
    white, black = drawn(3, 0.4), drawn(3, 0.4, light=0, ground=255)
    assert slant(black)[0] == pytest.approx(slant(white)[0], rel=1e-3)
    assert thickness(black)[0] == pytest.approx(thickness(white)[0], rel=1e-3)


def test_faint_noise_is_no_ink() -> None:
    noisy = drawn(3, 0.4) * 0.9 + np.random.default_rng(0).uniform(0, 0.04, (1, 64, 64, 1))
    assert slant(noisy)[0] == pytest.approx(0.4, abs=0.05)
    assert thickness(noisy)[0] == pytest.approx(thickness(drawn(3, 0.4))[0], rel=0.15)


@pytest.mark.parametrize(
    ("colour", "degrees"),
    [((1, 0, 0), 0), ((1, 1, 0), 60), ((0, 1, 0), 120), ((0, 0, 1), 240), ((0.6, 0.4, 0.4), 0), ((1, 0, 1), 300)],
)
def test_hue_is_the_colour_circles(colour: tuple[float, float, float], degrees: float) -> None:
    picture = np.full((1, 4, 4, 3), 0.5)
    picture[:, :2] = colour  # the grey half does not count
    assert hue(picture)[0] == pytest.approx(degrees, abs=1e-9)


def test_what_a_picture_has_not_is_nan() -> None:
    even = np.full((2, 8, 8, 3), 0.3)
    for measure in (thickness, slant, hue):
        assert np.isnan(measure(even)).all()


def test_angles_are_averaged_and_subtracted_the_short_way_round() -> None:
    assert HUE.mean(np.array([350.0, 20.0])) == pytest.approx(5)
    assert HUE.difference(np.array([10.0, 350.0, 200.0]), np.array([350.0, 10.0, 100.0])) == pytest.approx(
        [20, -20, 100]
    )
    plain = Property("x", "", brightness)
    assert plain.difference(np.array([10.0]), np.array([350.0])).tolist() == [-340]


def test_a_videos_property_is_that_of_all_its_frames() -> None:
    video = shades(0, 51, 102, 255, 255, 255).reshape(2, 3, 2, 3, 1)
    assert properties_of(1)[0].of(video) == pytest.approx([0.2, 1.0])


def test_hue_is_measured_on_colour_only() -> None:
    assert [one.name for one in properties_of(1)] == ["brightness", "thickness", "slant"]
    assert [one.name for one in properties_of(3)] == ["brightness", "thickness", "slant", "hue"]
