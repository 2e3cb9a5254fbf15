"""A model file opened for one task: what the objects that run models have in common."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from img2img.atomic_file import is_file
from img2img.errors import MissingModel, ModelError
from img2img.inference.run_model import settled_model
from img2img.inference.runtimes.execution import Execution
from img2img.inference.runtimes.open_runtime import open_runtime
from img2img.lab import Floats
from img2img.model_file import available_models, find_model, read_card, read_model


class OpenedModel:
    """A model by name, file or run, checked to be for `task`; its errors name the file.

    `doing` says in an error what needs such a model. Threads may share it.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        task: str,
        doing: str,
        execution: Execution = Execution(),
    ) -> None:
        path = find_model(settled_model(model, task))
        content, self.card = read_model(path)
        self.source = str(path)
        if self.card.task != task:
            raise ModelError(
                f"{path}: is a model for {self.card.task!r}, and {doing} needs one for {task!r}: "
                + _where_to_find_one(task)
                + _what_it_is_for(self.card.task)
            )
        self._runtime = (
            open_runtime(path, content, self.card, execution)
            if isinstance(execution.runtime, str)
            else execution.runtime
        )

    def run(self, *arrays: Floats) -> Floats:
        """The first output."""
        with self._named():
            return self._runtime.run(*arrays)

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        with self._named():
            return self._runtime.run_all(*arrays)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except ModelError as error:
            raise ModelError(f"{self.source}: {error}") from None


def models_for(task: str) -> list[str]:
    """The names of the models at hand that do this."""
    return [path.stem for path in available_models() if _is_for(task, path)]


def find_reverse(model: str | os.PathLike[str]) -> Path:
    """The file of the model that goes the other way: beside the model's own, or at hand under its name."""
    path = find_model(os.fspath(model))
    name = read_card(path).reverse
    if name is None:
        raise ModelError(f"{path}: its card names no model that goes back; img2img export and import take --reverse")
    return _companion(path, name, "to go back")


def find_critic(model: str | os.PathLike[str]) -> Path:
    """The file of the critic that judges what a translator is given: found as `find_reverse` finds."""
    path = find_model(os.fspath(model))
    name = read_card(path).critic
    if name is None:
        raise ModelError(f"{path}: its card names no critic, so photos get no score; `img2img export --critic` adds it")
    return _companion(path, name, "for scores")


def _companion(path: Path, name: str, purpose: str) -> Path:
    beside = path.with_name(f"{Path(name).name}.onnx")
    if is_file(beside):
        return beside
    if name not in {each.stem for each in available_models()}:
        raise MissingModel(
            f"{beside.name}: not there, and {path.name} needs it {purpose}: keep the two side by side, or "
            "`img2img models add` it"
        )
    return find_model(name)


def _where_to_find_one(task: str) -> str:
    if not models_for(task):
        return _HOW_TO_MAKE_ONE[task]
    return "`img2img models` lists those available"


def _what_it_is_for(task: str) -> str:
    return "" if task == "critic" else f"; this one is for `img2img {task}`"


_HOW_TO_MAKE_ONE = {
    "colorize": "make one with `img2img train colorizer`, then `img2img export`",
    "translate": "make one with `img2img train cyclegan`, then `img2img export`",
    "generate": "make one with `img2img train dcgan`, then --model RUN",
    "critic": "make one with `img2img train cyclegan`, then `img2img export --critic`",
}


def _is_for(task: str, path: Path) -> bool:
    try:
        return read_card(path).task == task
    except ModelError:
        return False
