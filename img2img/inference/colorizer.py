"""Colouring a photo: a network predicts the colours of a small copy, the photo keeps its own luma."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.color import chroma_planes, join, shrink, strengthened
from img2img.color import luma as luma_of
from img2img.errors import ModelError, UsageError
from img2img.inference.callables import Steady
from img2img.inference.in_order import in_order
from img2img.inference.model_object import ModelObject
from img2img.inference.opened_model import OpenedModel
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.runtime import Runtime
from img2img.lab import Floats, lightness
from img2img.machine import return_freed_memory, usable_cores
from img2img.photo import Photo
from img2img.photo.pictures import Picture, as_photo
from img2img.photo.pixels import Pixels
from img2img.steering.color_classes import ColorClasses
from img2img.steering.colors import Color, parse_color
from img2img.steering.hints import Hint, parse_hint
from img2img.steering.prior import Prior, class_prior
from img2img.steering.spread import spread_hints
from img2img.steering.steering import NEUTRAL, Steering
from img2img.steering.suggest import Suggestion, logits_at, suggestions

AB_RANGE = 110.0  # the graph's output is ab / 110
LARGE = 4_000_000  # pixels


@dataclass(frozen=True, eq=False)
class ShrunkLuma:
    """A photo's luma of this `shape` (H, W), of which only what the network sees is kept: `small` (h, w)."""

    small: npt.NDArray[np.uint8]
    shape: tuple[int, int]


