"""photo.py: what is read is what is written, whatever the mode, size, depth and format."""

from __future__ import annotations

import io
import os
import struct
import threading
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import noise
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from img2img.errors import UnreadablePhoto, UnwritablePhoto
from img2img.photo import JpegSettings, Photo, output_suffix, read_photo, write_photo
from img2img.photo.jpeg_settings import jpeg_settings
from img2img.photo.metadata.exif import orientation
from img2img.photo.photo import Space

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="1">'
    b"Gr\xc3\xbc\xc3\x9fe</rdf:Description></x:xmpmeta>"
)
LOSSLESS = ("PNG", "TIFF", "BMP")
MIRRORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    7: Image.Transpose.TRANSVERSE,
}


def make_exif(side: int = 1, artist: str = "Dorothea Lange") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = side
    exif[0x013B] = artist
    exif.get_ifd(0x8769)[0x9003] = "1936:03:09 12:00:00"
    exif.get_ifd(0x8825)[0x001D] = "1936:03:09"
    return exif.tobytes()


def encoded(image: Image.Image, image_format: str, **options: Any) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    stream.seek(0)
    return stream


def rewritten(photo: Photo, image_format: str, quality: int | None = None) -> Photo:
    stream = io.BytesIO()
    write_photo(photo, stream, format=image_format, quality=quality)
    stream.seek(0)
    return read_photo(stream)


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * (i + 1) + columns * 2 for i in range(channels)], axis=-1).clip(0, 255).astype(np.uint8)


@st.composite
def photos(draw: st.DrawFn, depth: int | None = None) -> Photo:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    dtype = np.uint16 if (depth or draw(st.sampled_from([8, 16]))) == 16 else np.uint8
    seed = draw(st.integers(0, 1000))
    space: Space = draw(st.sampled_from(["L", "RGB"]))
    shape = (height, width) if space == "L" else (height, width, 3)
    return Photo(
        pixels=noise(*shape, dtype=dtype, seed=seed),
        space=space,
        alpha=draw(st.sampled_from([None, noise(height, width, dtype=dtype, seed=seed + 1)])),
        icc=draw(st.sampled_from([None, SRGB])),
        exif=draw(st.sampled_from([None, make_exif()])),
        xmp=draw(st.sampled_from([None, XMP])),
        dpi=draw(st.sampled_from([None, (300.0, 300.0), (72.0, 96.0), (1200.0, 600.0)])),
        format=draw(st.sampled_from(["PNG", "TIFF"])),
    )


@settings(deadline=None, max_examples=60)
@given(photos())
def test_png_and_tiff_give_back_all_of_a_photo(photo: Photo) -> None:
    again = rewritten(photo, photo.format)
    assert again.pixels.dtype == photo.pixels.dtype
    assert again.pixels.flags.c_contiguous
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    assert again.space == photo.space
    assert (again.alpha is None) == (photo.alpha is None)
    if photo.alpha is not None:
        np.testing.assert_array_equal(again.alpha, photo.alpha)
    assert (again.icc, again.xmp, again.format) == (photo.icc, photo.xmp, photo.format)
    assert again.dpi == pytest.approx(photo.dpi, abs=0.02)
    assert tags_of(again.exif) == tags_of(photo.exif)


def tags_of(exif: bytes | None) -> dict[str, object]:
    if exif is None:
        return {}
    read = Image.Exif()
    read.load(exif)
    return {
        "artist": read.get(0x013B),
        "orientation": read.get(0x0112, 1),
        "taken": read.get_ifd(0x8769).get(0x9003),
        "gps": read.get_ifd(0x8825).get(0x001D),
    }


@settings(deadline=None, max_examples=30)
@given(photos(depth=8))
def test_webp_keeps_size_metadata_and_alpha(photo: Photo) -> None:
    again = rewritten(replace(photo, lossless=True), "WEBP")
    assert again.lossless
    color = np.broadcast_to(photo.pixels.reshape(photo.height, photo.width, -1), (photo.height, photo.width, 3))
    np.testing.assert_array_equal(again.pixels, color)
    if photo.alpha is not None and photo.alpha.min() < 255:
        np.testing.assert_array_equal(again.alpha, photo.alpha)
    assert (again.icc, again.exif, again.xmp) == (photo.icc, photo.exif, photo.xmp)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from(["L", "RGB", "YCbCr"]))
