"""Animated GIF, WebP and PNG: read and written by Pillow, which knows how their pictures build on one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile

from img2img.atomic_file import reason_for, written_at_once
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.photo import Photo
from img2img.photo.formats import is_lossless_webp, reader_of, sniff_format
from img2img.video.film import FilmResult, FrameProgress
from img2img.video.steady import Steadier

_OPAQUE = 255
_FRESH = 2  # GIF's disposal: each picture begins on an empty canvas
_WEBP_QUALITY = 90


@dataclass(frozen=True)
class _Timing:
    """Of an animation: milliseconds of each picture, and what else its file says of all."""

    durations: list[float]
    loop: int | None
    lossless: bool


def convert_animation(source: Path, target: Path, converter: FilmConverter, progress: FrameProgress) -> FilmResult:
    """Converts an animation; all its pictures are in memory together, as Pillow writes them. Raises FilmError."""
    with _reading(source):
        timing = _timing(source)
    steadier, converted = Steadier(), list[Image.Image]()
    for photo in _photos(source, len(timing.durations)):
        converted.append(converter.convert(photo, steadier).to_image())
        progress(len(converted), len(timing.durations))
    _write(converted, timing, target)
    return FilmResult(*converted[0].size, frames=len(converted))


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a decoder raises any kind at all for a damaged file
        raise FilmError(f"{source}: {reason_for(error, 'read')}") from error


def _photos(source: Path, count: int) -> Iterator[Photo]:
    """Each picture whole, with what it leaves of the ones before."""
    with source.open("rb") as stream, _opened(stream) as animation:
        for number in range(count):
            with _reading(source):
                animation.seek(number)
                picture = animation.convert("RGBA")
                opaque = picture.getchannel("A").getextrema() == (_OPAQUE, _OPAQUE)
                photo = Photo.from_image(picture.convert("RGB") if opaque else picture)
            yield photo


def _opened(stream: BinaryIO) -> ImageFile.ImageFile:
    stream.seek(0)
    image_format = sniff_format(stream.read(32))
    stream.seek(0)
    if image_format is None:
        raise ValueError("not an animation")
    return reader_of(image_format)(stream, "")


def _timing(source: Path) -> _Timing:
    durations = []
    with source.open("rb") as stream, _opened(stream) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            animation.load()  # WebP knows a picture's time when it is decoded
            durations.append(float(animation.info.get("duration", 0)))
        lossless = animation.format == "WEBP" and is_lossless_webp(stream)
        return _Timing(durations, animation.info.get("loop"), lossless)


def _write(pictures: list[Image.Image], timing: _Timing, target: Path) -> None:
    first, *rest = pictures
    suffix = target.suffix.lower()
    options: dict[str, Any] = {} if timing.loop is None else {"loop": timing.loop}
    if suffix == ".gif":
        options["disposal"] = _FRESH if any(each.mode == "RGBA" for each in pictures) else 0
    elif suffix == ".webp":
        options |= {"lossless": timing.lossless, "quality": _WEBP_QUALITY}
    try:
        with written_at_once(target) as stream:
            image_format = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}[suffix]
            first.save(stream, image_format, save_all=True, append_images=rest, duration=timing.durations, **options)
    except OSError as error:
        raise FilmError(f"{target}: {reason_for(error, 'written')}") from error