class Colorizer(ModelObject):
    """A model that colours photos, by name, file or run.

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
        self._execution = Execution(device, threads or usable_cores(), runtime)
        self._threads = self._execution.threads
        self._model = OpenedModel(model, task="colorize", doing="colouring", execution=self._execution)
        self._predict(np.zeros((self.card.size_multiple, self.card.size_multiple), np.uint8))  # fail now or never

    def __call__(
        self,
        picture: Picture,
        *,
        strength: float = 1.0,
        reference: Picture | None = None,
        influence: float = 1.0,
        palette: Sequence[str] = (),
        warmth: float = 0.0,
        hints: Sequence[Hint | str] = (),
    ) -> Image.Image:
        """The coloured picture, RGB or RGBA, 8 bit; `convert` keeps 16 bit and all that a file holds.

        `reference`, `influence` (0 to 1), `palette` (colours such as "#8a2b2b") and `warmth` (-1 to 1) are those of
        `prior`; `hints` are such as "52%,40%=#3a6b35". UnreadablePhoto for what is no picture, or one of a mode
        without a known black and white; ModelError for a model that cannot be steered.
        """
        prior = self._prior(reference, influence, palette, warmth)
        placed = [parse_hint(hint) if isinstance(hint, str) else hint for hint in hints]
        return self.convert(picture, strength=strength, steering=Steering(prior, placed)).to_image()

    def many(
        self,
        pictures: Iterable[Picture],
        *,
        strength: float = 1.0,
        reference: Picture | None = None,
        influence: float = 1.0,
        palette: Sequence[str] = (),
        warmth: float = 0.0,
    ) -> Iterator[Image.Image]:
        """Each as if called with it, in order and as it is asked for, so that any number fits in memory.

        As many are worked on at once as the cores hold: a Colorizer of `threads=1` takes one for each core. What is no
        picture raises at its turn.
        """
        steering = Steering(self._prior(reference, influence, palette, warmth))

        def coloured(picture: Picture) -> Image.Image:
            return self.convert(picture, strength=strength, steering=steering).to_image()

        return in_order(coloured, pictures, at_once=usable_cores() // self._threads)

    def _prior(
        self, reference: Picture | None, influence: float, palette: Sequence[str], warmth: float
    ) -> Prior | None:
        example = None if reference is None else as_photo(reference)
        colors = [parse_color(color) for color in palette]
        return self.prior(reference=example, influence=influence, palette=colors, warmth=warmth)

    def prior(
        self,
        *,
        reference: Photo | None = None,
        influence: float = 1.0,
        palette: Sequence[Color] = (),
        warmth: float = 0.0,
    ) -> Prior | None:
        """The prior over the model's classes that leans to these colours, for Steering; None for nothing asked.

        `influence`, 0 to 1, is the reference's and the palette's. ModelError for a model that cannot be steered,
        UsageError for numbers out of range.
        """
        if reference is None and not palette and not warmth:
            return None
        return class_prior(self.classes, reference=reference, influence=influence, palette=palette, warmth=warmth)

    def suggest(
        self, luma: Pixels | ShrunkLuma, x: float, y: float, *, prior: Prior | None = None, count: int = 5
    ) -> Sequence[Suggestion]:
        """The likeliest distinct colours of a luma (H, W) at a place, shares of its sides; the likeliest first.

        ModelError for a model that cannot be steered, UsageError for a place outside.
        """
        classes = self.classes
        small, _, logits = self.predicted_with_logits(luma)
        weights = prior.fitted(logits) if prior else None
        here = logits_at(logits, x, y)
        row, column = (min(int(share * side), side - 1) for share, side in zip((y, x), small.shape, strict=True))
        return suggestions(here, int(small[row, column]), classes, prior=weights, count=count)

    @cached_property
    def classes(self) -> ColorClasses:
        """Of the model's colours. ModelError where it cannot be steered."""
        self.check_can_be_steered()
        settings, rows = self.card.settings, np.array(self.card.color_classes, np.float32)
        return ColorClasses(rows[:, :2], rows[:, 2], settings.get("temperature", 1.0), settings.get("saturation", 1.0))

    def check_can_be_steered(self) -> None:
        """Raises ModelError where the model gives no logits of classes, or its card does not say what these are."""
        if not (self.card.color_classes and any(output.name == "logits" for output in self.card.outputs)):
            raise ModelError(
                f"{self._model.source}: this model cannot be steered, for it does not say how likely it takes each "
                "colour: export its run again, or take the colorizer that comes with img2img"
            )

    def convert(
        self, picture: Picture, *, strength: float = 1.0, steady: Steady | None = None, steering: Steering = NEUTRAL
    ) -> Photo:
        """The coloured photo, all else kept: YCbCr for 8 bit, RGB for 16 bit, with the luma of the picture.

        `strength` scales the colours: 0 gives the grey photo, 1 what the model says. They are computed as sRGB's:
        a photo that keeps a wider RGB profile shows sRGB's numbers in that profile, a little more vivid. `steady`:
        the photo is a film's next frame, and its ab are led through this.
        """
        photo = as_photo(picture)
        luma = luma_of(photo)
        pixels = join(
            luma, self.chroma(luma, strength=strength, steady=steady, steering=steering), threads=self._threads
        )
        if luma.size > LARGE:
            return_freed_memory()  # the encoder is about to ask for 4 bytes a pixel
        return replace(photo, pixels=pixels, space="YCbCr" if pixels.dtype == np.uint8 else "RGB")

    def chroma(
        self,
        luma: Pixels | ShrunkLuma,
        *,
        strength: float = 1.0,
        steady: Steady | None = None,
        steering: Steering = NEUTRAL,
    ) -> Floats:
        """Cb and Cr (2, h, w) as in JPEG, around 0 in steps of an 8-bit value, at the small size, for a luma (H, W).

        `strength` is of the colours that the model says; a hint's stay what they are.
        """
        if not (math.isfinite(strength) and strength >= 0):
            raise UsageError(f"strength {strength} is not 0 or more: 0 is grey, 1 is what the model says")
        if steering.hints:
            small, ab, logits = self.predicted_with_logits(luma, steering.prior)
            height, width = luma.shape
            predicted = strengthened(ab, strength)
            steered = spread_hints(steering.hints, small, predicted, logits, photo=(height, width))
            return chroma_planes(small, steered)
        small, ab = self.predicted(luma, steering.prior)
        if steady:
            ab = steady(small, ab)
        return chroma_planes(small, strengthened(ab, strength))

    def predicted(self, luma: Pixels | ShrunkLuma, prior: Prior | None = None) -> tuple[npt.NDArray[np.uint8], Floats]:
        """The small luma (h, w) that the network sees of a luma (H, W), and the ab (2, h, w) that it predicts."""
        if prior and prior.shares is not None:
            small, ab, _ = self.predicted_with_logits(luma, prior)
            return small, ab
        small = self._small(luma)
        return small, self._predict(small, prior)

    def predicted_with_logits(
        self, luma: Pixels | ShrunkLuma, prior: Prior | None = None
    ) -> tuple[npt.NDArray[np.uint8], Floats, Floats]:
        """The same, and the logits (Q, h/4, w/4) of the classes, without the prior. ModelError as `classes`.

        A prior of a reference is fitted to the logits, which are known when the graph is done: so its last step, the
        mean of the colours, is done again.
        """
        self.check_can_be_steered()
        small = self._small(luma)
        output, logits = self._model.run_all(*_inputs(small, prior))
        ab = self._checked(small, output)
        if prior and prior.shares is not None:
            ab = prior.annealed_mean(logits[0])
        return small, ab, logits[0]

    def shrunk(self, luma: Pixels) -> ShrunkLuma:
        """All that the colours of a luma (H, W) depend on, to be kept where they will be asked for again."""
        height, width = luma.shape
        return ShrunkLuma(self._small(luma), (height, width))

    def _small(self, luma: Pixels | ShrunkLuma) -> npt.NDArray[np.uint8]:
        if isinstance(luma, ShrunkLuma):
            return luma.small
        return shrink(luma, self.card.native_size, self.card.size_multiple)

    def _predict(self, small: npt.NDArray[np.uint8], prior: Prior | None = None) -> Floats:
        return self._checked(small, self._model.run(*_inputs(small, prior)))

    def _checked(self, small: npt.NDArray[np.uint8], output: Floats) -> Floats:
        """The ab (2, h, w) in a graph's output for greys (h, w)."""
        if output.shape != (1, 2, *small.shape) or not np.isfinite(output).all():
            shape = output.shape
            raise ModelError(f"{self._model.source}: gives no colours (an output of shape {shape}): export it again")
        ab: Floats = output[0] * np.float32(AB_RANGE)
        return ab


def _inputs(small: npt.NDArray[np.uint8], prior: Prior | None) -> tuple[Floats, ...]:
    light = lightness(small) / np.float32(50) - np.float32(1)
    return (light[None, None],) if prior is None else (light[None, None], prior.weights)