def test_jpeg_keeps_size_and_metadata_and_stays_close(height: int, width: int, space: Space) -> None:
    pixels = smooth(height, width) if space != "L" else smooth(height, width, 1)[..., 0]
    photo = Photo(pixels, space, None, SRGB, make_exif(), XMP, (240.0, 240.0), "JPEG")
    again = rewritten(photo, "JPEG", quality=98)
    assert (again.height, again.width) == (height, width)
    assert (again.icc, again.exif, again.xmp, again.dpi) == (photo.icc, photo.exif, photo.xmp, photo.dpi)
    assert again.space == ("L" if space == "L" else "RGB")
    if space == "L":
        assert np.abs(again.pixels.astype(int) - pixels).max() <= 4


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_is_written_with_the_tables_and_subsampling_of_its_source(subsampling: int, progressive: bool) -> None:
    source = encoded(
        Image.fromarray(smooth(33, 47)),
        "JPEG",
        quality=63,
        subsampling=subsampling,
        progressive=progressive,
        comment=b"hi",
    )
    photo = read_photo(source)
    assert photo.jpeg is not None
    stream = io.BytesIO()
    write_photo(photo, stream)
    with Image.open(source) as before, Image.open(stream) as after:
        assert isinstance(before, JpegImageFile)
        assert isinstance(after, JpegImageFile)
        assert after.quantization == before.quantization
        assert after.layer == before.layer
        assert bool(after.info.get("progressive")) == progressive
        assert after.info["comment"] == b"hi"
    stream.seek(0)
    assert read_photo(stream).jpeg == photo.jpeg


def test_jpeg_with_a_table_for_each_component_keeps_all_three() -> None:
    tables = [[i + 1] * 64 for i in (3, 5, 7)]
    photo = read_photo(encoded(Image.fromarray(smooth(16, 16)), "JPEG", qtables=tables))
    assert photo.jpeg is not None
    assert [list(table) for table in photo.jpeg.tables] == tables
    assert rewritten(photo, "JPEG").jpeg == photo.jpeg


def test_color_from_a_grey_jpeg_gets_its_table_and_420() -> None:
    photo = read_photo(encoded(Image.fromarray(smooth(20, 20, 1)[..., 0]), "JPEG", quality=71))
    assert photo.space == "L"
    assert photo.jpeg is not None
    assert photo.jpeg.subsampling == 2
    colored = replace(photo, pixels=smooth(20, 20), space="YCbCr")
    stream = io.BytesIO()
    write_photo(colored, stream)
    with Image.open(stream) as image:
        assert isinstance(image, JpegImageFile)
        assert image.quantization[0] == list(photo.jpeg.tables[0])
        assert [component[1:3] for component in image.layer] == [(2, 2), (1, 1), (1, 1)]


def test_file_may_be_given_by_its_name(tmp_path: Path) -> None:
    name = str(tmp_path / "photo.png")
    write_photo(Photo(np.full((2, 3), 7, np.uint8), "L"), name)
    assert (read_photo(name).pixels == 7).all()
    with pytest.raises(UnreadablePhoto, match=r"gone\.png: no such file"):
        read_photo(str(tmp_path / "gone.png"))
    with pytest.raises(UnwritablePhoto, match=r"photo\.txt: \.txt files cannot be written"):
        write_photo(read_photo(name), str(tmp_path / "photo.txt"))


def test_quality_overrides_the_tables_of_the_source() -> None:
    photo = read_photo(encoded(Image.fromarray(smooth(20, 20)), "JPEG", quality=30, subsampling=0))
    again = rewritten(photo, "JPEG", quality=90)
    expected = read_photo(encoded(Image.fromarray(smooth(20, 20)), "JPEG", quality=90, subsampling=0))
    assert again.jpeg == expected.jpeg


def test_a_jpeg_with_three_equal_components_is_still_color() -> None:
    grey = smooth(20, 30, 1)[..., 0]
    photo = read_photo(encoded(Image.fromarray(np.stack([grey] * 3, -1)), "JPEG"))
    assert photo.space == "RGB"
    assert photo.pixels.shape == (20, 30, 3)


