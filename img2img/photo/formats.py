"""The file formats of photos: what is read, what is written, and the suffixes of both."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile

# Pillow's readers by format. Only these, JPEG's and HEIF's are ever used.
_READERS = {
    "PNG": "PngImagePlugin",
    "TIFF": "TiffImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "BMP": "BmpImagePlugin",
    "AVIF": "AvifImagePlugin",
}
_SUFFIX_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".avif": "AVIF",
}
_CHOICES = {"jpg": ".jpg", "png": ".png", "webp": ".webp", "tiff": ".tiff", "avif": ".avif"}
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

OUTPUT_SUFFIXES = frozenset(_SUFFIX_FORMATS)
PHOTO_SUFFIXES = OUTPUT_SUFFIXES | {".gif", ".mpo", ".heic", ".heif", ".hif"}


def format_of_suffix(suffix: str) -> str | None:
    """The format that a target's suffix asks for; None when it cannot be written."""
    return _SUFFIX_FORMATS.get(suffix.lower())


def written_format(source_format: str) -> str:
    """What a photo of that format is written as when nobody says otherwise."""
    if source_format in _SUFFIX_FORMATS.values():
        return source_format
    return "JPEG" if source_format == "HEIF" else "PNG"


def output_suffix(source: Path, choice: str = "same") -> str:
    """The suffix of the result for a source; `choice` is "same", "jpg", "png", "webp", "tiff" or "avif".

    "same" keeps the suffix as it is spelled where it can be written; .mpo and .heic give .jpg, .gif .png.
    """
    if choice != "same":
        return _CHOICES[choice]
    suffix = source.suffix.lower()
    if suffix in OUTPUT_SUFFIXES:
        return source.suffix
    return ".jpg" if suffix in (".mpo", ".heic", ".heif", ".hif") else ".png"


def sniff_format(start: bytes) -> str | None:
    """The format of a file that starts with these (32, or all) bytes; None when it is none of ours."""
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if start.startswith(b"BM"):
        return "BMP"
    return _sniff_iso(start[8:12], start[16:32]) if start[4:8] == b"ftyp" else None


def _sniff_iso(brand: bytes, compatible: bytes) -> str | None:
    """HEIC and AVIF are one kind of file with two kinds of pictures; a general brand leaves that to the others."""
    brands = {compatible[at : at + 4] for at in range(0, len(compatible), 4)}
    if brand in _AVIF_BRANDS or (brand in (b"mif1", b"msf1", b"miaf") and brands & set(_AVIF_BRANDS)):
        return "AVIF"
    return "HEIF" if brand in _HEIF_BRANDS else None


def is_lossless_webp(stream: BinaryIO) -> bool:
    """Whether the (first) picture of a WebP file is in a VP8L chunk."""
    at = 12
    while len(chunk := _chunk_header(stream, at)) == 8:
        if chunk[:4] in (b"VP8L", b"VP8 "):
            return chunk[:4] == b"VP8L"
        size = int.from_bytes(chunk[4:], "little")
        at += 8 + (16 if chunk[:4] == b"ANMF" else size + size % 2)
    return False


def gif_xmp(stream: BinaryIO) -> bytes | None:
    """The packet in a GIF's application extension, in one piece; the bytes behind it end it for readers of blocks."""
    stream.seek(0)
    _, found, rest = stream.read().partition(b"\x21\xff\x0bXMP DataXMP")
    packet, ends, _ = rest.partition(b"\x01\xff\xfe\xfd")
    return packet if found and ends and packet else None


def with_gif_xmp(content: bytes, xmp: bytes) -> bytes:
    """The bytes of a GIF with a packet before their end, and the bytes behind it that XMP part 3 (1.1.2) asks for."""
    assert content.endswith(b";")
    return content[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp + b"\x01" + bytes(range(255, -1, -1)) + b"\0;"


def gif_profile(stream: BinaryIO) -> bytes | None:
    """The ICC profile in a GIF's application extension, in blocks of up to 255 bytes with their lengths before them."""
    stream.seek(0)
    _, found, rest = stream.read().partition(b"\x21\xff\x0bICCRGBG1012")
    profile, at = b"", 0
    while found and at < len(rest) and rest[at]:
        profile += rest[at + 1 : at + 1 + rest[at]]
        at += 1 + rest[at]
    return profile or None


def _chunk_header(stream: BinaryIO, at: int) -> bytes:
    stream.seek(at)
    return stream.read(8)


def has_avif() -> bool:
    """Whether this Pillow was built with it, as those from PyPI are."""
    from PIL import features

    return bool(features.check("avif"))


def can_read_heif() -> bool:
    return find_spec("pillow_heif") is not None


def reader_of(image_format: str) -> Callable[[BinaryIO, str], ImageFile.ImageFile]:
    """What opens a stream of the format, lazily, as Pillow does; the second argument is a file name, here "".

    Called directly instead of Image.open: that warns at 89 and refuses at 179 megapixels by one number for
    the whole process, not ours to change. The caller checks the size against its own limit before decoding.
    """
    if image_format == "HEIF":
        from pillow_heif import HeifImageFile

        return HeifImageFile
    if image_format == "JPEG":
        from img2img.photo.jpeg.file import QuietJpegFile

        return QuietJpegFile
    __import__(f"PIL.{_READERS[image_format]}")
    return Image.OPEN[image_format][0]
