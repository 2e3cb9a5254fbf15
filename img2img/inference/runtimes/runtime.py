"""What can run a model file's graph, whatever package does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from img2img.errors import ModelError
from img2img.lab import Floats

LARGE = 4_500_000  # numbers in an input, beyond which a run's scratch memory is not worth keeping
_OUT_OF_MEMORY = ("Failed to allocate", "bad_alloc", "bad allocation")  # no exception of its own


class Runtime(Protocol):
    """Inputs, in the card's order and then the optional ones, to outputs, float32; several threads may share it.

    Raises MemoryError where a run needs more than there is, ModelError for all else that fails.
    """

    def run(self, *arrays: Floats) -> Floats:
        """The first output."""
        ...

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]: ...


def failed_run(error: Exception, arrays: Sequence[Floats]) -> MemoryError | ModelError:
    """What a runtime raises where its package raised `error` for these inputs."""
    shapes = ", ".join(str(array.shape) for array in arrays)
    if any(words in str(error) for words in _OUT_OF_MEMORY):
        return MemoryError(f"the model needs more memory than there is for input {shapes}")
    return ModelError(f"the model fails on input {shapes}: {error_line(error)}")


def error_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