@pytest.mark.parametrize("image_format", LOSSLESS)
def test_ycbcr_written_without_jpeg_is_the_rgb_that_pillow_makes_of_it(image_format: str) -> None:
    pixels = noise(11, 13, 3)
    expected = Image.frombuffer("YCbCr", (13, 11), pixels, "raw", "YCbCr", 0, 1).convert("RGB")
    again = rewritten(Photo(pixels, "YCbCr"), image_format)
    np.testing.assert_array_equal(again.pixels, np.asarray(expected))


@pytest.mark.parametrize("side", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_photos_are_read_upright_with_the_tag_reset(side: int, image_format: str) -> None:
    image = Image.fromarray(noise(6, 9, 3) if image_format != "JPEG" else smooth(16, 24))
    options = {"lossless": True} if image_format == "WEBP" else {}
    source = encoded(image, image_format, exif=make_exif(side), dpi=(300, 150), **options)
    with Image.open(source) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    source.seek(0)
    photo = read_photo(source)
    np.testing.assert_array_equal(photo.pixels, expected)
    assert orientation(photo.exif) == 1
    assert tags_of(photo.exif)["artist"] == "Dorothea Lange"
    if image_format != "WEBP":
        assert photo.dpi == ((150, 300) if side >= 5 else (300, 150))


def jpeg_of_side(image: Image.Image, side: int, **options: Any) -> io.BytesIO:
    """A JPEG whose pixels lie as that EXIF orientation says; the image is what it shows."""
    undone = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, **MIRRORED}.get(side)
    return encoded(image if undone is None else image.transpose(undone), "JPEG", exif=make_exif(side), **options)


