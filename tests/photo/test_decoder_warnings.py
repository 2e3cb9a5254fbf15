"""Warnings of Pillow's, which name no file: ignored while something is read, in every thread, and by nobody after."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from noise import noise
from PIL import Image

from img2img.data.decoding import decoded_image
from img2img.photo import read_photo
from img2img.photo.decoder_warnings import decoder_warnings_ignored
from img2img.video.animation_file import AnimationFile
from img2img.video.kinds import kind_of

READERS: dict[str, Callable[[Path], object]] = {
    "a photo": lambda path: read_photo(path, first_frame=True),
    "an animation": lambda path: list(AnimationFile(path).pictures()),
    "whether it moves": lambda path: kind_of(str(path)),
    "a picture of a training": lambda path: decoded_image(path.read_bytes()),
}


@pytest.fixture
def warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GIF whose pictures outgrow its canvas, beyond the number of pixels at which Pillow warns."""
    stream = io.BytesIO()
    first, second = (Image.fromarray(noise(40, 40, seed=seed)) for seed in (1, 2))
    first.save(stream, "GIF", save_all=True, append_images=[second])
    path = tmp_path / "outgrown.gif"
    path.write_bytes(stream.getvalue()[:6] + np.array([8, 8], "<u2").tobytes() + stream.getvalue()[10:])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    return path


def warn_as(module: str) -> None:
    warnings.warn_explicit("odd", UserWarning, "odd.py", 1, module=module)


def test_pillow_itself_warns_of_it(warned_of: Path) -> None:
    with pytest.warns(Image.DecompressionBombWarning), Image.open(warned_of) as image:
        image.load()


@pytest.mark.parametrize("reader", READERS)
def test_reading_warns_of_nothing(reader: str, warned_of: Path) -> None:
    """A warning is an error in these tests."""
    assert READERS[reader](warned_of)


def test_of_two_that_read_side_by_side_the_last_one_brings_warnings_back() -> None:
    before = list(warnings.filters)
    one, other = decoder_warnings_ignored(), decoder_warnings_ignored()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    warn_as("PIL.TiffImagePlugin")
    other.__exit__(None, None, None)
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="odd"):
        warn_as("PIL.TiffImagePlugin")


def test_filters_that_others_put_back_meanwhile_keep_nothing_of_it() -> None:
    before = list(warnings.filters)
    reading = decoder_warnings_ignored()
    with warnings.catch_warnings():
        reading.__enter__()
    reading.__exit__(None, None, None)
    assert list(warnings.filters) == before


def test_only_pillows_warnings_are_ignored() -> None:
    with decoder_warnings_ignored(), pytest.warns(UserWarning, match="odd"):
        warn_as("img2img.photo.file")
