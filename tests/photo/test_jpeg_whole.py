"""photo/jpeg_reader.py: a JPEG is whole or refused; what libjpeg does not know is refused by name."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, features

from img2img.errors import UnreadablePhoto
from img2img.photo import read_photo
from img2img.photo.jpeg.file import QuietJpegFile

EOI = b"\xff\xd9"


def picture(height: int = 48, width: int = 64, *, flat_corner: bool = False) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    values = np.stack([rows * 4, columns * 3, 255 - rows - columns], axis=-1).clip(0, 255).astype(np.uint8)
    if flat_corner:
        values[-16:, -16:] = 90
    return values


def jpeg_of(values: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", **options)
    return stream.getvalue()


def read(data: bytes) -> np.ndarray:
    return read_photo(io.BytesIO(data), name="old.jpg").pixels


KINDS = {
    "4:2:0": {},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
}
kinds = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS.keys())


@kinds
@pytest.mark.parametrize("flat_corner", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("end", [b"", b"\xff", bytes(500), EOI, EOI + bytes(500), EOI + b"garbage" * 9])
def test_a_picture_that_lacks_no_more_than_its_end_marker_is_read(
    options: dict[str, object], flat_corner: bool, mode: str, end: bytes
) -> None:
    image = Image.fromarray(picture(flat_corner=flat_corner)).convert(mode)
    whole = jpeg_of(np.asarray(image), **options)
    with Image.open(io.BytesIO(whole)) as opened:
        expected = np.asarray(opened)
    np.testing.assert_array_equal(read(whole.removesuffix(EOI) + end), expected)


@kinds
@pytest.mark.parametrize("end", [b"", bytes(500), EOI, EOI + bytes(500), bytes(500) + EOI])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_half_a_picture_is_refused_whatever_is_put_behind_it(
    options: dict[str, object], end: bytes, share: float
) -> None:
    if "progressive" in options and share > 0.5 and end.startswith(EOI):
        pytest.skip("only its last, finest scan is cut, before an end marker: that is not seen")
    whole = jpeg_of(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), **options)
    cut = whole[: int(len(whole) * share)]
    with pytest.raises(UnreadablePhoto, match=r"old\.jpg: damaged or incomplete"):
        read(cut + end)


@kinds
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("size", [(30, 20), (64, 64), (200, 120)])
@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 100, 50)])
def test_a_picture_of_one_color_whose_code_ends_in_zeros_is_whole(
    options: dict[str, object], optimize: bool, size: tuple[int, int], color: tuple[int, int, int]
) -> None:
    for mode in ("RGB", "L"):
        flat = np.asarray(Image.new("RGB", size, color).convert(mode))
        whole = jpeg_of(flat, **{"quality": 50, "optimize": optimize, **options})
        for data in (whole, whole.removesuffix(EOI)):
            assert read(data).shape == flat.shape


@pytest.mark.parametrize("optimize", [False, True])
def test_a_picture_whose_lower_half_is_black_is_whole(optimize: bool) -> None:
    half = picture().copy()
    half[len(half) // 2 :] = 0
    whole = jpeg_of(half, quality=50, optimize=optimize)
    assert read(whole).shape == half.shape


def test_a_picture_without_its_last_restart_interval_is_refused() -> None:
    whole = jpeg_of(picture(), restart_marker_blocks=2)
    cut = whole[: max(whole.rfind(bytes([0xFF, 0xD0 + i])) for i in range(8))]
    for end in (b"", EOI, bytes(100)):
        with pytest.raises(UnreadablePhoto, match="it ends inside the picture"):
            read(cut + end)


def test_a_progressive_picture_without_its_last_scans_is_refused() -> None:
    whole = jpeg_of(picture(), progressive=True)
    with pytest.raises(UnreadablePhoto, match="it ends inside the picture"):
        read(whole[: whole.rfind(b"\xff\xda")])


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def lossless_jpeg(values: np.ndarray) -> bytes:
    """A grey one, coded as T.81, H: each pixel less its left neighbour, in codes of 4 bits for the length."""
    run = ""
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            left = values[row, column - 1] if column else values[row - 1, 0] if row else 128
            change = int(values[row, column]) - int(left)
            length = abs(change).bit_length()
            run += f"{length:04b}"
            run += f"{change if change > 0 else change + (1 << length) - 1:0{length}b}" if length else ""
    run += "1" * (-len(run) % 8)
    data = int(run, 2).to_bytes(len(run) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = struct.pack(">BHHB", 8, *values.shape, 1) + b"\1\x11\0"
    table = b"\0" + bytes([0, 0, 0, 15] + [0] * 12) + bytes(range(15))
    return b"\xff\xd8" + segment(0xC3, frame) + segment(0xC4, table) + segment(0xDA, b"\1\1\0\1\0\0") + data + EOI


def test_a_lossless_jpeg_is_read_where_libjpeg_can_and_else_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    values = picture()[..., 0]
    if features.check_feature("libjpeg_turbo") and (features.version("libjpeg_turbo") or "") >= "3":
        np.testing.assert_array_equal(read(lossless_jpeg(values)), values)
    monkeypatch.setattr(QuietJpegFile, "load", without_the_process)
    with pytest.raises(UnreadablePhoto, match="lossless JPEG is not supported here; convert it: djpeg"):
        read(lossless_jpeg(values))


def test_an_arithmetic_coded_jpeg_is_refused_by_name_where_libjpeg_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuietJpegFile, "load", without_the_process)
    with pytest.raises(UnreadablePhoto, match="arithmetic-coded JPEG is not supported here; recode it: jpegtran"):
        read(with_frame(0xC9))


def without_the_process(image: QuietJpegFile) -> None:
    raise OSError("broken data stream when reading image file")


def with_frame(marker: int = 0xC0, bits: int = 8, height: int = 48, components: int = 3) -> bytes:
    """A JPEG whose frame header says so."""
    whole = jpeg_of(picture())
    at = whole.index(b"\xff\xc0")
    length = struct.unpack_from(">H", whole, at + 2)[0]
    frame = struct.pack(">BHHB", bits, height, 64, components) + b"".join(
        bytes([i + 1, 0x11, 0]) for i in range(components)
    )
    return whole[:at] + segment(marker, frame) + whole[at + 2 + length :]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (with_frame(0xC1, bits=12), "JPEG of 12 bits is not supported; convert it, with ImageMagick: magick IN.jpg"),
        (with_frame(0xC3, bits=14), "JPEG of 14 bits is not supported"),
        (with_frame(0xC5), "hierarchical JPEG is not supported; save it as baseline JPEG or PNG"),
        (with_frame(0xCE), "hierarchical JPEG is not supported"),
        (with_frame(components=2), "JPEG of 2 channels is not supported"),
        (with_frame(components=5), "JPEG of 5 channels is not supported"),
        (with_frame(height=0), "JPEG whose height stands behind the picture is not supported"),
    ],
)
def test_what_libjpeg_does_not_decode_is_refused_by_name_and_not_as_damage(data: bytes, words: str) -> None:
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read(data)
    assert "damaged" not in str(caught.value)


def test_the_pixel_limit_is_asked_before_anything_is_decoded() -> None:
    with pytest.raises(UnreadablePhoto, match="64 x 65000 pixels are 4 megapixels"):
        read_photo(io.BytesIO(with_frame(height=65000)), max_pixels=1_000_000)
