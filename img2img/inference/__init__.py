"""Running the models: `load` gives the object that fits a model's task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    from img2img.inference.colorizer import Colorizer
    from img2img.inference.sampler import Sampler
    from img2img.inference.translator import Translator


@overload
def load(
    model: Literal["colorizer"] = "colorizer", *, device: str = "auto", threads: int = 0, runtime: str = "auto"
) -> Colorizer: ...


@overload
def load(
    model: Literal["horse2zebra", "zebra2horse"], *, device: str = "auto", threads: int = 0, runtime: str = "auto"
) -> Translator: ...


@overload
def load(
    model: str | os.PathLike[str], *, device: str = "auto", threads: int = 0, runtime: str = "auto"
) -> Colorizer | Translator | Sampler: ...


def load(
    model: str | os.PathLike[str] = "colorizer", *, device: str = "auto", threads: int = 0, runtime: str = "auto"
) -> Colorizer | Translator | Sampler:
    """The model of that name, in that file, or of that training run: a Colorizer, a Translator or a Sampler.

    The first two are called with a picture: a path, a file's bytes, an open file, a numpy array or a Pillow image.
    `device` is "auto", "cpu" or "cuda"; `threads` 0 takes every core; `runtime` is "auto", "onnxruntime" or
    "openvino". UsageError for another device or runtime, ModelError when there is no such model.
    """
    from img2img.errors import ModelError
    from img2img.inference.run_model import settled_model
    from img2img.model_file import find_model, read_card

    model = settled_model(model)
    card = read_card(find_model(model))
    task = card.task
    if task == "critic":
        raise ModelError(f"{model}: a critic, which scores photos for {' and '.join(card.classes)}: load one of these")
    if task == "generate":
        from img2img.inference.sampler import Sampler

        return Sampler(model, device=device, threads=threads, runtime=runtime)
    if task == "translate":
        from img2img.inference.translator import Translator

        return Translator(model, device=device, threads=threads, runtime=runtime)
    from img2img.inference.colorizer import Colorizer

    return Colorizer(model, device=device, threads=threads, runtime=runtime)
