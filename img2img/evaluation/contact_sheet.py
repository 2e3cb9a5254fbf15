"""A contact sheet: grey, coloured and true, side by side, of photos chosen by seed and not by taste."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from img2img.evaluation.evaluate import Colorize
from img2img.training.image_source import ImageSource

CELL = 120
GAP = 6
PER_ROW = 4


def contact_sheet(colorize: Colorize, source: ImageSource, path: Path, *, count: int, seed: int) -> None:
    """Write triples of `count` photos (fewer where there are fewer), in the order in which the seed drew them."""
    drawn = np.random.default_rng(seed).choice(len(source), min(count, len(source)), replace=False)
    triples = [list(_triple(colorize, Image.fromarray(source.rgb(int(index))))) for index in drawn]
    _tile(triples).save(path, quality=88)


def _triple(colorize: Colorize, truth: Image.Image) -> Iterator[Image.Image]:
    grey = truth.convert("L")
    for picture in (grey, colorize(grey), truth):
        yield ImageOps.fit(picture.convert("RGB"), (CELL, CELL))


def _tile(triples: Sequence[Sequence[Image.Image]]) -> Image.Image:
    rows = -(-len(triples) // PER_ROW)
    sheet = Image.new("RGB", (PER_ROW * (3 * CELL + GAP) - GAP, rows * (CELL + GAP) - GAP), "white")
    for place, triple in enumerate(triples):
        row, column = divmod(place, PER_ROW)
        for index, picture in enumerate(triple):
            sheet.paste(picture, (column * (3 * CELL + GAP) + index * CELL, row * (CELL + GAP)))
    return sheet
