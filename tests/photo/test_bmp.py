"""BMP's newest header: alpha and a profile that Pillow does not write come back; the oldest, where that says all."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from noise import noise
from PIL import Image, ImageCms

from img2img.photo import Photo, read_photo, write_photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def written(photo: Photo) -> tuple[bytes, tuple[str, ...]]:
    stream = io.BytesIO()
    lost = write_photo(photo, stream, format="BMP")
    return stream.getvalue(), lost


@pytest.mark.parametrize("width", [5, 8])
@pytest.mark.parametrize("icc", [None, SRGB])
@pytest.mark.parametrize("transparent", [False, True])
def test_pixels_alpha_and_profile_come_back(width: int, icc: bytes | None, transparent: bool) -> None:
    pixels, alpha = noise(7, width, 3), noise(7, width, seed=1) if transparent else None
    content, lost = written(Photo(pixels, "RGB", alpha, icc, dpi=(300.0, 150.0)))
    again = read_photo(io.BytesIO(content))
    with Image.open(io.BytesIO(content)) as image:  # knows of no profile
        np.testing.assert_array_equal(np.asarray(image)[..., :3], pixels)
    np.testing.assert_array_equal(again.pixels, pixels)
    np.testing.assert_array_equal(again.alpha, alpha)
    assert (again.icc, again.dpi, lost) == (icc, (300, 150), ())
    assert struct.unpack_from("<L", content, 2)[0] == len(content)
    assert content[14] == (124 if transparent or icc else 40)


def test_a_greys_profile_is_named_where_there_is_no_room() -> None:
    assert written(Photo(noise(7, 5), "L", icc=SRGB))[1] == ("colour profile",)


def test_a_header_that_breaks_off_has_no_profile() -> None:
    content, _ = written(Photo(noise(7, 5, 3), "RGB", icc=SRGB))
    moved = content[:126] + struct.pack("<2L", 2**31, 9) + content[134:]
    assert read_photo(io.BytesIO(moved)).icc is None
