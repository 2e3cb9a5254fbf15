"""photo.py: what a Photo's arrays are, wherever they come from."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from img2img.errors import PhotoError
from img2img.photo import Photo, Space, read_photo, write_photo

FORMATS = ("PNG", "TIFF", "WEBP", "JPEG", "BMP")


def ramp(dtype: type, channels: int) -> np.ndarray:
    values: np.ndarray = np.arange(5 * 7 * channels, dtype=dtype).reshape(5, 7, channels) * np.iinfo(dtype).bits
    return values[..., 0] if channels == 1 else values


def views(values: np.ndarray) -> dict[str, np.ndarray]:
    """The same values, laid out as slices, transposes and Fortran's arrays are."""
    return {
        "Fortran": np.asfortranarray(values),
        "channels first": np.moveaxis(np.ascontiguousarray(np.moveaxis(values, -1, 0)), 0, -1),
        "upside down": np.ascontiguousarray(values[::-1])[::-1],
        "window": np.pad(values, [(2, 2), (2, 2)] + [(0, 0)] * (values.ndim - 2))[2:-2, 2:-2],
    }


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_layout_in_memory_is_written_as_the_same_file(image_format: str, dtype: type, channels: int) -> None:
    values, alpha = ramp(dtype, channels), ramp(dtype, 1)
    whole = Photo(values, "L" if channels == 1 else "RGB", alpha)
    expected = io.BytesIO()
    write_photo(whole, expected, format=image_format)
    for name, view in views(values).items():
        photo = replace(whole, pixels=view, alpha=views(alpha)[name])
        assert photo.pixels.flags.c_contiguous
        assert photo.alpha is not None
        assert photo.alpha.flags.c_contiguous
        stream = io.BytesIO()
        write_photo(photo, stream, format=image_format)
        assert stream.getvalue() == expected.getvalue(), name
    if image_format in ("PNG", "TIFF"):
        expected.seek(0)
        np.testing.assert_array_equal(read_photo(expected).pixels, values)


@pytest.mark.parametrize(
    ("pixels", "space", "alpha"),
    [
        (np.zeros((4, 4), np.float32), "L", None),
        (np.zeros((4, 4, 3), np.int16), "RGB", None),
        (np.zeros((4, 4, 3), ">u2"), "RGB", None),
        (np.zeros((4, 4, 4), np.uint8), "RGB", None),
        (np.zeros((4, 4), np.uint8), "RGB", None),
        (np.zeros((4, 4, 3), np.uint8), "L", None),
        (np.zeros((4, 4, 3), np.uint16), "YCbCr", None),
        (np.zeros((0, 4), np.uint8), "L", None),
        (np.zeros(4, np.uint8), "L", None),
        (np.zeros((4, 4), np.uint8), "L", np.zeros((4, 3), np.uint8)),
        (np.zeros((4, 4), np.uint8), "L", np.zeros((4, 4), np.uint16)),
    ],
)
def test_arrays_that_are_no_photo_are_refused(pixels: np.ndarray, space: Space, alpha: np.ndarray | None) -> None:
    with pytest.raises(PhotoError, match="a photo needs"):
        Photo(pixels, space, alpha)
