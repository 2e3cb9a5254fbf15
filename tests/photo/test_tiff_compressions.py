"""photo/tiff: every compression, whole or refused. The oracles: OpenCV, and what Pillow wrote."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from tiff_bytes import DEFLATE, JPEG, LZW, NONE, PACK_BITS, by_opencv, noise, read, smooth, tiff_file, tiff_of

from img2img.errors import UnreadablePhoto
from img2img.photo import Photo
from img2img.photo.metadata.tiff_directory import TiffEntry, longs, shorts

MIN_IS_WHITE, MIN_IS_BLACK, RGB, YCBCR = 0, 1, 2, 6


def jpeg_of(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def jpeg_tiff(strips: list[bytes], photometric: int, size: tuple[int, int], rows: int, samples: int = 3) -> bytes:
    layout = {256: longs("<", size[0]), 257: longs("<", size[1]), 258: shorts("<", *[8] * samples)}
    layout |= {259: shorts("<", JPEG), 262: shorts("<", photometric), 277: shorts("<", samples)}
    return tiff_file(layout | {278: longs("<", rows), 530: shorts("<", 2, 2)}, strips)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_strips_are_ycbcr_or_rgb_as_the_file_says_not_as_they_say(subsampling: int) -> None:
    values = smooth(48, 40)
    strips = [jpeg_of(values[top : top + 16], subsampling=subsampling) for top in range(0, 48, 16)]
    photo = read(jpeg_tiff(strips, YCBCR, (40, 48), 16))
    expected = np.concatenate([np.asarray(Image.open(io.BytesIO(strip))) for strip in strips])
    np.testing.assert_array_equal(photo.pixels, expected)
    assert np.abs(photo.pixels.astype(int) - values).max() <= 24
    strips = [jpeg_of(values[top : top + 16], subsampling=0, keep_rgb=True) for top in range(0, 48, 16)]
    assert np.abs(read(jpeg_tiff(strips, RGB, (40, 48), 16)).pixels.astype(int) - values).max() <= 8


def test_jpeg_strips_of_grey_and_inks() -> None:
    grey = smooth(16, 40)[..., 0]
    assert np.abs(read(jpeg_tiff([jpeg_of(grey)], MIN_IS_BLACK, (40, 16), 16, 1)).pixels.astype(int) - grey).max() <= 8
    assert np.abs(255 - read(jpeg_tiff([jpeg_of(grey)], 0, (40, 16), 16, 1)).pixels.astype(int) - grey).max() <= 8
    stream = io.BytesIO()
    inks = np.concatenate([smooth(16, 40), np.zeros((16, 40, 1), np.uint8)], axis=2)
    Image.fromarray(inks, "CMYK").save(stream, "TIFF", compression="jpeg", quality=95)
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB")).astype(int)
    assert np.abs(read(stream.getvalue()).pixels - expected).max() <= 8


def test_old_style_jpeg_is_read_with_its_tables_where_they_are() -> None:
    for values, photometric in ((smooth(48, 40), YCBCR), (smooth(48, 40)[..., 0], MIN_IS_BLACK)):
        samples = 3 if photometric == YCBCR else 1
        jpeg = jpeg_of(values, subsampling=0)
        layout = {256: longs("<", 40), 257: longs("<", 48), 258: shorts("<", *[8] * samples), 259: shorts("<", 6)}
        layout |= {262: shorts("<", photometric), 277: shorts("<", samples), 278: longs("<", 48), 512: shorts("<", 1)}
        layout |= {513: longs("<", 8), 514: longs("<", len(jpeg)), 530: shorts("<", 1, 1), 274: shorts("<", 3)}
        pixels = read(tiff_file(layout, [jpeg])).pixels
        with Image.open(io.BytesIO(jpeg)) as image:
            assert np.abs(pixels[::-1, ::-1].astype(int) - np.asarray(image)).max() <= 2


@pytest.mark.parametrize("compression", ["tiff_ccitt", "group3", "group4"])
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK])
def test_faxes_are_read_as_opencv_reads_them(compression: str, fill_order: int, photometric: int) -> None:
    stream = io.BytesIO()
    page = Image.fromarray(smooth(40, 64)[..., 0]).convert("1")
    page.save(stream, "TIFF", compression=compression, tiffinfo={262: photometric, 266: fill_order})
    data = stream.getvalue()
    values = by_opencv(data)
    np.testing.assert_array_equal(read(data).pixels, values if values.ndim == 2 else values[..., 0])


@pytest.mark.parametrize("compression", [("tiff_ccitt", 2), ("group3", 3), ("group4", 4)])
def test_a_fax_without_its_last_line_is_damage(compression: tuple[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(40, 64)).convert("1").save(stream, "TIFF", compression=compression[0])
    with Image.open(stream) as image:
        at, size = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]
    strip = stream.getvalue()[at : at + size]
    layout = {256: longs("<", 64), 257: longs("<", 40), 258: shorts("<", 1), 259: shorts("<", compression[1])}
    layout |= {262: shorts("<", MIN_IS_BLACK), 278: longs("<", 40)}
    assert read(tiff_file(layout, [strip])).height == 40
    for less in (size // 2, 8):
        with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
            read(tiff_file(layout, [strip[: size - less]]))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["zstd", "lzma", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"])
def test_what_pillow_writes_is_read(compression: str, mode: str) -> None:
    source = Image.fromarray(smooth(40, 64))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(source, *profiles, outputMode="LAB")
        assert image is not None
    else:
        image = source.convert(mode)
    stream = io.BytesIO()
    image.save(stream, "TIFF", compression=compression)
    photo = read(stream.getvalue())
    expected = Photo.from_image(image)
    difference = np.abs(photo.pixels.astype(int) - expected.pixels.astype(int)).max()
    assert difference <= (1 if mode == "YCbCr" else 0)


def test_webp_strips_are_read() -> None:
    values = smooth(32, 40)
    strips = []
    for top in (0, 16):
        stream = io.BytesIO()
        Image.fromarray(values[top : top + 16]).save(stream, "WEBP", lossless=True)
        strips.append(stream.getvalue())
    layout = {256: longs("<", 40), 257: longs("<", 32), 258: shorts("<", 8, 8, 8), 259: longs("<", 50001)}
    layout |= {262: shorts("<", RGB), 277: shorts("<", 3), 278: longs("<", 16)}
    np.testing.assert_array_equal(read(tiff_file(layout, strips)).pixels, values)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({259: shorts("<", 34712)}, "compression JPEG 2000 is not supported; convert it, with ImageMagick"),
        ({259: shorts("<", 34887)}, "compression LERC is not supported"),
        ({259: shorts("<", 12345)}, "compression number 12345 is not supported"),
        ({259: shorts("<", 4)}, "8 bits in a compression for 1 is not supported"),
        ({262: shorts("<", 32845)}, "colours LogLuv is not supported; save it as grey or RGB"),
        ({262: shorts("<", 77)}, "colours of kind 77 is not supported"),
        ({258: shorts("<", 5, 6, 5)}, "5, 6 bits in one pixel's samples; save it with 8 or 16"),
        ({259: shorts("<", 8), 317: shorts("<", 3)}, "predictor 3 is not supported"),
    ],
)
def test_what_is_not_known_is_refused_by_name_and_not_as_damage(tags: dict[int, TiffEntry], words: str) -> None:
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read(tiff_of(noise(5, 5, 3), RGB, tags=tags))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("compression", [NONE, PACK_BITS, LZW, DEFLATE])
def test_a_strip_that_is_not_all_there_is_damage(compression: int, capfd: pytest.CaptureFixture[str]) -> None:
    whole = tiff_of(noise(32, 32), MIN_IS_BLACK, compression=compression, rows=8)
    cut = tiff_of(noise(32, 32), MIN_IS_BLACK, compression=compression, tags={257: longs("<", 64)}, rows=8)
    short = tiff_file({256: longs("<", 32), 257: longs("<", 32), 258: shorts("<", 8), 259: shorts("<", compression)}
                      | {262: shorts("<", 1), 278: longs("<", 32)}, [b"\x02abc"])  # fmt: skip
    assert read(whole).height == 32
    for data in (cut, short):
        with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
            read(data)
    assert capfd.readouterr().err == ""
