"""What a sampler drew, as pictures for Python and as one grid for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.inference.grid import columns_for, tile
from img2img.photo.pixels import pillow_image, png_bytes


@dataclass(frozen=True, eq=False)
class Drawn(Sequence[Image.Image]):
    """`pixels` (N, S, S, C), or (N, T, S, S, C) of videos, uint8; as a sequence N Pillow images, L or RGB.

    A video's is a strip of its frames. A notebook shows all as one grid, which `grid` gives; `classes` is how many the
    model has.
    """

    pixels: npt.NDArray[np.uint8]
    classes: int = 0

    def grid(self, columns: int | None = None) -> Image.Image:
        """All in rows of `columns`; without it one column for each class while they are few, else a square."""
        strips = np.stack([*map(_strip, self.pixels)])
        return _image(tile(strips, columns or columns_for(len(self), self.classes)))

    def __len__(self) -> int:
        return len(self.pixels)

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...

    @overload
    def __getitem__(self, index: slice) -> Drawn: ...

    def __getitem__(self, index: int | slice) -> Image.Image | Drawn:
        if isinstance(index, slice):
            return Drawn(self.pixels[index], self.classes)
        return _image(_strip(self.pixels[index]))

    def __iter__(self) -> Iterator[Image.Image]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        height, width = self.pixels.shape[-3:-1]
        return f"<Drawn: {len(self)} of {width} x {height} px>"

    def _repr_png_(self) -> bytes:
        return png_bytes(self.grid())


def _strip(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(S, S, C) as it is; (T, S, S, C) as (S, T * S, C)."""
    return picture if picture.ndim == 3 else np.concatenate(picture, axis=1)


def _image(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    grey = pixels.shape[2] == 1
    return pillow_image(pixels[..., 0] if grey else pixels, "L" if grey else "RGB")
