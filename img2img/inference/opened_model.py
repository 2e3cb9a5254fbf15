"""A model file opened for one task: what the objects that run models have in common."""

from __future__ import annotations

import os
from pathlib import Path

from img2img.errors import ModelError
from img2img.inference.runtime import Runtime, open_runtime
from img2img.lab import Floats
from img2img.model_file import available_models, find_model, read_card, read_model


class OpenedModel:
    """A model by name or file, checked to be for `task`; its errors name the file.

    `doing` says in an error what needs such a model. Threads may share one.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        task: str,
        doing: str,
        device: str,
        threads: int,
        runtime: Runtime | None = None,
    ) -> None:
        path = find_model(os.fspath(model))
        content, self.card = read_model(path)
        self.source = str(path)
        if self.card.task != task:
            raise ModelError(
                f"{path}: is a model for {self.card.task!r}, and {doing} needs one for {task!r}: "
                + _where_to_find_one(task)
            )
        self._runtime = runtime or open_runtime(path, content, self.card, device=device, threads=threads)

    def run(self, *arrays: Floats) -> Floats:
        try:
            return self._runtime.run(*arrays)
        except ModelError as error:
            raise ModelError(f"{self.source}: {error}") from None


def _where_to_find_one(task: str) -> str:
    if task == "generate" and not any(map(_is_sampler, available_models())):
        return "make one with `img2img train dcgan`, then --model RUN"
    return "`img2img models` lists those at hand"


def _is_sampler(path: Path) -> bool:
    try:
        return read_card(path).task == "generate"
    except ModelError:
        return False
