"""The means of a step's scalars since the last record, kept on the device so that no step waits for them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


class LossWindow:
    """Adds up scalars of the same names, step after step."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None
        self._steps = 0

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        now = torch.stack([value.detach().float() for value in scalars.values()])
        assert self._sums is None or self._names == tuple(scalars), "a recipe's step returns the same scalars each time"
        self._names = tuple(scalars)
        self._sums = now if self._sums is None else self._sums.add_(now)
        self._steps += 1

    def sums(self, over_processes: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """What was added up since `take`, still on the device; `over_processes` as there."""
        return {} if self._sums is None else dict(zip(self._names, over_processes(self._sums), strict=True))

    def take(self, over_processes: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """The means, which are fetched from the device, and a window that is empty again.

        `over_processes` turns the means (K,) of this process into those of all.
        """
        if self._sums is None:
            return {}
        means = over_processes(self._sums / self._steps).tolist()
        self._sums, self._steps = None, 0
        return dict(zip(self._names, means, strict=True))
