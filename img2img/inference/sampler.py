"""Drawing pictures from noise: latents in, 8-bit pictures or videos out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import ImageOps

from img2img.choices import one_of
from img2img.errors import ModelError, UsageError
from img2img.inference.drawn import Drawn
from img2img.inference.latents import draw_latents
from img2img.inference.model_object import ModelObject
from img2img.inference.opened_model import OpenedModel
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.runtime import Runtime
from img2img.lab import Floats
from img2img.machine import usable_cores
from img2img.model_file import TensorSpec
from img2img.photo.pictures import Picture, as_photo

Pictures = npt.NDArray[np.uint8]
BATCH = 64  # pictures that the graph draws at a time


class Sampler(ModelObject):
    """A model that draws pictures from latents, by name, file or run.

    `size` is the pictures' side in pixels, `channels` 1 or 3, `frames` 0 for pictures, a video's length for
    videos, `latent_size` the length of a latent, `classes` the names of what a conditional model draws.
    `threads` 0 takes every core. ModelError when the file is not such a model.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        device: str = "auto",
        threads: int = 0,
        runtime: Runtime | str = "auto",
    ) -> None:
        self._execution = Execution(device, threads or usable_cores(), runtime)
        self._model = OpenedModel(model, task="generate", doing="generating", execution=self._execution)
        try:
            self._understand(self.card.inputs, self.card.outputs[0])
        except (IndexError, TypeError, ValueError):
            raise ModelError(f"{self.source}: its card does not describe a sampler: export it again") from None
        self._try_once()

    def _understand(self, inputs: Sequence[TensorSpec], output: TensorSpec) -> None:
        """What the card says of shapes: "z", and at most one of "label" and "condition"; an "image" or a "video"."""
        latent, *others = inputs
        if [spec.name for spec in inputs] not in (["z"], ["z", "label"], ["z", "condition"]):
            raise ValueError
        self.latent_size = int(latent.shape[1])
        labels = int(others[0].shape[1]) if others and others[0].name == "label" else 0
        if self.card.classes and len(self.card.classes) != labels:
            raise ValueError
        self.classes = self.card.classes or tuple(map(str, range(labels)))
        self.takes_condition = bool(others) and others[0].name == "condition"
        sizes = [int(size) for size in output.shape[1:]]
        self.channels, *lengths, _, self.size = sizes
        self.frames = lengths[0] if lengths else 0
        self._shape = tuple(sizes)

    def __call__(
        self,
        count: int = 1,
        *,
        seed: int = 0,
        label: int | str | Sequence[int | str] | None = None,
        truncation: float | None = None,
        like: Picture | None = None,
    ) -> Drawn:
        """`count` pictures, or videos; the first of 64 are those of 8.

        A model with classes draws each in turn, or those of `label`: one for all, or one for each. `truncation` is that
        of `latents`; `like` is the picture to draw after, for a model that takes one. UsageError where the model needs
        one or takes none, UnreadablePhoto for what is no picture.
        """
        if count < 1:
            raise UsageError(f"{count} pictures: ask for one or more")
        condition = None if like is None else condition_of(like, self.size)
        z = self.latents(count, seed, truncation=truncation)
        return Drawn(self.sample(z, self._labels(count, label), condition), len(self.classes))

    def _labels(self, count: int, label: int | str | Sequence[int | str] | None) -> Sequence[int | str] | None:
        if label is None:
            return [place % len(self.classes) for place in range(count)] if self.classes else None
        return [label] * count if isinstance(label, int | str) else label

    def _size(self) -> str:
        classes = [f"{len(self.classes)} classes"] if self.classes else []
        return ", ".join([f"{self.size} x {self.size} px", *([f"{self.frames} frames"] * bool(self.frames)), *classes])

    def latents(self, n: int, seed: int, *, truncation: float | None = None, stream: int = 0) -> Floats:
        """(n, latent_size) from N(0, 1), values beyond `truncation` drawn again; the i-th depends on (seed, i) only.

        A truncation of 2 is mild; below 1 many models fade. Each `stream` is another series of the seed.
        """
        return draw_latents(n, self.latent_size, seed, truncation=truncation, stream=stream)

    def label_index(self, label: int | str) -> int:
        """The index of a class, given its name or index; UsageError lists the choices."""
        if not self.classes:
            raise UsageError(f"{self.source}: was trained without classes, so there is no {label!r} to ask it for")
        numbers = {str(number): number for number in range(len(self.classes))}
        names = dict(zip(self.classes, numbers.values(), strict=True))
        index = (numbers | names).get(label) if isinstance(label, str) else numbers.get(str(label))
        if index is None:
            number = "" if names == numbers else f"0 to {len(names) - 1}, or "
            raise UsageError(f"{self.source}: draws no {label!r}; choose {number}{one_of(label, self.classes)}")
        return index

    def sample(
        self,
        z: Floats,
        labels: npt.NDArray[np.int64] | Sequence[int | str] | None = None,
        condition: Floats | None = None,
    ) -> Pictures:
        """(N, S, S, C) uint8, or (N, T, S, S, C) of a video model, for latents (N, latent_size).

        `labels`, N names or indices, for a model with classes; `condition`, (N, 3, S, S) or (1, 3, S, S) float32
        RGB in [-1, 1], for one that draws after a picture. UsageError when a model needs one, or takes none.
        """
        inputs = [np.ascontiguousarray(z, np.float32), *self._conditions(len(z), labels, condition)]
        parts = [
            self._draw([array[first : first + BATCH] for array in inputs]) for first in range(0, max(len(z), 1), BATCH)
        ]
        return np.concatenate(parts)

    def _conditions(
        self, n: int, labels: npt.NDArray[np.int64] | Sequence[int | str] | None, condition: Floats | None
    ) -> list[Floats]:
        if (labels is None) == bool(self.classes):
            advice = f"needs labels: {', '.join(self.classes)}" if self.classes else "was trained without classes"
            raise UsageError(f"{self.source}: {advice}")
        if (condition is None) == self.takes_condition:
            advice = "needs a picture as its condition" if self.takes_condition else "takes no picture as a condition"
            raise UsageError(f"{self.source}: {advice}")
        if labels is not None:
            indices = [self.label_index(label if isinstance(label, str) else int(label)) for label in labels]
            if len(indices) != n:
                raise UsageError(f"{self.source}: {n} latents and {len(indices)} labels: give one for each")
            return [np.eye(len(self.classes), dtype=np.float32)[indices]]
        if condition is not None:
            shape = (n, 3, self.size, self.size)
            return [np.ascontiguousarray(np.broadcast_to(condition, shape), np.float32)]
        return []

    def _draw(self, inputs: list[Floats]) -> Pictures:
        output = self._model.run(*inputs)
        if output.shape != (len(inputs[0]), *self._shape) or not np.isfinite(output).all():
            raise ModelError(f"{self.source}: draws no pictures (an output of shape {output.shape}): export it again")
        pictures = np.rint((output.clip(-1, 1) + 1) * 127.5).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(pictures, 1, -1))

    def _try_once(self) -> None:
        """Draw one picture, so that a model that cannot fails when it is opened."""
        labels = [0] if self.classes else None
        condition = np.zeros((1, 3, self.size, self.size), np.float32) if self.takes_condition else None
        self.sample(np.zeros((1, self.latent_size), np.float32), labels, condition)


def condition_of(picture: Picture, size: int) -> Floats:
    """(1, 3, size, size) RGB in [-1, 1]: the picture's middle square, shrunk; raises UnreadablePhoto."""
    image = as_photo(picture).to_image().convert("RGB")
    pixels = np.asarray(ImageOps.fit(image, (size, size)), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1))