@pytest.mark.parametrize("side", range(1, 9))
def test_writing_a_turned_jpeg_again_moves_its_luma_no_more_than_an_upright_one(side: int) -> None:
    """Its blocks come out on the steps they were on only if the tables are turned with them."""
    across, down = np.mgrid[:64, :96]
    picture = Image.fromarray((128 + 60 * np.sin(across / 3) + 60 * np.sin(down / 2)).astype(np.uint8))
    table = [1 + 3 * (i % 8) + 20 * (i // 8) for i in range(64)]  # much coarser down than across
    photo = read_photo(jpeg_of_side(picture, side, qtables=[table]))
    moved = np.abs(rewritten(photo, "JPEG").pixels.astype(int) - photo.pixels)
    assert moved.max() <= 2


@pytest.mark.parametrize(
    ("factors", "side", "subsampling"), [((2, 1), 3, 1), ((2, 1), 6, 0), ((1, 2), 8, 1), ((1, 2), 1, 0), ((2, 2), 6, 2)]
)
def test_subsampling_is_turned_with_the_picture(factors: tuple[int, int], side: int, subsampling: int) -> None:
    """4:2:2 upside down is 4:2:2; on its side it is a layout that is written as 4:4:4."""
    content = bytearray(jpeg_of_side(Image.fromarray(smooth(16, 16)), side, subsampling=0).getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 11] = 16 * factors[0] + factors[1]
    with Image.open(io.BytesIO(content)) as image:
        assert jpeg_settings(image, side).subsampling == subsampling  # type: ignore[union-attr]


def test_orientation_3_of_a_hand_drawn_photo() -> None:
    image = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    photo = read_photo(encoded(image, "PNG", exif=make_exif(3)))
    np.testing.assert_array_equal(photo.pixels, [[6, 5, 4], [3, 2, 1]])


def test_orientation_6_of_a_hand_drawn_photo() -> None:
    image = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    photo = read_photo(encoded(image, "PNG", exif=make_exif(6)))
    np.testing.assert_array_equal(photo.pixels, [[4, 1], [5, 2], [6, 3]])


def test_orientation_that_stands_in_xmp_alone_is_obeyed_and_reset() -> None:
    image = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode().replace('Orientation="1"', 'Orientation="6"'))
    photo = read_photo(encoded(image, "PNG", pnginfo=text))
    np.testing.assert_array_equal(photo.pixels, [[4, 1], [5, 2], [6, 3]])
    assert photo.xmp == XMP


MODES = {
    "1": ("L", False),
    "L": ("L", False),
    "LA": ("L", True),
    "P": ("RGB", False),
    "PA": ("RGB", True),
    "RGB": ("RGB", False),
    "RGBA": ("RGB", True),
    "YCbCr": ("RGB", False),
    "CMYK": ("RGB", False),
    "LAB": ("RGB", False),
    "RGBa": ("RGB", True),
    "RGBX": ("RGB", False),
    "I;16": ("L", False),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_grey_or_rgb_with_alpha(mode: str) -> None:
    image = Image.fromarray(noise(7, 5, 4)) if mode == "RGBa" else Image.fromarray(noise(7, 5, 3))
    image = Image.fromarray(noise(7, 5, dtype=np.uint16)) if mode == "I;16" else image
    image = image.convert("P").convert("PA") if mode == "PA" else image
    image = Image.new("LAB", (5, 7), (120, 10, 20)) if mode == "LAB" else image.convert(mode)
    space, has_alpha = MODES[mode]
    photo = Photo.from_image(image)
    assert photo.space == space
    assert (photo.alpha is not None) == has_alpha
    assert photo.pixels.shape == ((7, 5) if space == "L" else (7, 5, 3))
    if mode in ("L", "RGB", "I;16"):
        np.testing.assert_array_equal(photo.pixels, np.asarray(image))
    if mode in ("P", "PA", "CMYK", "YCbCr"):
        np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["I", "F", "HSV"])
def test_modes_without_a_known_black_and_white_are_refused(mode: str) -> None:
    with pytest.raises(UnreadablePhoto, match="8 or 16 bits"):
        Photo.from_image(
            Image.new("RGB", (3, 3)).convert("L").convert(mode) if mode != "HSV" else Image.new("HSV", (3, 3))
        )


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_to_image_and_from_image_are_each_others_inverse(mode: str) -> None:
    channels = len(mode)
    image = Image.fromarray(noise(6, 4, channels).squeeze())
    photo = Photo.from_image(image)
    back = photo.to_image()
    assert back.mode == image.mode
    np.testing.assert_array_equal(np.asarray(back), np.asarray(image))


def test_16_bits_become_8_by_rounding() -> None:
    photo = Photo(np.array([[0, 128, 129, 257, 385, 386, 65535]], np.uint16), "L")
    np.testing.assert_array_equal(np.asarray(photo.to_image()), [[0, 0, 1, 1, 1, 2, 255]])


def test_alpha_is_blended_with_white_in_a_jpeg() -> None:
    pixels, alpha = np.zeros((16, 32), np.uint8), np.zeros((16, 32), np.uint8)
    alpha[:, 16:] = 255
    for photo in (Photo(pixels, "L", alpha), Photo(np.stack([pixels] * 3, -1), "RGB", alpha)):
        again = rewritten(photo, "JPEG")
        assert again.alpha is None
        assert again.pixels[:, :16].min() >= 254
        assert again.pixels[:, 16:].max() <= 1
    neutral = np.full((16, 32, 3), 128, np.uint8)
    neutral[..., 0] = 0
    assert rewritten(Photo(neutral, "YCbCr", alpha), "JPEG").pixels[:, :16].min() >= 254


@pytest.mark.parametrize(
    ("image", "key", "alpha"),
    [
        (Image.fromarray(np.array([[7, 8, 7]], np.uint8)), 7, [[0, 255, 0]]),
        (Image.fromarray(np.array([[[1, 2, 3], [3, 2, 1]]], np.uint8)), (1, 2, 3), [[0, 255]]),
    ],
)
def test_the_transparent_color_of_a_png_becomes_alpha(image: Image.Image, key: object, alpha: list[list[int]]) -> None:
    photo = read_photo(encoded(image, "PNG", transparency=key))
    np.testing.assert_array_equal(photo.alpha, alpha)
    np.testing.assert_array_equal(photo.pixels, np.asarray(image))


def test_the_transparency_of_a_palette_becomes_alpha() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    photo = read_photo(encoded(image, "PNG", transparency=bytes([0, 128])))
    np.testing.assert_array_equal(photo.pixels, [[[10, 20, 30], [40, 50, 60]]])
    np.testing.assert_array_equal(photo.alpha, [[0, 128]])


def test_a_cmyk_jpeg_is_read_the_right_way_round() -> None:
    source = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    photo = read_photo(source)
    red = photo.pixels[8, 8].astype(int)
    assert red[0] >= 250
    assert red[1:].max() <= 5
    assert rewritten(photo, "JPEG").space == "RGB"


def test_a_gif_is_written_as_png() -> None:
    image = Image.fromarray(noise(8, 8, 3)).convert("P")
    photo = read_photo(encoded(image, "GIF"))
    assert photo.format == "GIF"
    stream = io.BytesIO()
    write_photo(photo, stream)
    assert stream.getvalue().startswith(b"\x89PNG")
    np.testing.assert_array_equal(photo.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_frames_are_refused_unless_the_first_is_asked_for(image_format: str) -> None:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime")]
    options = {"lossless": True} if image_format == "WEBP" else {}
    source = encoded(frames[0], image_format, save_all=True, append_images=frames[1:], **options)
    with pytest.raises(UnreadablePhoto, match="--first-frame"):
        read_photo(source, name="moving")
    source.seek(0)
    photo = read_photo(source, first_frame=True)
    np.testing.assert_array_equal(photo.pixels, np.asarray(frames[0]))


def test_a_multi_picture_jpeg_is_a_jpeg_of_its_main_picture() -> None:
    main, second = Image.fromarray(smooth(24, 32)), Image.new("RGB", (8, 8))
    source = encoded(main, "MPO", save_all=True, append_images=[second], quality=90)
    photo = read_photo(source)
    assert (photo.format, photo.width, photo.height) == ("JPEG", 32, 24)
    assert photo.jpeg is not None
    assert rewritten(photo, "JPEG").jpeg == photo.jpeg


def test_heic_is_read_upright_and_written_as_jpeg() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    heif = pillow_heif.from_pillow(Image.fromarray(smooth(64, 96)))
    heif.save(stream, quality=95, exif=make_exif(1))
    stream.seek(0)
    photo = read_photo(stream)
    assert (photo.format, photo.width, photo.height, photo.space) == ("HEIF", 96, 64, "RGB")
    assert tags_of(photo.exif)["artist"] == "Dorothea Lange"
    out = io.BytesIO()
    write_photo(photo, out)
    assert out.getvalue().startswith(b"\xff\xd8")


def test_heic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("img2img.photo.file.can_read_heif", lambda: False)
    with pytest.raises(UnreadablePhoto, match=r"pip install '\.\[heif\]'"):
        read_photo(io.BytesIO(b"\0\0\0\x18ftypheic" + bytes(20)))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_pillows_limit_of_pixels_neither_stops_nor_warns(image_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"compression": "tiff_lzw"} if image_format == "TIFF" else {}
    source = encoded(Image.fromarray(noise(40, 40)), image_format, **options)
    monkeypatch.setattr("img2img.photo.pixels.STRIP_PIXELS", 40)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)
    assert read_photo(source).width == 40
    assert Image.MAX_IMAGE_PIXELS == 900


def test_more_pixels_than_pillow_takes_in_a_webp_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    source = encoded(Image.fromarray(noise(40, 40)), "WEBP")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    with pytest.raises(UnreadablePhoto, match="save it as PNG or TIFF"):
        read_photo(source)


def png_header(width: int, height: int, depth: int = 8, color: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">2L5B", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("depth", "color"), [(8, 0), (8, 2), (16, 2), (1, 0)])
def test_a_bomb_is_refused_before_memory_is_taken(depth: int, color: int) -> None:
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(UnreadablePhoto, match=r"bomb\.png: 60000 x 60000 .*--max-pixels"):
        read_photo(io.BytesIO(png_header(60_000, 60_000, depth, color)), name="bomb.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
def test_max_pixels_holds_to_the_pixel(image_format: str) -> None:
    source = encoded(Image.fromarray(noise(10, 12)), image_format)
    assert read_photo(source, max_pixels=120).width == 12
    source.seek(0)
    with pytest.raises(UnreadablePhoto, match="--max-pixels"):
        read_photo(source, max_pixels=119)


def bad_files() -> dict[str, tuple[bytes, str]]:
    jpeg = encoded(Image.fromarray(noise(64, 64, 3)), "JPEG").getvalue()
    png = encoded(Image.fromarray(noise(64, 64, 3)), "PNG").getvalue()
    deep = io.BytesIO()
    write_photo(Photo(noise(64, 64, 3, dtype=np.uint16), "RGB"), deep, format="PNG")
    tiff = encoded(Image.fromarray(noise(64, 64, 3)), "TIFF").getvalue()
    return {
        "text.jpg": (b"this is a shopping list: eggs, milk, bread and so on", "not a photo"),
        "empty.png": (b"", "empty"),
        "short.jpg": (b"\xff\xd8\xff", "damaged"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "damaged or incomplete"),
        "truncated.png": (png[: len(png) // 2], "damaged or incomplete"),
        "deep-truncated.png": (deep.getvalue()[: len(deep.getvalue()) // 2], "damaged or incomplete"),
        "truncated.tif": (tiff[: len(tiff) // 2], "damaged or incomplete"),
        "header.tif": (b"II*\0\x08\0\0\0", "damaged or incomplete"),
    }


@pytest.mark.parametrize("name", bad_files())
def test_bad_files_are_refused_in_one_line_with_their_name(name: str, tmp_path: Path) -> None:
    data, words = bad_files()[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnreadablePhoto, match=words) as raised:
        read_photo(tmp_path / name)
    assert str(raised.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(raised.value)
    assert ";" in str(raised.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhoto, match=r"gone\.jpg: no such file"):
        read_photo(tmp_path / "gone.jpg")
    with pytest.raises(UnreadablePhoto, match="a folder, not a file"):
        read_photo(tmp_path)


def test_files_without_permission_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: Any) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UnreadablePhoto, match="no permission"):
        read_photo(tmp_path / "secret.jpg")


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "DEEP PNG", "DEEP TIFF"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused_but_nothing_else(
    kind: str, damage: list[tuple[int, int]], kept: float
) -> None:
    stream = io.BytesIO()
    if kind.startswith("DEEP"):
        write_photo(Photo(noise(9, 9, 3, dtype=np.uint16), "RGB", exif=make_exif()), stream, format=kind[5:])
    else:
        write_photo_or_gif(kind, stream)
    data = bytearray(stream.getvalue())
    for position, value in damage:
        data[position % len(data)] = value
    with suppress(UnreadablePhoto):
        read_photo(io.BytesIO(bytes(data[: int(len(data) * (0.5 + kept / 2))])), max_pixels=100_000)


def write_photo_or_gif(kind: str, stream: io.BytesIO) -> None:
    image = Image.fromarray(noise(9, 9, 3))
    image.save(stream, kind, **({"exif": make_exif()} if kind in ("JPEG", "PNG", "TIFF", "WEBP") else {}))


def test_eight_threads_read_what_one_thread_reads(tmp_path: Path) -> None:
    files = []
    for number, suffix in enumerate([".jpg", ".png", ".tif", ".webp"] * 4):
        files.append(tmp_path / f"{number}{suffix}")
        write_photo(Photo(noise(50, 60, 3, seed=number), "RGB", exif=make_exif()), files[-1])
    alone = [read_photo(file).pixels for file in files]
    results: dict[int, np.ndarray] = {}

    def read(start: int) -> None:
        for number in range(start, len(files), 8):
            results[number] = read_photo(files[number]).pixels

    threads = [threading.Thread(target=read, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(files)
    for number, pixels in results.items():
        np.testing.assert_array_equal(pixels, alone[number])


def test_a_stream_that_cannot_seek_is_read() -> None:
    source, sink = os.pipe()
    data = encoded(Image.fromarray(noise(8, 8)), "PNG").getvalue()
    with os.fdopen(sink, "wb") as writer:
        writer.write(data)
    with os.fdopen(source, "rb") as reader:
        assert read_photo(reader).width == 8


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".jpg", b"\xff\xd8"),
        (".JPEG", b"\xff\xd8"),
        (".png", b"\x89PNG"),
        (".webp", b"RIFF"),
        (".tif", b"II*\0"),
        (".bmp", b"BM"),
    ],
)
def test_the_target_suffix_chooses_the_format(suffix: str, start: bytes, tmp_path: Path) -> None:
    target = tmp_path / f"photo{suffix}"
    write_photo(Photo(noise(4, 4, 3), "RGB"), target)
    assert target.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [target.name]


def test_targets_that_cannot_be_are_refused(tmp_path: Path) -> None:
    photo = Photo(noise(4, 4, 3), "RGB")
    with pytest.raises(UnwritablePhoto, match=r"photo\.gif: \.gif files cannot be written; use"):
        write_photo(photo, tmp_path / "photo.gif")
    with pytest.raises(UnwritablePhoto, match="XYZ cannot be written; choose JPEG"):
        write_photo(photo, tmp_path / "photo.png", format="XYZ")
    with pytest.raises(UnwritablePhoto, match="no such file or folder"):
        write_photo(photo, tmp_path / "nowhere" / "photo.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UnwritablePhoto, match="a folder, not a file"):
        write_photo(photo, tmp_path / "folder.png")


@pytest.mark.parametrize(("suffix", "width"), [(".jpg", 65_501), (".webp", 16_384)])
def test_a_side_too_long_for_the_format_is_refused(suffix: str, width: int, tmp_path: Path) -> None:
    with pytest.raises(UnwritablePhoto, match="choose --format png or tiff"):
        write_photo(Photo(np.zeros((1, width), np.uint8), "L"), tmp_path / f"wide{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_full_disk_is_said_to_be_full(image_format: str) -> None:
    with pytest.raises(UnwritablePhoto, match="/dev/full: the disk is full; free some space"):
        write_photo(Photo(noise(300, 300, 3), "RGB"), Path("/dev/full"), format=image_format)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("step", ["img2img.photo.file.encode", "pathlib.Path.replace"])
def test_nothing_is_left_behind_when_writing_breaks_off(
    error: BaseException, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "photo.png"
    target.write_bytes(b"the old one")

    def fail(*_: object, **__: Any) -> None:
        raise error

    monkeypatch.setattr(step, fail)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UnwritablePhoto):
        write_photo(Photo(noise(4, 4), "L"), target)
    assert [file.name for file in tmp_path.iterdir()] == ["photo.png"]
    assert target.read_bytes() == b"the old one"


def test_more_xmp_and_exif_than_a_jpeg_holds_is_no_crash() -> None:
    exif = Image.Exif()
    exif[0x013B] = "A" * 70_000
    exif[0x010F] = "Leica"
    photo = Photo(noise(8, 8, 3), "RGB", exif=exif.tobytes(), xmp=XMP + b" " * 70_000)
    again = rewritten(photo, "JPEG")
    assert again.xmp is None
    kept = Image.Exif()
    kept.load(again.exif or b"")
    assert kept[0x010F] == "Leica"
    assert 0x013B not in kept


def test_a_large_icc_profile_survives_a_jpeg() -> None:
    profile = SRGB + bytes(100_000)
    assert rewritten(Photo(noise(8, 8, 3), "RGB", icc=profile), "JPEG").icc == profile


def with_photoshop(jpeg: io.BytesIO, resources: dict[int, bytes]) -> io.BytesIO:
    """The JPEG with an APP13 segment of these resources behind its first two bytes."""
    content = b"Photoshop 3.0\0"
    for code, data in resources.items():
        content += b"8BIM" + struct.pack(">HHL", code, 0, len(data)) + data + b"\0" * (len(data) % 2)
    whole = jpeg.getvalue()
    return io.BytesIO(whole[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + whole[2:])


@pytest.mark.parametrize("length", [1, 2, 333, 65_000])
def test_iptc_goes_from_jpeg_to_jpeg_beside_all_other_metadata(length: int) -> None:
    iptc, thumbnail = noise(length).tobytes(), b"the old picture"
    options = {"exif": make_exif(6), "xmp": XMP, "icc_profile": SRGB + bytes(100_000), "comment": b"hi"}
    source = encoded(Image.fromarray(smooth(8, 8)), "JPEG", **options)
    photo = read_photo(with_photoshop(source, {0x0404: iptc, 0x040C: thumbnail}))
    again = io.BytesIO()
    write_photo(photo, again, format="JPEG")
    with Image.open(again) as image:
        image.load()
        assert image.info["photoshop"] == {0x0404: iptc}
    again.seek(0)
    kept = read_photo(again)
    assert (kept.jpeg, kept.exif, kept.xmp, kept.icc) == (photo.jpeg, photo.exif, photo.xmp, photo.icc)
    assert rewritten(photo, "JPEG", quality=80).jpeg.iptc == iptc  # type: ignore[union-attr]
    assert rewritten(photo, "PNG").width == 8


def test_more_iptc_than_a_jpeg_holds_is_no_crash() -> None:
    settings = JpegSettings(tables=((1,) * 64,), iptc=bytes(65_533))
    again = rewritten(Photo(smooth(8, 8), "RGB", jpeg=settings), "JPEG")
    assert again.jpeg is not None
    assert again.jpeg.iptc is None


@pytest.mark.parametrize("cut", range(14, 40, 5))
def test_damaged_photoshop_resources_are_no_crash(cut: int) -> None:
    content = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHL", 0x0404, 0, 900) + b"abc" * 5
    whole = encoded(Image.fromarray(smooth(8, 8)), "JPEG").getvalue()
    segment = b"\xff\xed" + struct.pack(">H", cut + 2) + content[:cut]
    assert rewritten(read_photo(io.BytesIO(whole[:2] + segment + whole[2:])), "JPEG").width == 8


def test_a_jpeg_with_damaged_exif_is_read_and_written_without_a_warning() -> None:
    damaged = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"abc" * 9
    photo = read_photo(encoded(Image.fromarray(smooth(8, 8)), "JPEG", exif=damaged))
    assert photo.exif == damaged
    for image_format in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert rewritten(photo, image_format).width == 8


@pytest.mark.parametrize(("unit", "dpi"), [(2, (300.0, 200.0)), (3, (762.0, 508.0)), (1, None)])
def test_the_resolution_of_a_jpeg_may_stand_in_exif_alone(unit: int, dpi: tuple[float, float] | None) -> None:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 200.0, unit
    photo = read_photo(encoded(Image.fromarray(smooth(8, 8)), "JPEG", exif=exif.tobytes()))
    assert photo.dpi == dpi


def test_a_jpeg_without_resolution_gets_none() -> None:
    photo = read_photo(encoded(Image.fromarray(smooth(8, 8)), "JPEG", exif=make_exif()))
    assert photo.dpi is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_pictures_are_packed_fast_and_stay_lossless(dtype: type, image_format: str) -> None:
    """The level stands in the two bytes with which zlib's stream begins (RFC 1950): 6 is 10, 2 to 5 are 01, 1 is 00."""
    photo, stream = Photo(noise(20, 30, 3, dtype=dtype), "RGB"), io.BytesIO()
    write_photo(photo, stream, format=image_format)
    written = stream.getvalue()
    packed = written.index(b"IDAT") + 4 if image_format == "PNG" else 8  # our TIFFs have their strips first
    assert written[packed] == 0x78
    assert written[packed + 1] >> 6 == (0b00 if (image_format, dtype) == ("PNG", np.uint8) else 0b01)
    np.testing.assert_array_equal(rewritten(photo, image_format).pixels, photo.pixels)


@pytest.mark.parametrize("space", ["L", "RGB"])
def test_a_strip_of_one_pixel_either_way_survives(space: Space) -> None:
    for height, width in ((1, 1), (1, 700_000), (700_000, 1)):
        photo = Photo(noise(height, width) if space == "L" else noise(height, width, 3), space)
        np.testing.assert_array_equal(rewritten(photo, "PNG").pixels, photo.pixels)


@pytest.mark.parametrize(
    ("name", "choice", "suffix"),
    [
        ("a.JPG", "same", ".JPG"),
        ("a.tif", "same", ".tif"),
        ("a.gif", "same", ".png"),
        ("a.heic", "same", ".jpg"),
        ("a.mpo", "same", ".jpg"),
        ("a.bmp", "same", ".bmp"),
        ("a.xyz", "same", ".png"),
        ("a.jpg", "png", ".png"),
        ("a.png", "tiff", ".tiff"),
    ],
)
def test_the_suffix_of_the_result(name: str, choice: str, suffix: str) -> None:
    assert output_suffix(Path(name), choice) == suffix


def test_jpeg_settings_are_dropped_with_nothing_else() -> None:
    photo = replace(Photo(smooth(8, 8), "RGB"), jpeg=JpegSettings(tables=((1,) * 64,), subsampling=0))
    assert rewritten(photo, "JPEG").jpeg == photo.jpeg
