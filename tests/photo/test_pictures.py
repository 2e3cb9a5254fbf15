"""Whatever a picture is given as, the same photo comes of it."""

import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo
from img2img.photo.pictures import Picture, as_photo

RGB = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Image.fromarray(RGB).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


WAYS: dict[str, Callable[[Path], Picture]] = {
    "name": str,
    "path": lambda file: file,
    "bytes": lambda file: file.read_bytes(),
    "bytearray": lambda file: bytearray(file.read_bytes()),
    "memoryview": lambda file: memoryview(file.read_bytes()),
    "stream": lambda file: io.BytesIO(file.read_bytes()),
    "open file": lambda file: file.open("rb"),
    "array": lambda file: RGB,
    "array with strides": lambda file: RGB.repeat(2, axis=1)[:, ::2],
    "image": Image.open,
    "photo": lambda file: as_photo(file),
}


@pytest.mark.parametrize("way", WAYS)
def test_picture_is_the_same_whatever_it_is_given_as(file: Path, way: str) -> None:
    given = WAYS[way](file)
    photo = as_photo(given)
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert (photo.space, photo.alpha) == ("RGB", None)
    if isinstance(given, io.BufferedReader | Image.Image):
        given.close()


def test_wrapped_temporary_file_is_read(file: Path) -> None:
    with tempfile.NamedTemporaryFile() as wrapped:
        wrapped.write(file.read_bytes())
        wrapped.seek(0)
        np.testing.assert_array_equal(as_photo(wrapped).pixels, RGB)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_last_of_two_or_four_channels_is_alpha(channels: int, depth: type[np.unsignedinteger[Any]]) -> None:
    values = np.arange(2 * 3 * channels, dtype=depth).reshape(2, 3, channels)
    photo = as_photo(values)
    grey = channels < 3
    assert photo.space == ("L" if grey else "RGB")
    np.testing.assert_array_equal(photo.pixels, values[..., 0] if grey else values[..., :3])
    if channels in (1, 3):
        assert photo.alpha is None
    else:
        np.testing.assert_array_equal(photo.alpha, values[..., -1])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((4, 4)), "an array of float64: a picture is one of uint8"),
        (np.zeros((4, 4), bool), "an array of bool"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"an array of shape \(2, 4, 4, 3\): a picture is \(H, W\)"),
        (np.zeros((4, 4, 5), np.uint8), r"with 1 to 4 channels"),
        (np.zeros((0, 4), np.uint8), "none empty"),
        (b"no photo", "the bytes: not a photo"),
        ("nowhere.jpg", "nowhere.jpg: no such file"),
    ],
)
def test_what_is_no_picture_says_what_one_is(values: Picture, says: str) -> None:
    with pytest.raises(UnreadablePhoto, match=says):
        as_photo(values)


def test_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"a list is no picture: give a path, a file's bytes, an open file"):
        as_photo([1, 2])  # type: ignore[arg-type]


def test_first_picture_of_an_animation_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), grey) for grey in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert as_photo(tmp_path / "a.gif").pixels.max() == 10


@pytest.mark.parametrize("alpha", [None, np.zeros((2, 2), np.uint16)])
def test_notebook_shows_a_photo_as_png(alpha: Any) -> None:
    shown = Photo(np.full((2, 2), 65535, np.uint16), "L", alpha)._repr_png_()
    with Image.open(io.BytesIO(shown)) as image:
        assert (image.format, image.size, image.getpixel((0, 0))) == ("PNG", (2, 2), 255 if alpha is None else (255, 0))
    assert re.match(rb"\x89PNG", shown)
