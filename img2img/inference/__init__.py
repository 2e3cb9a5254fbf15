"""Running the models: `load` gives the object that fits a model's task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from img2img.inference.colorizer import Colorizer


def load(model: str = "colorizer", *, device: str = "auto", threads: int = 0) -> Colorizer:
    """The model of that name, or in that file, ready to be called with a Pillow image.

    `device` is "auto", "cpu" or "cuda"; `threads` 0 takes every core. ModelError when there is no such model.
    """
    from img2img.inference.colorizer import Colorizer

    return Colorizer(model, device=device, threads=threads)
