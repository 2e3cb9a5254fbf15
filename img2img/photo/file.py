"""From a file or stream to a Photo and back, whatever the format."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import UnreadablePhoto, UnwritablePhoto
from img2img.photo.avif import bits_of, with_coded_colors
from img2img.photo.bmp import bmp_profile
from img2img.photo.credentials import CREDENTIALS, has_credentials
from img2img.photo.decode import check_size
from img2img.photo.decoder_warnings import decoder_warnings_ignored
from img2img.photo.encode import encode
from img2img.photo.formats import (
    can_read_heif,
    format_of_suffix,
    gif_profile,
    gif_xmp,
    has_avif,
    is_lossless_webp,
    reader_of,
    sniff_format,
    written_format,
)
from img2img.photo.photo import Photo
from img2img.photo.raw import refuse_raw_start

DEFAULT_MAX_PIXELS = 1_000_000_000
_UNSUPPORTED = re.compile(r"unsupported|not (yet )?supported", re.IGNORECASE)  # what decoders say of a whole file


def read_photo(
    source: str | Path | BinaryIO,
    *,
    name: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    first_frame: bool = False,
) -> Photo:
    """The photo in a file or stream, upright, at full resolution and depth.

    Values keep their meaning: a colour photo its RGB profile; a grey profile, CMYK and Lab become sRGB.
    Raises UnreadablePhoto with the file's name (`name` where given), what is wrong and what to do.
    """
    source = Path(source) if isinstance(source, str) else source
    with _named(name or _name_of(source)), _opened(source) as stream:
        return _read(stream, max_pixels, first_frame)


def write_photo(
    photo: Photo, target: str | Path | BinaryIO, *, format: str | None = None, quality: int | None = None
) -> tuple[str, ...]:
    """The photo as a file that appears whole or not at all; back comes what that format cannot hold of it, in words.

    `format` is Pillow's name of one; by default it is what the target's suffix says, else the source's own.
    Raises UnwritablePhoto with the target's name, what is wrong and what to do.
    """
    target = Path(target) if isinstance(target, str) else target
    try:
        image_format = _target_format(photo, target, format)
        if isinstance(target, Path):
            with written_at_once(target) as stream:
                return encode(photo, image_format, quality, stream)
        whole = io.BytesIO()
        lost = encode(photo, image_format, quality, whole)
        target.write(whole.getbuffer())
    except UnwritablePhoto as error:
        raise UnwritablePhoto(f"{_name_of(target)}: {error}") from error
    except (OSError, ValueError, MemoryError) as error:
        raise UnwritablePhoto(f"{_name_of(target)}: {reason_for(error, 'written')}") from error
    return lost


def read_xmp(source: str | Path | BinaryIO, *, name: str | None = None) -> bytes | None:
    """The XMP packet of a photo's file, as it stands there; no pixel is decoded. Raises UnreadablePhoto."""
    from img2img.photo.stored_xmp import stored_xmp

    source = Path(source) if isinstance(source, str) else source
    with _named(name or _name_of(source)), _opened(source) as stream:
        return stored_xmp(stream, _format_in(stream))


def _format_in(stream: BinaryIO) -> str:
    """One that can be read here. Raises UnreadablePhoto."""
    start = stream.read(32)
    stream.seek(0)
    if not start:
        raise UnreadablePhoto("the file is empty; copy it again from where it came from")
    refuse_raw_start(start)
    image_format = sniff_format(start)
    if image_format is None:
        raise UnreadablePhoto("not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file")
    if image_format == "HEIF" and not can_read_heif():
        raise UnreadablePhoto("HEIC photos need one more package: pip install '.[heif]' in img2img's checkout")
    if image_format == "AVIF" and not has_avif():
        raise UnreadablePhoto("this Pillow reads no AVIF; pip install --force-reinstall pillow brings one that does")
    return image_format


