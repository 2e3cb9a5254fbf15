"""Pictures and animations of 8-bit arrays as files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from img2img.atomic_file import reason_for, written_at_once
from img2img.errors import UnwritablePhoto
from img2img.inference.sampler import Pictures

ANIMATED = (".gif", ".webp")
STILL = (".png", ".webp")
FRAME_MS = 80


def write_picture(pixels: Pictures, target: Path) -> None:
    """(H, W, C) as a PNG or a lossless WebP; raises UnwritablePhoto."""
    _save([_image(pixels)], target)


def write_animation(frames: Sequence[Pictures], target: Path) -> None:
    """(H, W, C) each, as a GIF or a lossless WebP that loops for ever; raises UnwritablePhoto."""
    _save([_image(frame) for frame in frames], target)


def _image(pixels: Pictures) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _save(images: list[Image.Image], target: Path) -> None:
    kind = target.suffix[1:].upper()
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": FRAME_MS, "loop": 0}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_at_once(target) as stream:
            images[0].save(stream, kind, **options)
    except (OSError, ValueError) as error:
        raise UnwritablePhoto(f"{target}: {reason_for(error, 'written')}") from error
