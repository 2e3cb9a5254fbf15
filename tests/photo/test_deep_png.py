"""photo/png: 16-bit PNG. The oracle is pypng."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import png
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import noise
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo, read_photo, write_photo


def by_pypng(samples: np.ndarray, **options: Any) -> io.BytesIO:
    height, width, channels = samples.shape
    stream = io.BytesIO()
    writer = png.Writer(width, height, greyscale=channels < 3, alpha=channels in (2, 4), bitdepth=16, **options)
    writer.write(stream, samples.reshape(height, -1).tolist())
    stream.seek(0)
    return stream


def samples_of(photo: Photo) -> np.ndarray:
    color = photo.pixels.reshape(photo.height, photo.width, -1)
    return color if photo.alpha is None else np.concatenate([color, photo.alpha[..., None]], axis=2)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4), st.booleans(), st.integers(0, 99))
def test_every_16_bit_layout_of_pypng_is_read_exactly(
    h: int, w: int, channels: int, interlace: bool, seed: int
) -> None:
    samples = noise(h, w, channels, dtype=np.uint16, seed=seed)
    photo = read_photo(by_pypng(samples, interlace=interlace))
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(samples_of(photo), samples)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4), st.integers(0, 99))
def test_pypng_reads_what_is_written(h: int, w: int, channels: int, seed: int) -> None:
    samples = noise(h, w, channels, dtype=np.uint16, seed=seed)
    alpha = samples[..., -1] if channels in (2, 4) else None
    pixels = samples[..., 0] if channels < 3 else samples[..., :3]
    stream = io.BytesIO()
    write_photo(Photo(np.ascontiguousarray(pixels), "L" if channels < 3 else "RGB", alpha), stream, format="PNG")
    width, height, rows, info = png.Reader(bytes=stream.getvalue()).read()
    assert (width, height, info["bitdepth"], info["planes"]) == (w, h, 16, channels)
    np.testing.assert_array_equal(np.array([list(row) for row in rows]).reshape(samples.shape), samples)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_color_becomes_alpha(channels: int) -> None:
    samples = noise(3, 4, channels, dtype=np.uint16)
    key = samples[1, 2]
    photo = read_photo(by_pypng(samples, transparent=int(key[0]) if channels == 1 else tuple(int(k) for k in key)))
    expected = np.full((3, 4), 65535)
    expected[1, 2] = 0
    np.testing.assert_array_equal(photo.alpha, expected)


def test_a_photo_of_several_strips_is_the_same_on_both_sides() -> None:
    rows, columns = np.mgrid[:700, :900]
    pixels = ((rows * 71 + columns * 13) % 65536).astype(np.uint16)
    stream = io.BytesIO()
    write_photo(Photo(pixels, "L"), stream, format="PNG")
    with Image.open(stream) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
    assert len(stream.getvalue()) < pixels.nbytes / 4


def test_a_16_bit_photo_becomes_8_bit_jpeg_and_webp() -> None:
    for image_format in ("JPEG", "WEBP", "BMP"):
        stream = io.BytesIO()
        write_photo(Photo(np.full((8, 8, 3), 257 * 100, np.uint16), "RGB"), stream, format=image_format)
        stream.seek(0)
        photo = read_photo(stream)
        assert photo.pixels.dtype == np.uint8
        assert np.abs(photo.pixels.astype(int) - 100).max() <= 1


def test_pillows_limit_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("img2img.photo.pixels.STRIP_PIXELS", 6)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12)
    assert read_photo(by_pypng(noise(5, 6, 3, dtype=np.uint16))).width == 6
    with pytest.raises(UnreadablePhoto, match="--max-pixels"):
        read_photo(by_pypng(noise(5, 6, 3, dtype=np.uint16)), max_pixels=29)
