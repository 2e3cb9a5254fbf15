"""Grey, CMYK and Lab values in sRGB. The oracle is Little CMS, through Pillow."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from img2img.photo import Photo, read_photo, write_photo
from img2img.photo.metadata.profiles import color_space, srgb_profile, srgb_table


def gray_profile(curve: bytes, connection: bytes = b"XYZ ") -> bytes:
    """A grey display profile of version 2 with that kTRC, by hand (ICC.1:2001-04)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3l", 63190, 65536, 54061)
    description = b"desc\0\0\0\0" + struct.pack(">L", 5) + b"gray\0" + bytes(78)
    tags = [(b"desc", description), (b"wtpt", white), (b"kTRC", curve)]
    table, body = struct.pack(">L", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for signature, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sLL", signature, start + len(body), len(data))
        body += data
    size = start + len(body)
    header = struct.pack(
        ">L4sL4s4s4s12s4s", size, b"lcms", 0x02400000, b"mntr", b"GRAY", connection, bytes(12), b"acsp"
    )
    header += bytes(28) + struct.pack(">3l", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">LH", 1, round(value * 256))


def sampled(values: np.ndarray) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">L{len(values)}H", len(values), *values)


def parametric(kind: int, *numbers: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}l", kind, 0, *[round(n * 65536) for n in numbers])


CURVES = {
    "identity": b"curv\0\0\0\0" + struct.pack(">L", 0),
    "gamma 1.8": gamma(1.8),
    "gamma 2.2": gamma(2.2),
    "dot gain": sampled((np.linspace(0, 1, 64) ** 1.75 * 65535).round().astype(int)),
    "parametric 0": parametric(0, 2.4),
    "parametric 1": parametric(1, 2.0, 1.1, -0.1),
    "parametric 2": parametric(2, 2.0, 0.9, -0.1, 0.1),
    "parametric 3": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "parametric 4": parametric(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0),
}


def by_little_cms(profile: bytes) -> np.ndarray:
    """sRGB for greys 0 to 255; unoptimised: the optimised tables have 33 nodes and miss the shadows."""
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, target, "L", "RGB", intent, ImageCms.Flags.NOOPTIMIZE)
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    converted = ImageCms.applyTransform(ramp, transform)
    assert converted is not None
    return np.asarray(converted)[0, :, 1].astype(int)


@pytest.mark.parametrize("name", CURVES)
def test_a_grey_curve_agrees_with_little_cms(name: str) -> None:
    profile = gray_profile(CURVES[name])
    table = srgb_table(profile, 8)
    assert table is not None
    assert np.abs(table.astype(int) - by_little_cms(profile)).max() <= 1


def test_a_curve_of_lightness_agrees_with_little_cms() -> None:
    profile = gray_profile(CURVES["identity"], b"Lab ")
    table = srgb_table(profile, 8)
    assert table is not None
    assert np.abs(table.astype(int) - by_little_cms(profile)).max() <= 1


def test_srgbs_own_curve_changes_no_value_of_8_or_16_bits() -> None:
    profile = gray_profile(CURVES["parametric 3"])
    for depth in (8, 16):
        table = srgb_table(profile, depth)
        assert table is not None
        assert np.abs(table.astype(int) - np.arange(2**depth)).max() <= (0 if depth == 8 else 3)


def test_16_bit_shadows_are_not_posterised() -> None:
    table = srgb_table(gray_profile(gamma(2.2)), 16)
    assert table is not None
    assert table.dtype == np.uint16
    assert np.diff(table.astype(int)).min() >= 0
    assert len(np.unique(table[:2048])) == table[2047] + 1  # not one value is skipped


def test_gamma_1_by_hand() -> None:
    # Linear 0.5 is 1.055 * 0.5 ** (1 / 2.4) - 0.055 = 0.7354 in sRGB.
    table = srgb_table(gray_profile(gamma(1.0)), 16)
    assert table is not None
    assert table[32768] == pytest.approx(0.73536 * 65535, abs=3)
    assert (table[0], table[65535]) == (0, 65535)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "JPEG"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_photo_with_a_grey_profile_comes_out_in_srgb(image_format: str, dtype: type) -> None:
    if image_format == "JPEG" and dtype == np.uint16:
        pytest.skip("JPEG has 8 bits")
    profile = gray_profile(gamma(1.0))
    middle = 128 if dtype == np.uint8 else 32896
    stream = io.BytesIO()
    write_photo(
        Photo(np.full((8, 8), middle, dtype), "L", icc=profile),
        stream,
        format=image_format,
        quality=100 if image_format == "JPEG" else None,
    )
    stream.seek(0)
    photo = read_photo(stream)
    assert photo.pixels.dtype == dtype
    assert photo.icc == srgb_profile()
    linear = middle / np.iinfo(dtype).max
    expected = (1.055 * linear ** (1 / 2.4) - 0.055) * np.iinfo(dtype).max
    assert photo.pixels == pytest.approx(np.full((8, 8), expected), abs=1 if dtype == np.uint8 else 3)


@pytest.mark.parametrize("length", [0, 10, 130, 140, 150])
def test_a_damaged_profile_is_dropped_not_fatal(length: int) -> None:
    profile = gray_profile(gamma(2.2))[:length]
    stream = io.BytesIO()
    write_photo(Photo(np.full((4, 4), 100, np.uint8), "L", icc=profile or None), stream, format="TIFF")
    stream.seek(0)
    np.testing.assert_array_equal(read_photo(stream).pixels, 100)


def test_an_rgb_profile_stays_on_a_color_photo_and_a_grey_one_does_not() -> None:
    color = np.zeros((4, 4, 3), np.uint8)
    for icc, kept in ((srgb_profile(), srgb_profile()), (gray_profile(gamma(2.2)), None)):
        stream = io.BytesIO()
        write_photo(Photo(color, "RGB", icc=icc), stream, format="TIFF")
        stream.seek(0)
        assert read_photo(stream).icc == kept


def test_the_color_space_of_junk_is_unknown() -> None:
    assert color_space(None) == ""
    assert color_space(b"junk") == ""
    assert color_space(bytes(200)) == ""
    assert color_space(srgb_profile()) == "RGB"


def test_lab_is_converted_and_marked_as_srgb() -> None:
    # L* = 50 is 0.18419 of white, 0.4663 in sRGB: 118.9.
    image = Image.new("LAB", (2, 2), (128, 128, 128))
    photo = Photo.from_image(image)
    assert photo.icc == srgb_profile()
    assert np.abs(photo.pixels.astype(int) - 119).max() <= 2
