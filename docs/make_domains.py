"""Two kinds of pictures, without pairs, made of any photos, to try `img2img train cyclegan` with.

    python docs/make_domains.py dusk LANDSCAPES -o dusk
    python docs/make_domains.py drawing PHOTOS -o drawings --limit 800

Writes OUT/trainA and OUT/trainB, PNG files, of different photos each. PHOTOS is a folder or a .tar. `dusk`: the third
of the photos that is brightest, and the third that is darkest. `drawing`: half of the photos, and the others as drawn
with a pencil, by a filter (grey divided by what is left of white by its blurred negative).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.data.open_source import open_source
from img2img.evaluation.sets.pictures import looked_at

Picture = NDArray[np.uint8]
SOFTNESS = 4.0
"""Of a drawing's shades: the standard deviation of the blur, in pixels."""


def dusk(photos: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    by_brightness = sorted(photos, key=lambda photo: float(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).mean()))
    third = len(photos) // 3
    return by_brightness[-third:], by_brightness[:third]


def drawing(photos: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    return photos[::2], [_drawn(photo) for photo in photos[1::2]]


def _drawn(photo: Picture) -> Picture:
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    left = 256 - cv2.GaussianBlur(255 - grey, (0, 0), SOFTNESS).astype(np.float32)
    lines = np.clip(grey.astype(np.float32) * 256 / left, 0, 255).astype(np.uint8)
    return np.repeat(lines[..., None], 3, axis=2)


KINDS = {"dusk": dusk, "drawing": drawing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("photos")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=2400)
    asked = parser.parse_args()
    source = open_source([asked.photos])
    domains = KINDS[asked.kind]([source.rgb(index) for index in looked_at(source, asked.limit)])
    for name, pictures in zip(("trainA", "trainB"), domains, strict=True):
        (asked.out / name).mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).save(asked.out / name / f"{number:05}.png")


if __name__ == "__main__":
    main()
