"""Clips of a camera that moves over a photo: true motion and true colours known, and what a colorizer makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from img2img.inference.callables import Steady
from img2img.inference.colorizer import Colorizer
from img2img.lab import Floats, rgb_to_lab
from img2img.photo import Photo
from img2img.video.steady import Steadier

SIZE = (480, 360)
FRAMES = 40
GRAIN, FLICKER = 6.0, 3.0  # standard deviations in grey levels: of each pixel, of a frame's light
COLOURED = 10.0  # mean length of ab from which a photo counts as coloured
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Clip:
    """A photo's part in each frame (left, top, right, bottom), and the frames."""

    name: str
    boxes: list[Box]
    frames: list[Image.Image]


@dataclass(frozen=True)
class Score:
    """Means over a clip, in units of ab: change along the true motion, and distance from the true colours."""

    change: float
    error: float


def camera(photo: Image.Image, size: tuple[int, int], movement: str, frames: int) -> Iterator[Box]:
    """What it sees: a part that goes from corner to corner, or one that shrinks to 60%."""
    scale = min(photo.width / size[0], photo.height / size[1])
    for moment in np.linspace(0, 1, frames):
        share = 0.72 if movement == "pan" else 0.95 - 0.38 * moment
        width, height = size[0] * scale * share, size[1] * scale * share
        across = moment if movement == "pan" else 0.5
        left, top = across * (photo.width - width), across * (photo.height - height)
        yield left, top, left + width, top + height


def make_clip(path: Path, movement: str, size: tuple[int, int] = SIZE, frames: int = FRAMES) -> Clip:
    photo = Image.open(path).convert("RGB")
    boxes = list(camera(photo, size, movement, frames))
    return Clip(f"{path.stem}, {movement}", boxes, [photo.resize(size, Image.Resampling.BICUBIC, box) for box in boxes])


def greys(clip: Clip, *, old: bool) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    for frame in clip.frames:
        grey = np.asarray(frame.convert("L")).astype(np.float32)
        if old:
            grey += rng.normal(0, GRAIN, grey.shape) + rng.normal(0, FLICKER)
        yield grey.clip(0, 255).astype(np.uint8)


def fields(clip: Clip, colorizer: Colorizer, *, old: bool) -> tuple[list[Floats], list[Floats]]:
    """The ab of each frame as the network says it, and steadied."""
    plain: list[Floats] = []
    steadied: list[Floats] = []
    steadier = Steadier()

    def keep(small: NDArray[np.uint8], field: Floats) -> Floats:
        plain.append(field)
        steadied.append(steadier(small, field))
        return field

    hook: Steady = keep
    for grey in greys(clip, old=old):
        colorizer.convert(Photo(grey, "L"), steady=hook)
    return plain, steadied


def true_fields(clip: Clip, shape: tuple[int, int]) -> list[Floats]:
    height, width = shape
    small = (frame.resize((width, height), Image.Resampling.BOX) for frame in clip.frames)
    return [rgb_to_lab(np.moveaxis(np.asarray(each), 2, 0).astype(np.float32) / np.float32(255))[1:] for each in small]


def change_along(clip: Clip, ab: Sequence[Floats]) -> float:
    """The mean distance between a place's colour and the colour it had a frame before, where it was to be seen."""
    changes = []
    for number in range(1, len(ab)):
        across, down = where_before(clip.boxes[number], clip.boxes[number - 1], ab[number].shape[1:])
        height, width = across.shape
        seen = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
        before = np.stack([cv2.remap(plane, across, down, cv2.INTER_LINEAR) for plane in ab[number - 1]])
        changes.append(np.hypot(*(ab[number] - before))[seen].mean())
    return float(np.mean(changes))


def where_before(box: Box, box_before: Box, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Of each pixel (h, w): its place in the frame before, across and down, in pixels."""
    height, width = shape
    places = []
    for axis, length in ((0, width), (1, height)):
        side, side_before = box[axis + 2] - box[axis], box_before[axis + 2] - box_before[axis]
        place = box[axis] + (np.arange(length) + 0.5) / length * side
        places.append(((place - box_before[axis]) / side_before * length - 0.5).astype(np.float32))
    across, down = np.meshgrid(*places)
    return across, down


def score(clip: Clip, ab: Sequence[Floats], true: Sequence[Floats]) -> Score:
    error = np.mean([np.hypot(*(each - truth)).mean() for each, truth in zip(ab, true, strict=True)])
    return Score(change_along(clip, ab), float(error))


def stillness(photos: Sequence[Path], model: str, frames: int = FRAMES) -> Iterator[tuple[str, ...]]:
    """A line of the table for each clip."""
    colorizer = Colorizer(model)
    for path in photos:
        for movement in ("pan", "zoom"):
            clip = make_clip(path, movement, frames=frames)
            for old in (False, True):
                plain, steadied = fields(clip, colorizer, old=old)
                true = true_fields(clip, plain[0].shape[1:])
                coloured = np.mean([np.hypot(*each).mean() for each in true]) > COLOURED
                yield row(clip.name + ", grain" * old, score(clip, plain, true), score(clip, steadied, true), coloured)


def row(name: str, plain: Score, steadied: Score, coloured: np.bool_ | bool) -> tuple[str, ...]:
    errors = (f"{plain.error:.2f}", f"{steadied.error:.2f}") if coloured else ("", "")
    ratio = steadied.change / plain.change if plain.change else 1.0
    return name, f"{plain.change:.2f}", f"{steadied.change:.2f}", f"{ratio:.2f}", *errors


def means(rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    columns = [[float(cell) for cell in column if cell] for column in list(zip(*rows, strict=True))[1:]]
    values = [float(np.mean(column)) if column else None for column in columns]
    if values[0] and values[1] is not None:
        values[2] = values[1] / values[0]
    return "mean", *("" if value is None else f"{value:.2f}" for value in values)


def write_film(path: Path, clip: Clip, times: int) -> None:
    """The clip, grey, there and back again until it was shown so often."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "18", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = clip.frames[0].size
        for turn in range(times):
            for frame in clip.frames[:: -1 if turn % 2 else 1]:
                pixels = np.asarray(frame.convert("L").convert("RGB"))
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        film.mux(stream.encode())