def _read(stream: BinaryIO, max_pixels: int, first_frame: bool) -> Photo:
    image_format = _format_in(stream)
    if image_format == "PNG":
        from img2img.photo.png.reader import read_png

        return read_png(stream, max_pixels, first_frame)
    if image_format == "TIFF":
        from img2img.photo.tiff.reader import read_tiff

        return read_tiff(stream, max_pixels, first_frame)
    if image_format == "JPEG":
        from img2img.photo.jpeg_reader import read_jpeg

        return read_jpeg(stream, max_pixels)
    return _read_with_pillow(stream, image_format, max_pixels, first_frame)


def _read_with_pillow(stream: BinaryIO, image_format: str, max_pixels: int, first_frame: bool) -> Photo:
    with reader_of(image_format)(stream, "") as image:
        check_size(image.size, max_pixels)
        # The further pictures of a HEIC are extras of one photo.
        if image_format != "HEIF" and getattr(image, "is_animated", False) and not first_frame:
            raise UnreadablePhoto("an animation; --first-frame takes its first picture")
        image.info.update(_beside(stream, image_format))
        photo = Photo.from_image(image, turned=image_format == "HEIF")
        if has_credentials(stream, image_format):
            photo = replace(photo, lost=(*photo.lost, CREDENTIALS))
        comment = image.info.get("comment") if image_format == "GIF" else None
    if comment:
        from img2img.photo.png.text import comment_chunk

        return replace(photo, png=(comment_chunk(comment),))
    if image_format in ("AVIF", "HEIF") and photo.icc is None:
        photo = with_coded_colors(photo, stream)
    if image_format == "AVIF" and (bits := bits_of(stream)) > 8:
        return replace(photo, lost=(*photo.lost, f"{bits - 8} of its {bits} bits"))
    return replace(photo, lossless=is_lossless_webp(stream)) if image_format == "WEBP" else photo


def _beside(stream: BinaryIO, image_format: str) -> Mapping[str | tuple[int, int], bytes]:
    """What Pillow does not find in a file."""
    if image_format == "GIF":
        beside = {"icc_profile": gif_profile(stream), "xmp": gif_xmp(stream)}
    else:
        beside = {"icc_profile": bmp_profile(stream)} if image_format == "BMP" else {}
    return {key: value for key, value in beside.items() if value is not None}


def _target_format(photo: Photo, target: Path | BinaryIO, format: str | None) -> str:
    if format is not None:
        image_format = {"JPG": "JPEG", "TIF": "TIFF"}.get(format.upper(), format.upper())
        if image_format != written_format(image_format):
            raise UnwritablePhoto(f"{format} cannot be written; choose JPEG, PNG, WEBP, TIFF, AVIF or BMP")
        return image_format
    if isinstance(target, Path) and target.suffix:
        by_suffix = format_of_suffix(target.suffix)
        if by_suffix is None:
            raise UnwritablePhoto(f"{target.suffix} files cannot be written; use .jpg, .png, .webp, .avif or .tiff")
        return by_suffix
    return written_format(photo.format)


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A stream that can seek and starts at 0; a given one stays open."""
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    elif source.seekable() and source.tell() == 0:
        yield source
    else:
        yield io.BytesIO(source.read())


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Whatever goes wrong inside, as one UnreadablePhoto that starts with the photo's name; warnings, not at all."""
    try:
        with decoder_warnings_ignored():
            yield
    except UnreadablePhoto as error:
        raise UnreadablePhoto(f"{name}: {error}") from error
    except Image.DecompressionBombError as error:
        advice = "more pixels than Pillow takes in this format; save it as PNG or TIFF first"
        raise UnreadablePhoto(f"{name}: {advice}") from error
    except Exception as error:  # A decoder raises any kind at all for a damaged file.
        if _UNSUPPORTED.search(str(error)):
            advice = "convert it, with ImageMagick: magick IN OUT.png"
            raise UnreadablePhoto(f"{name}: of a kind that is not supported ({error}); {advice}") from error
        raise UnreadablePhoto(f"{name}: {reason_for(error, 'read')}") from error


def _name_of(file: Path | BinaryIO) -> str:
    name = file if isinstance(file, Path) else getattr(file, "name", None)
    return str(name) if isinstance(name, (str, Path)) else "the stream"
