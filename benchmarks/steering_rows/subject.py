"""What all rows are measured on: a colorizer, and held-out colour photos in an order that does not change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source
from img2img.evaluation.colorizers.measured_photos import photo_at
from img2img.inference.colorizer import Colorizer

SIZE = 256  # pixels: photos are brought to about this squared
Row = tuple[str, ...]
"""What, must reach, measured, of the median photo."""


@dataclass(frozen=True)
class Subject:
    """`data` names folders and tar files, of which the first `skip` photos by name are left out, the rest thinned out
    to `limit` at equal steps."""

    colorizer: Colorizer
    model: str
    data: Sequence[str]
    skip: int = 0
    limit: int | None = None
    seed: int = 0
    lpips_weights: Path | None = None

    def photos(self) -> Iterator[Image.Image]:
        """Those with colour, about SIZE squared."""
        for item in self.data:
            source = open_source([item])
            for place in self._places(source):
                photo = photo_at(source, place, SIZE)
                if np.ptp(np.asarray(photo), axis=2).any():
                    yield photo

    def _places(self, source: ImageSource) -> list[int]:
        by_name = sorted(range(len(source)), key=source.name)[self.skip :]
        count = min(self.limit or len(by_name), len(by_name))
        return [by_name[round(place)] for place in np.linspace(0, len(by_name) - 1, count).tolist()]


def pixels(photo: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    return np.asarray(photo.convert("RGB"))
