"""Pictures and animations of 8-bit arrays as files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import UnwritablePhoto
from img2img.inference.sampler import Pictures
from img2img.photo.formats import with_gif_xmp
from img2img.photo.metadata.provenance import Provenance
from img2img.photo.png.chunks import packed_chunk
from img2img.photo.png.text import xmp_chunk
from img2img.photo.png.writer import save_with

ANIMATED = (".gif", ".webp")
STILL = (".png", ".webp")
FRAME_MS = 80


def write_picture(pixels: Pictures, target: Path, provenance: Provenance | None = None) -> None:
    """(H, W, C) as a PNG or a lossless WebP that says how it was made; raises UnwritablePhoto."""
    _save([_image(pixels)], target, provenance)


def write_animation(frames: Sequence[Pictures], target: Path, provenance: Provenance | None = None) -> None:
    """(H, W, C) each, as a GIF or a lossless WebP that loops forever; raises UnwritablePhoto."""
    _save([_image(frame) for frame in frames], target, provenance)


def _image(pixels: Pictures) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _save(images: list[Image.Image], target: Path, provenance: Provenance | None) -> None:
    kind = target.suffix[1:].upper()
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    xmp = provenance.packet if provenance else None
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": FRAME_MS, "loop": 0}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_at_once(target) as stream:
            _encode(images[0], kind, options, xmp, stream)
    except (OSError, ValueError) as error:
        raise UnwritablePhoto(f"{target}: {reason_for(error, 'written')}") from error


def _encode(first: Image.Image, kind: str, options: dict[str, Any], xmp: bytes | None, stream: BinaryIO) -> None:
    if xmp is None:
        first.save(stream, kind, **options)
    elif kind == "PNG":
        save_with(first, stream, packed_chunk(*xmp_chunk(xmp)), **options)
    elif kind == "GIF":
        whole = BytesIO()
        first.save(whole, kind, **options)
        stream.write(with_gif_xmp(whole.getvalue(), xmp))
    else:
        first.save(stream, kind, xmp=xmp, **options)
