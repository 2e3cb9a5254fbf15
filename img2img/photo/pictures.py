"""What a picture may be given as in Python: a photo, a path, bytes, an open file, an array, or Pillow's image."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.errors import UnreadablePhoto
from img2img.photo.file import read_photo
from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels

Picture: TypeAlias = (
    Photo | str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | npt.NDArray[Any] | Image.Image
)
"""A path and an open file are read whole, as `read_photo` does; bytes are a file's. Of an animation it is the first
picture. An array is (H, W), (H, W, 1), grey, (H, W, 3), RGB, or with alpha last (H, W, 2) or (H, W, 4), of uint8 or
uint16."""


def as_photo(picture: Picture) -> Photo:
    """The photo in any of these. UnreadablePhoto for what is none, TypeError for another type."""
    if isinstance(picture, Photo):
        return picture
    if isinstance(picture, Image.Image):
        return Photo.from_image(picture)
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if isinstance(picture, str | os.PathLike):
        return read_photo(Path(picture), first_frame=True)
    if isinstance(picture, bytes | bytearray | memoryview):
        return read_photo(io.BytesIO(picture), name="the bytes", first_frame=True)
    if isinstance(picture, io.IOBase) or hasattr(picture, "read"):  # a temporary file's wrapper is no IOBase
        return read_photo(picture, first_frame=True)
    raise TypeError(
        f"a {type(picture).__name__} is no picture: give a path, a file's bytes, an open file, a numpy array or a "
        "Pillow image"
    )


def _of_array(values: Pixels) -> Photo:
    if values.dtype not in (np.uint8, np.uint16):
        raise UnreadablePhoto(
            f"an array of {values.dtype}: a picture is one of uint8, 0 to 255, or uint16, 0 to 65535; of values from 0 "
            "to 1 make (255 * values).round().astype('uint8')"
        )
    channels = 1 if values.ndim == 2 else values.shape[2] if values.ndim == 3 else 0
    if channels not in (1, 2, 3, 4) or 0 in values.shape:
        raise UnreadablePhoto(
            f"an array of shape {values.shape}: a picture is (H, W), or (H, W, C) with 1 to 4 channels, none empty"
        )
    if values.ndim == 2:
        return Photo(values, "L")
    alpha = values[..., -1] if channels in (2, 4) else None
    return Photo(values[..., 0], "L", alpha) if channels < 3 else Photo(values[..., :3], "RGB", alpha)
