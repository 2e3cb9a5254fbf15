"""What Colorizer, Translator and Sampler have in common as Python objects: how they read, and how they travel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from img2img.errors import ModelError
from img2img.inference.opened_model import OpenedModel
from img2img.inference.runtimes.execution import Execution
from img2img.model_file import ModelCard, named_model


class ModelObject:
    """One opened model. It can be pickled: what arrives opens the model anew, by its name or its file's path.

    Threads may share one. Subclasses open `_model` and are opened as `cls(model, device=, threads=, runtime=)`.
    """

    _model: OpenedModel
    _execution: Execution

    @property
    def card(self) -> ModelCard:
        """What the model is, how it was made, how good it was measured to be."""
        return self._model.card

    @property
    def source(self) -> str:
        """The model's file."""
        return self._model.source

    def __repr__(self) -> str:
        """Such as <Colorizer colorizer: colorize, about 256 x 256 px, 2.4 M parameters>."""
        kind, card = type(self).__name__, self.card
        return f"<{kind} {card.name}: {card.task}, {self._size()}, {card.parameters / 1e6:.1f} M parameters>"

    def _size(self) -> str:
        side = self.card.native_size
        return f"about {side} x {side} px"

    def __reduce__(self) -> tuple[object, ...]:
        where = self._execution
        if not isinstance(where.runtime, str):
            raise TypeError(f"{self!r}: cannot be pickled, for it runs on a runtime that its caller opened")
        path = Path(self.source)
        model = path.stem if named_model(path.stem) == path else str(path.absolute())
        return _reopened, (type(self), model, where, self.card.sha256)


def _reopened(kind: Callable[..., Any], model: str, where: Execution, sha256: str) -> Any:
    """The same model, opened again. ModelError where its file is gone, or another one by now."""
    opened = kind(model, device=where.device, threads=where.threads, runtime=where.runtime)
    if opened.card.sha256 != sha256:
        raise ModelError(f"{model}: is another model than the one that was pickled: load it again, and pickle that")
    return opened
