"""The pictures of an animated PNG (PNG, third edition, 13.2 and 13.3), each as it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from PIL import Image

from img2img.photo.png.description import Description
from img2img.photo.png.parts import Frame, PngParts
from img2img.photo.png.reader import picture_of

_TO_BACKGROUND, _TO_PREVIOUS = 1, 2
_OVER = 1


def shown_pictures(stream: BinaryIO, parts: PngParts) -> Iterator[Image.Image]:
    """One RGBA image, 8 bit, for each frame, as large as the canvas. Raises ValueError and more for damage."""
    canvas = Image.new("RGBA", (parts.header.width, parts.header.height))
    for number, frame in enumerate(parts.frames):
        _check(frame, canvas)
        before = canvas.copy()
        _draw(canvas, _piece(stream, parts, frame), frame)
        yield canvas.copy()
        # Where nothing was before, to go back is to clear.
        if frame.disposal == _TO_PREVIOUS and number:
            canvas = before
        elif frame.disposal in (_TO_BACKGROUND, _TO_PREVIOUS):
            canvas.paste((0, 0, 0, 0), _box(frame))


def still_picture(stream: BinaryIO, parts: PngParts) -> Image.Image:
    """The file's own picture, RGBA, as programs show it that know no animations."""
    return picture_of(stream, parts, Description()).to_image().convert("RGBA")


def _check(frame: Frame, canvas: Image.Image) -> None:
    """Before memory is taken for as many pixels as it says it has."""
    _, _, right, bottom = _box(frame)
    if right > canvas.width or bottom > canvas.height or not frame.picture:
        raise ValueError("a frame without a picture, or beyond the canvas")


def _draw(canvas: Image.Image, piece: Image.Image, frame: Frame) -> None:
    box = _box(frame)
    canvas.paste(Image.alpha_composite(canvas.crop(box), piece) if frame.blend == _OVER else piece, box)


def _box(frame: Frame) -> tuple[int, int, int, int]:
    return frame.left, frame.top, frame.left + frame.width, frame.top + frame.height


def _piece(stream: BinaryIO, parts: PngParts, frame: Frame) -> Image.Image:
    header = replace(parts.header, width=frame.width, height=frame.height)
    return still_picture(stream, replace(parts, header=header, picture=frame.picture))
