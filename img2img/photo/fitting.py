"""What of a photo a format has room for: the rest is made to fit, or named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from img2img.photo.metadata.exif import fitted_exif
from img2img.photo.metadata.marked_xmp import marked_xmp
from img2img.photo.photo import Photo, PngChunks

JPEG_SEGMENT_BYTES = 65533
PNG_PROFILE_BYTES = 1_000_000  # of more, Pillow and all that builds on it refuse the file
JPEG_XMP_BYTES = JPEG_SEGMENT_BYTES - 29  # less the segment's name
_TONES = (b"sRGB", b"gAMA", b"cHRM")
_SCREEN_DPI = (72.0, 96.0)  # what programs write that do not know


def fitted(photo: Photo, image_format: str) -> tuple[Photo, tuple[str, ...]]:
    """The photo as that format holds it, and what is lost of it, in words for "without ...".

    Its provenance is in its XMP then.
    """
    photo, lost = _fitted(photo, image_format)
    photo, unsaid = with_provenance(photo, image_format)
    return photo, (*lost, *unsaid)


def with_provenance(photo: Photo, image_format: str) -> tuple[Photo, tuple[str, ...]]:
    """The photo with an XMP that says how it was made. Where it cannot, it stays, and that is lost, in words."""
    if photo.provenance is None:
        return photo, ()
    if image_format == "BMP":
        return photo, ("provenance (a BMP holds none)",)
    try:
        xmp = marked_xmp(photo.xmp, photo.provenance)
    except ValueError as error:
        return photo, (f"provenance ({error})",)
    if image_format == "JPEG" and len(xmp) > JPEG_XMP_BYTES:
        return photo, ("provenance (no room beside the other XMP)",)
    return replace(photo, xmp=xmp, provenance=None), ()


def _fitted(photo: Photo, image_format: str) -> tuple[Photo, tuple[str, ...]]:
    if image_format == "PNG":
        lost = _without_captions(photo)
        if len(photo.icc or b"") > PNG_PROFILE_BYTES:
            return replace(photo, icc=None), (*lost, "colour profile (iCCP) of more than 1 MB")
        return photo, lost
    photo, lost = _without_chunks(photo)
    if image_format != "TIFF" and photo.pixels.itemsize == 2:
        lost += ("8 of its 16 bits",)
    lost += _without_captions(photo) if image_format != "JPEG" else ()
    if image_format == "JPEG":
        photo, more = _in_segments(photo)
        lost += more
    if image_format == "BMP":
        icc = photo.icc if photo.space == "L" and photo.alpha is None else None
        named = {"colour profile": icc, "EXIF": photo.exif, "XMP": photo.xmp}
        lost += tuple(name for name, value in named.items() if value)
    if image_format in ("WEBP", "AVIF", "TIFF", "BMP") and photo.jpeg is not None and photo.jpeg.comment:
        lost += ("the comment",)
    unsaid = image_format in ("WEBP", "AVIF") and not photo.exif
    if unsaid and photo.dpi is not None and not set(photo.dpi) <= set(_SCREEN_DPI):
        lost += ("resolution",)
    return photo, lost


def _without_chunks(photo: Photo) -> tuple[Photo, tuple[str, ...]]:
    """PNG's own words: colours become a profile where the photo has none."""
    if not photo.png:
        return photo, ()
    from img2img.photo.png.color import profile_of

    made = profile_of(photo.png, grey=photo.space == "L")
    by_code = any(kind == b"cICP" for kind, _ in photo.png)
    icc = made if made is not None and (by_code or photo.icc is None) else photo.icc
    said = (b"cICP", *_TONES) if made is not None else _TONES if icc is not None else ()
    kept = tuple((kind, data) for kind, data in photo.png if kind not in said)
    return replace(photo, icc=icc, png=()), names_of(kept)


def names_of(chunks: PngChunks) -> tuple[str, ...]:
    """Of a PNG's chunks, in words."""
    from img2img.photo.png.parts import NAMES

    return tuple(dict.fromkeys(f"{NAMES.get(kind, 'the chunk')} ({kind.decode()})" for kind, _ in chunks))


def _without_captions(photo: Photo) -> tuple[str, ...]:
    return ("IPTC captions",) if photo.jpeg is not None and photo.jpeg.iptc else ()


def _in_segments(photo: Photo) -> tuple[Photo, tuple[str, ...]]:
    """Of a JPEG, of 64 KB each."""
    lost: tuple[str, ...] = ()
    if len(photo.xmp or b"") > JPEG_XMP_BYTES:
        photo, lost = replace(photo, xmp=None), ("XMP of more than 64 KB",)
    exif = fitted_exif(photo.exif, JPEG_SEGMENT_BYTES)
    if exif != photo.exif:
        photo, lost = replace(photo, exif=exif), (*lost, "all EXIF of more than 64 KB")
    if photo.alpha is not None and int(photo.alpha.min()) < np.iinfo(photo.alpha.dtype).max:
        lost = (*lost, "transparency")
    return photo, lost
