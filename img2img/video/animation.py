"""Animated GIF, WebP and PNG converted: picture by picture, and written by Pillow with all that is no picture."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from img2img.atomic_file import reason_for, written_at_once
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.photo import Photo
from img2img.photo.fitting import fitted, names_of, with_provenance
from img2img.photo.formats import with_gif_xmp
from img2img.video.animation_file import AnimationFile
from img2img.video.film import FilmResult, FrameProgress
from img2img.video.steady import Steadier

_FRESH = 2  # GIF's disposal: each picture begins on an empty canvas
_WEBP_QUALITY = 90
_WEBP_FLAGS, _WEBP_ALPHA = 20, 0x10  # in the VP8X chunk, which comes first
_FORMATS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}


def convert_animation(source: Path, target: Path, converter: FilmConverter, progress: FrameProgress) -> FilmResult:
    """Converts an animation; all its pictures are in memory together, as Pillow writes them. Raises FilmError."""
    animation = AnimationFile(source)
    steadier, pictures, durations = Steadier(), list[Image.Image](), list[float]()
    first: Photo | None = None
    for shown in animation.pictures():
        converted = converter.convert(shown.photo, steadier)
        if first is None:  # its metadata
            pixels = converted.pixels[:1, :1]
            first = replace(converted, pixels=pixels, alpha=None, provenance=converter.provenance)
        pictures.append(_bare(converted))
        durations.append(shown.duration)
        progress(len(pictures), animation.count)
    assert first is not None
    fallback = animation.fallback()
    still = _bare(converter.convert(fallback, Steadier())) if fallback is not None else None
    lost = _write(pictures, durations, still, first, animation, target)
    return FilmResult(*pictures[0].size, frames=len(pictures), lost=tuple(dict.fromkeys((*first.lost, *lost))))


def _bare(photo: Photo) -> Image.Image:
    image = photo.to_image()
    image.info.clear()
    return image


def _write(
    pictures: list[Image.Image],
    durations: list[float],
    still: Image.Image | None,
    described: Photo,
    animation: AnimationFile,
    target: Path,
) -> tuple[str, ...]:
    """Writes the animation, and says what of it the format does not hold."""
    image_format = _FORMATS[target.suffix.lower()]
    first, *rest = pictures if still is None or image_format != "PNG" else [still, *pictures]
    options: dict[str, Any] = {"save_all": True, "append_images": rest, "duration": durations}
    lost = ("the picture for programs that show no animations",) if still is not None and image_format != "PNG" else ()
    try:
        with written_at_once(target) as stream:
            if image_format == "GIF":
                return (*lost, *_write_gif(first, options, described, animation, stream))
            if image_format == "WEBP":
                return (*lost, *_write_webp(first, options, described, animation, stream))
            options["default_image"] = still is not None
            return _write_png(first, options, described, animation, stream)
    except (OSError, ValueError) as error:
        raise FilmError(f"{target}: {reason_for(error, 'written')}") from error


def _write_gif(
    first: Image.Image, options: dict[str, Any], described: Photo, animation: AnimationFile, stream: BinaryIO
) -> tuple[str, ...]:
    if animation.plays != 1:  # GIF counts repetitions, 0 forever
        options["loop"] = max(animation.plays - 1, 0)
    if animation.comment is not None:
        options["comment"] = animation.comment
    pictures = [first, *options["append_images"]]
    options["disposal"] = _FRESH if any(each.mode == "RGBA" for each in pictures) else 0
    whole = BytesIO()
    first.save(whole, "GIF", **options)
    described, unsaid = with_provenance(described, "GIF")
    xmp = described.xmp if described.xmp and b"\0" not in described.xmp else None  # a zero would end it
    stream.write(with_gif_xmp(whole.getvalue(), xmp) if xmp else whole.getbuffer())
    named = {"colour profile": described.icc, "EXIF": described.exif, "XMP": None if xmp else described.xmp}
    return (*names_of(described.png), *(name for name, value in named.items() if value), *unsaid)


def _write_webp(
    first: Image.Image, options: dict[str, Any], described: Photo, animation: AnimationFile, stream: BinaryIO
) -> tuple[str, ...]:
    described, lost = fitted(described, "WEBP")
    kept = {"icc_profile": described.icc, "exif": described.exif, "xmp": described.xmp}
    options |= {key: value for key, value in kept.items() if value is not None}
    options |= {"loop": animation.plays, "lossless": animation.lossless, "quality": _WEBP_QUALITY}
    whole = BytesIO()
    first.save(whole, "WEBP", **options)
    content, has_alpha = whole.getbuffer(), any(each.mode == "RGBA" for each in (first, *options["append_images"]))
    if has_alpha and bytes(content[12:16]) == b"VP8X":
        # libwebp cuts a picture to what shows of it, and says that there is no alpha where all of that is opaque.
        content[_WEBP_FLAGS] |= _WEBP_ALPHA
    stream.write(content)
    return (*lost, "the comment") if animation.comment else lost


def _write_png(
    first: Image.Image, options: dict[str, Any], described: Photo, animation: AnimationFile, stream: BinaryIO
) -> tuple[str, ...]:
    from img2img.photo.png.chunks import packed_chunk
    from img2img.photo.png.text import comment_chunk
    from img2img.photo.png.writer import metadata_chunks, save_with

    described, lost = fitted(described, "PNG")
    has_alpha = any(each.mode == "RGBA" for each in (first, *options["append_images"]))
    alpha = described.pixels[..., 0] if has_alpha else None  # the chunks follow the layout, whatever the pixels
    described = replace(described, pixels=described.pixels, space="RGB", alpha=alpha)
    chunks = metadata_chunks(described) + ([comment_chunk(animation.comment)] if animation.comment else [])
    packed = b"".join(packed_chunk(kind, data) for kind, data in chunks)
    save_with(first, stream, packed, loop=animation.plays, **options)
    return lost
