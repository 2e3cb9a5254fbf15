"""A contact sheet: what goes into a model and what comes out, side by side, chosen by seed and not by taste."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from img2img.atomic_file import reason_for, written_at_once
from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source
from img2img.errors import UnwritablePhoto
from img2img.evaluation.pairs.pair_figures import paired_sources
from img2img.evaluation.request import EvaluationRequest
from img2img.evaluation.sets.pictures import Change, at_size, measured_part
from img2img.inference.colorizer import Colorizer
from img2img.inference.translator import Translator
from img2img.photo.metadata.drawn_by import drawing_exif

Row = Callable[[Image.Image], Sequence[Image.Image]]
"""What is shown of one photo, from left to right; always as many pictures."""

GAP = 6


def draw_sheet(request: EvaluationRequest, sheet: Path, *, count: int) -> None:
    """Write a contact sheet of photos as the model that was measured colours or translates them."""
    assert request.model
    if request.subject() == "pairs":
        _draw_pairs(request, sheet, count)
        return
    source = measured_part(open_source(request.data), request.held_out or 0)
    if request.subject() == "colorize":
        contact_sheet(grey_coloured_true(Colorizer(request.model)), source, sheet, count=count, seed=request.seed)
        return
    there = Translator(request.model)
    row = in_out_back(
        at_size(there, request.size), at_size(there.reverse(), request.size) if there.card.reverse else None
    )
    # larger than a colorizer's, since stripes are finer than colours
    contact_sheet(row, source, sheet, count=count, seed=request.seed, cell=192, per_line=2)


def _draw_pairs(request: EvaluationRequest, sheet: Path, count: int) -> None:
    """Each input, what was made of it, and its target."""
    assert request.model
    inputs, targets = paired_sources(request)
    translate = at_size(Translator(request.model), request.size)
    rows = []
    for index in _chosen(inputs, count, request.seed):
        given, target = (Image.fromarray(side.rgb(index)) for side in (inputs, targets))
        rows.append([given, translate(given), target])
    _write(rows, sheet, cell=192, per_line=2)


def contact_sheet(
    row: Row, source: ImageSource, path: Path, *, count: int, seed: int, cell: int = 120, per_line: int = 4
) -> None:
    """Write the rows of `count` photos (fewer where there are fewer), in the order in which the seed drew them.

    Pictures are cut to squares of `cell` pixels; `per_line` rows stand beside each other. Raises UnwritablePhoto.
    """
    photos = (Image.fromarray(source.rgb(index)) for index in _chosen(source, count, seed))
    _write([row(photo) for photo in photos], path, cell=cell, per_line=per_line)


def _chosen(source: ImageSource, count: int, seed: int) -> list[int]:
    drawn = np.random.default_rng(seed).choice(len(source), min(count, len(source)), replace=False)
    return [int(index) for index in drawn]


def _write(pictures: Sequence[Sequence[Image.Image]], path: Path, *, cell: int, per_line: int) -> None:
    rows = [[ImageOps.fit(each.convert("RGB"), (cell, cell)) for each in row] for row in pictures]
    kind = Image.registered_extensions().get(path.suffix.lower(), "JPEG")
    try:
        with written_at_once(path) as stream:
            _laid_out(rows, cell, per_line).save(stream, kind, quality=88, exif=drawing_exif("evaluate"))
    except (OSError, ValueError) as error:
        raise UnwritablePhoto(f"{path}: {reason_for(error, 'written')}") from error


def _laid_out(rows: Sequence[Sequence[Image.Image]], cell: int, per_line: int) -> Image.Image:
    width, lines = len(rows[0]) * cell + GAP, -(-len(rows) // per_line)
    sheet = Image.new("RGB", (min(per_line, len(rows)) * width - GAP, lines * (cell + GAP) - GAP), "white")
    for place, row in enumerate(rows):
        line, column = divmod(place, per_line)
        for index, picture in enumerate(row):
            sheet.paste(picture, (column * width + index * cell, line * (cell + GAP)))
    return sheet


def grey_coloured_true(colorize: Change) -> Row:
    def row(truth: Image.Image) -> list[Image.Image]:
        grey = truth.convert("L")
        return [grey, colorize(grey), truth]

    return row


def in_out_back(there: Change, back: Change | None) -> Row:
    """Without the way back, only in and out."""

    def row(photo: Image.Image) -> list[Image.Image]:
        out = there(photo)
        return [photo, out, *([back(out)] if back else [])]

    return row
