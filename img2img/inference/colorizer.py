"""Colouring a photo: a network predicts the colours of a small copy, the photo keeps its own luma."""

from __future__ import annotations

import math
import os
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.color import chroma_planes, join, shrink, strengthened
from img2img.color import luma as luma_of
from img2img.errors import ModelError, UsageError
from img2img.inference.callables import Steady
from img2img.inference.execution import Execution
from img2img.inference.opened_model import OpenedModel, check_type
from img2img.inference.runtime import Runtime
from img2img.lab import Floats, lightness
from img2img.machine import return_freed_memory, usable_cores
from img2img.photo import Photo
from img2img.photo.pixels import Pixels

AB_RANGE = 110.0  # the graph's output is ab / 110
LARGE = 4_000_000  # pixels


class Colorizer:
    """A model that colours photos, by name or file.

    Threads may share one. `threads` is how many cores one photo may take, 0 all; `runtime` is "onnxruntime" ("auto"),
    "openvino", or an open one. ModelError when the file is not such a model.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "colorizer",
        *,
        device: str = "auto",
        threads: int = 0,
        runtime: Runtime | str = "auto",
    ) -> None:
        execution = Execution(device, threads or usable_cores(), runtime)
        self._threads = execution.threads
        self._model = OpenedModel(model, task="colorize", doing="colouring", execution=execution)
        self.card = self._model.card
        self._predict(np.zeros((self.card.size_multiple, self.card.size_multiple), np.uint8))  # fail now or never

    def __call__(self, image: Image.Image, *, strength: float = 1.0) -> Image.Image:
        """The coloured image, RGB or RGBA, 8 bit; `convert` keeps 16 bit and all that a file holds.

        UnreadablePhoto for an empty image, or a mode without a known black and white.
        """
        check_type(image, Image.Image, "Image.open(path) gives one")
        return self.convert(Photo.from_image(image), strength=strength).to_image()

    def convert(self, photo: Photo, *, strength: float = 1.0, steady: Steady | None = None) -> Photo:
        """The coloured photo, all else kept: YCbCr for 8 bit, RGB for 16 bit, with the luma of `photo`.

        `strength` scales the colours: 0 gives the grey photo, 1 what the model says. They are computed as sRGB's:
        a photo that keeps a wider RGB profile shows sRGB's numbers in that profile, a little more vivid. `steady`:
        the photo is a film's next frame, and its ab are led through this.
        """
        check_type(photo, Photo, "read_photo(path) gives one")
        luma = luma_of(photo)
        pixels = join(luma, self.chroma(luma, strength=strength, steady=steady), threads=self._threads)
        if luma.size > LARGE:
            return_freed_memory()  # the encoder is about to ask for 4 bytes a pixel
        return replace(photo, pixels=pixels, space="YCbCr" if pixels.dtype == np.uint8 else "RGB")

    def chroma(self, luma: Pixels, *, strength: float = 1.0, steady: Steady | None = None) -> Floats:
        """Cb and Cr (2, h, w) as in JPEG, around 0 in steps of an 8-bit value, at the small size, for a luma (H, W)."""
        if not (math.isfinite(strength) and strength >= 0):
            raise UsageError(f"strength {strength} is not 0 or more: 0 is grey, 1 is what the model says")
        small, ab = self.predicted(luma)
        if steady:
            ab = steady(small, ab)
        return chroma_planes(small, strengthened(ab, strength))

    def predicted(self, luma: Pixels) -> tuple[npt.NDArray[np.uint8], Floats]:
        """The small luma (h, w) that the network sees of a luma (H, W), and the ab (2, h, w) that it predicts."""
        small = shrink(luma, self.card.native_size, self.card.size_multiple)
        return small, self._predict(small)

    def _predict(self, small: npt.NDArray[np.uint8]) -> Floats:
        """The ab (2, h, w) that the model predicts for greys (h, w)."""
        light = lightness(small) / np.float32(50) - np.float32(1)
        output = self._model.run(light[None, None])
        if output.shape != (1, 2, *small.shape) or not np.isfinite(output).all():
            shape = output.shape
            raise ModelError(f"{self._model.source}: gives no colours (an output of shape {shape}): export it again")
        ab: Floats = output[0] * np.float32(AB_RANGE)
        return ab
