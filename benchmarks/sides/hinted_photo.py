"""A process that colours one photo with so many hints: MODEL PHOTO RESULT COUNT."""

import sys
from pathlib import Path

from img2img.inference.colorizer import Colorizer
from img2img.photo import read_photo
from img2img.photo.file import write_photo
from img2img.steering.hints import parse_hint
from img2img.steering.steering import Steering


def main() -> None:
    model, photo, result, count = sys.argv[1:]
    hints = [parse_hint(f"{5 + 9 * number}%,{95 - 9 * number}%=#8a2b2b") for number in range(int(count))]
    coloured = Colorizer(model).convert(read_photo(Path(photo)), steering=Steering(hints=hints))
    write_photo(coloured, Path(result))


if __name__ == "__main__":
    main()
