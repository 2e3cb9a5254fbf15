"""Translating a photo: a network draws it anew, small and enlarged, or as large as the photo is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.color import small_size
from img2img.errors import ModelError, UsageError
from img2img.inference.callables import Steady
from img2img.inference.enlarging import add_change, enlarge_picture
from img2img.inference.in_order import in_order
from img2img.inference.model_object import ModelObject
from img2img.inference.opened_model import OpenedModel, find_reverse
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.runtime import Runtime
from img2img.inference.tiling import TILE_SIDE, tiles
from img2img.lab import Floats
from img2img.machine import return_freed_memory, usable_cores
from img2img.photo import Photo
from img2img.photo.pictures import Picture, as_photo
from img2img.photo.pixels import Pixels

Size = Literal["card", "native"] | int
WHOLE_PIXELS = 4_200_000  # up to here the network may see a photo whole
LARGEST_SIZE = 2048
SMALLEST_SIDE = 16  # a network that pads by reflection needs a few pixels at its coarsest


class Translator(ModelObject):
    """A model that turns photos of one kind into another, by name, file or run.

    Threads may share one. `threads` is how many cores one photo may take, 0 all; `runtime` is "onnxruntime" ("auto"),
    "openvino", or an open one. ModelError when the file is not such a model.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str = "auto",
        threads: int = 0,
        runtime: Runtime | str = "auto",
    ) -> None:
        self._execution = Execution(device, threads or usable_cores(), runtime)
        self._threads = self._execution.threads
        self._reverse: Translator | None = None
        self._model = OpenedModel(model, task="translate", doing="translating", execution=self._execution)
        self._multiple = self.card.size_multiple * -(-SMALLEST_SIDE // self.card.size_multiple)
        self._translate(np.zeros((self._multiple, self._multiple, 3), np.float32))  # fail now or never

    def __call__(self, picture: Picture, *, size: Size = "card") -> Image.Image:
        """The translated picture, RGB or RGBA, 8 bit; `convert` keeps 16 bit and all that a file holds.

        UnreadablePhoto for what is no picture, or one of a mode without a known meaning.
        """
        return self.convert(picture, size=size).to_image()

    def many(self, pictures: Iterable[Picture], *, size: Size = "card") -> Iterator[Image.Image]:
        """Each as if called with it, in order and as it is asked for, so that any number fits in memory.

        As many are worked on at once as the cores hold: a Translator of `threads=1` takes one for each core. What is
        no picture raises at its turn.
        """
        return in_order(lambda picture: self(picture, size=size), pictures, at_once=usable_cores() // self._threads)

    def convert(self, picture: Picture, *, size: Size = "card", steady: Steady | None = None) -> Photo:
        """The translated photo, RGB, all but its colours kept.

        `size` is what the network sees: "card" a copy of the model's native size, N one of about N x N pixels; its
        change is then enlarged and added to the photo, or, where the card's `result` is "picture", what it drew is
        enlarged. "native": the photo itself, in tiles when it is large. Values are taken as sRGB's, whatever RGB
        profile the photo keeps. `steady`: the photo is a film's next frame, and the small copy's change (3, h, w), in
        [-2, 2], or picture is led through this; "native" has no small copy.
        """
        photo = as_photo(picture)
        pixels = grey_or_rgb(photo)
        if size == "native":
            translated = self._at_native_size(pixels)
        else:
            translated = self._at_size(pixels, self.card.native_size if size == "card" else _checked(size), steady)
        return replace(photo, pixels=translated, space="RGB")

    def reverse(self) -> Translator:
        """The model that goes the other way, which the card names, opened once; ModelError when there is none."""
        if self._reverse is None:
            back = find_reverse(self.source)
            where = self._execution
            runtime = where.runtime if isinstance(where.runtime, str) else "auto"
            self._reverse = Translator(back, device=where.device, threads=where.threads, runtime=runtime)
        return self._reverse

    def _at_size(self, pixels: Pixels, size: int, steady: Steady | None) -> Pixels:
        image = small_image(pixels, size, self._multiple)
        small = as_input(np.asarray(image))
        drawn, *_ = self._translate(small)
        anew = self.card.result == "picture"
        if not anew:
            drawn -= small
        if steady:
            drawn = np.moveaxis(steady(np.asarray(image.convert("L")), np.moveaxis(drawn, 2, 0)), 0, 2)
        if anew:
            return enlarge_picture(drawn, pixels.shape[:2], pixels.dtype, threads=self._threads)
        return add_change(pixels, drawn, threads=self._threads)

    def _at_native_size(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        rows, columns = _padded(height, self._multiple), _padded(width, self._multiple)
        if height * width <= WHOLE_PIXELS:
            whole, *_ = self._translate(as_input(pixels[np.ix_(rows, columns)]))
            return _as_pixels(whole[:height, :width], pixels.dtype)
        statistics = self._statistics(pixels)
        drawn = np.empty((height, width, 3), pixels.dtype)
        for down, across in tiles(len(rows), len(columns), halo=self.card.halo, multiple=self._multiple):
            window = pixels[np.ix_(rows[down.window], columns[across.window])]
            tile, *_ = self._translate(as_input(window), *statistics)
            target = drawn[down.core, across.core]  # ends at the photo's edge, the core behind the padding
            target[:] = _as_pixels(tile[down.inner, across.inner], pixels.dtype)[: target.shape[0], : target.shape[1]]
        return_freed_memory()  # the encoder is about to ask for some
        return drawn

    def _statistics(self, pixels: Pixels) -> tuple[Floats, ...]:
        """Those of the network's norms, on the largest copy that fits; nothing of a network without such norms."""
        if len(self.card.outputs) == 1:
            return ()
        _, statistics = self._translate(_shrunk(pixels, TILE_SIDE, self._multiple))
        return (statistics,)

    def _translate(self, picture: Floats, *frozen: Floats) -> tuple[Floats, ...]:
        """(h, w, 3) in [-1, 1] -> the same translated, and any further outputs."""
        image = np.ascontiguousarray(np.moveaxis(picture, 2, 0)[None])
        translated, *more = self._model.run_all(image, *frozen)
        if translated.shape != image.shape or not np.isfinite(translated).all():
            shape = translated.shape
            raise ModelError(f"{self.source}: gives no picture (an output of shape {shape}): export it again")
        return np.moveaxis(translated[0], 0, 2), *more


def grey_or_rgb(photo: Photo) -> Pixels:
    """(H, W) or (H, W, 3)."""
    return np.asarray(photo.to_image().convert("RGB")) if photo.space == "YCbCr" else photo.pixels


def _checked(size: int) -> int:
    if not isinstance(size, int) or not 1 <= size <= LARGEST_SIZE:
        raise UsageError(f"size {size}: give card, 1 to {LARGEST_SIZE}, or native, which goes tile by tile")
    return size


def _shrunk(pixels: Pixels, size: int, multiple: int) -> Floats:
    """The photo as `small_image` makes it, in [-1, 1]."""
    return as_input(np.asarray(small_image(pixels, size, multiple)))


def small_image(pixels: Pixels, size: int, multiple: int) -> Image.Image:
    """The photo, 8 bit, at about size x size pixels, aspect kept, sides multiples of `multiple`."""
    height, width = small_size(pixels.shape[0], pixels.shape[1], size, multiple)
    image = Photo(pixels, "L" if pixels.ndim == 2 else "RGB").to_image()
    return image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def as_input(pixels: Pixels) -> Floats:
    """(H, W, 3) in [-1, 1] of grey or RGB, 8 or 16 bit."""
    values = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max / 2) - np.float32(1)
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def _as_pixels(values: Floats, dtype: npt.DTypeLike) -> Pixels:
    top = np.iinfo(dtype).max
    return np.rint((values.clip(-1, 1) + 1) * np.float32(top / 2)).astype(dtype)


def _padded(length: int, multiple: int) -> npt.NDArray[np.intp]:
    """The pixels of one axis, mirrored at its end until their number is a multiple."""
    more = -length % multiple
    return np.pad(np.arange(length), (0, more), mode="reflect")
