"""data/decoding.py: what the check of the data passes, training reads, and the reverse."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from img2img.data.check.look import look
from img2img.data.decoding import decoded_image
from img2img.data.image_source import FolderSource
from img2img.data.listing import list_images
from img2img.errors import DataError

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
RGB = np.dstack([GREY, GREY[::-1], GREY.T])


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_with(kind: bytes, content: bytes, *, crc: int = 0) -> bytes:
    """With one more chunk before the pixels, whose checksum is off by `crc`."""
    whole = saved(Image.fromarray(RGB), "PNG")
    extra = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) ^ crc)
    return whole[:33] + extra + whole[33:]


READ: dict[str, bytes] = {
    "plain.png": saved(Image.fromarray(RGB), "PNG"),
    "grey.jpg": saved(Image.fromarray(GREY), "JPEG"),
    "cmyk.jpg": saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "16bit.png": saved(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG"),
    "16bit.tif": saved(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"),
    "lab.tif": saved(Image.fromarray(RGB, "LAB"), "TIFF"),
    "alpha.webp": saved(Image.fromarray(RGB).convert("RGBA"), "WEBP", lossless=True),
    "long text.png": png_with(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 1_200_000)),
    "damaged text.png": png_with(b"tEXt", b"Comment\0x", crc=1),
    "damaged profile.png": png_with(b"iCCP", b"no profile"),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "float.tif": (saved(Image.fromarray(GREY / np.float32(255)), "TIFF"), "its samples are floating point"),
    "32bit.tif": (saved(Image.fromarray(GREY.astype(np.int32)), "TIFF"), "its samples are signed integers"),
    "empty.png": (b"", "empty"),
    "letter.jpg": (b"a letter", "not an image inside"),
    "cut.jpg": (saved(Image.fromarray(RGB), "JPEG")[:-100], "damaged or incomplete"),
    "cut.png": (saved(Image.fromarray(RGB), "PNG")[:-30], "damaged or incomplete"),
}


@pytest.mark.parametrize("name", [*READ, *REFUSED])
def test_check_and_training_say_the_same(name: str, tmp_path: Path) -> None:
    content, reason = REFUSED.get(name, (READ.get(name, b""), ""))
    (tmp_path / name).write_bytes(content)
    (image,) = list_images([tmp_path]).images
    looked, source = look(image), FolderSource(tmp_path)
    if reason:
        assert looked.error.startswith(reason)
        with pytest.raises(DataError, match=rf"{name}: not a readable image \({reason}.*remove it"):
            source.rgb(0)
    else:
        assert looked.content
        assert looked.content.size == source.rgb(0).shape[1::-1] == (16, 16)


@pytest.mark.parametrize(
    "name", ["plain.png", "long text.png", "damaged text.png", "damaged profile.png", "alpha.webp"]
)
def test_what_is_beside_the_pixels_changes_none(name: str) -> None:
    assert (decoded_image(READ[name]).rgb == RGB).all()


def test_16_bits_keep_their_upper_half() -> None:
    for name in ("16bit.png", "16bit.tif"):
        assert (decoded_image(READ[name]).rgb == GREY[..., None]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pixels_are_upright_as_opencv_turns_them(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    text = PngInfo()
    text.add_text("Comment", "left out")
    content = saved(Image.fromarray(RGB[:8]), kind, exif=exif, lossless=True, pnginfo=text, quality=95)
    decoded = decoded_image(content).rgb
    assert decoded.shape == (16, 8, 3)
    if kind != "JPEG":
        assert (decoded == np.rot90(RGB[:8], -1)).all()
    else:
        opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert np.abs(decoded.astype(int) - opencv).max() <= 1


def test_decoders_agree_on_a_photo(draw_photo: Callable[..., Path], tmp_path: Path) -> None:
    content = draw_photo(tmp_path / "photo.jpg", mode="RGB").read_bytes()
    opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(decoded_image(content).rgb.astype(int) - opencv).max() <= 1
