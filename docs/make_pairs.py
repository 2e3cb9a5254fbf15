"""Pairs made of any photos, to try `img2img train pix2pix` with: edges and photos, or aged and clean greys.

    python docs/make_pairs.py edges PHOTOS -o pairs --limit 400
    python docs/make_pairs.py aged photos-train-0.tar -o restored --limit 400

Writes OUT/a and OUT/b, PNG files of the same names. PHOTOS is a folder or a .tar; of more photos than `--limit` so many
at equal steps. Each is its middle square. Edges are Canny's on the blurred luma, black on white; photographs age as
those do that `colorizer` learns from, every one of them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from img2img.data.framing import centre_square
from img2img.data.open_source import open_source
from img2img.evaluation.sets.pictures import looked_at
from img2img.recipes.ageing.aged import aged_split, drawn_strengths
from img2img.recipes.photo_lab import encoded_grey, split

Picture = NDArray[np.uint8]


def edges(photo: Picture, number: int) -> tuple[Picture, Picture]:
    """Black lines on white, and the photo."""
    luma = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    lines = 255 - cv2.Canny(luma, 60, 140)
    return np.repeat(lines[..., None], 3, axis=2).astype(np.uint8), photo


def aged(photo: Picture, number: int) -> tuple[Picture, Picture]:
    """The photo as an old grey one, and its grey."""
    image = torch.from_numpy(photo).movedim(-1, 0)[None].float() / 127.5 - 1
    keys = (torch.tensor([1000 * number + turn]) for turn in range(1000))
    key = next(one for one in keys if drawn_strengths(one).any())
    return tuple(_grey(one) for one in (aged_split(image, key)[0], split(image, key)[0]))  # type: ignore[return-value]


def _grey(lightness: torch.Tensor) -> Picture:
    grey = (encoded_grey(lightness)[0, 0].clamp(0, 1) * 255).round().numpy().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


KINDS: dict[str, Callable[[Picture, int], tuple[Picture, Picture]]] = {"edges": edges, "aged": aged}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("photos")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--size", type=int, default=144)
    asked = parser.parse_args()
    source = open_source([asked.photos])
    for side in "ab":
        (asked.out / side).mkdir(parents=True, exist_ok=True)
    for number, index in enumerate(looked_at(source, asked.limit)):
        pair = KINDS[asked.kind](centre_square(source.rgb(index), asked.size), number)
        for side, picture in zip("ab", pair, strict=True):
            Image.fromarray(picture).save(asked.out / side / f"{number:05}.png")


if __name__ == "__main__":
    main()
