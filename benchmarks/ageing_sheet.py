"""The picture of benchmarks/ageing.py: one photo in every kind of ageing at both ends of its range, and as drawn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from img2img.randomness import derive_seed
from img2img.recipes.ageing.aged import KINDS, aged_split, drawn_strengths, same_strengths
from img2img.recipes.photo_lab import as_rgb

SIDE, GAP, LABEL, PAIRS = 128, 4, 18, 4


def draw_sheet(image: Tensor, path: Path) -> None:
    """Of a photo (1, 3, 128, 128) in [-1, 1]; below the kinds a line of what training sees of it when it is aged."""
    clean = same_strengths({}, 1)
    pairs = [("the photo, clean", [image, grey(image, clean, "clean")])]
    for name, kind in KINDS.items():
        ends = [grey(image, same_strengths({name: strength}, 1), name) for strength in kind.strengths]
        pairs.append((f"{name}, {kind.strengths[0]:g} and {kind.strengths[1]:g}", ends))
    mixtures = [grey(image, drawn_strengths(key_of(word)), word) for word in aged_words(2 * PAIRS)]
    pairs += [("as drawn", mixtures[place : place + 2]) for place in range(0, len(mixtures), 2)]
    laid_out(pairs).save(path, quality=76)


def grey(image: Tensor, strengths: Tensor, word: str) -> Tensor:
    lightness, ab = aged_split(image, key_of(word), strengths)
    return as_rgb(lightness, torch.zeros_like(ab))


def key_of(word: str) -> Tensor:
    return torch.tensor([derive_seed(0, word)])


def aged_words(count: int) -> list[str]:
    """The first so many words whose keys leave no photo clean."""
    words = (f"sample {number}" for number in range(100 * count))
    return [word for word in words if drawn_strengths(key_of(word)).any()][:count]


def laid_out(pairs: Sequence[tuple[str, Sequence[Tensor]]]) -> Image.Image:
    width, height = 2 * SIDE + GAP, SIDE + LABEL
    lines = -(-len(pairs) // PAIRS)
    sheet = Image.new("RGB", (PAIRS * (width + GAP) - GAP, lines * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for place, (label, pictures) in enumerate(pairs):
        left, top = place % PAIRS * (width + GAP), place // PAIRS * height
        draw.text((left, top + 1), label, "black", font)
        for column, picture in enumerate(pictures):
            sheet.paste(as_image(picture), (left + column * SIDE, top + LABEL))
    return sheet


def as_image(picture: Tensor) -> Image.Image:
    """Of (1, 3, H, W) in [-1, 1]."""
    pixels = ((picture[0] + 1) * 127.5).round().clamp(0, 255).byte()
    return Image.fromarray(np.ascontiguousarray(pixels.movedim(0, -1).numpy()))
