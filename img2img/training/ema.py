"""The exponential moving average of the generators: what previews show and export writes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from img2img.networks.settling_norm import settling_norms


class Ema(nn.Module):
    """Averages parameters of named modules; buffers (batch norm's statistics) are copied as they are.

    Norms that settle do so when the modules' own do.
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        super().__init__()
        self._live = dict(modules)  # a plain dict: not ours to save
        self._decay = decay
        self.averages = nn.ModuleDict({name: deepcopy(module) for name, module in modules.items()})
        self.averages.requires_grad_(False).eval()

    def start_from(self, averages: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over the weights of earlier averages, by the modules' names; like any start, they do not linger."""
        for name, weights in averages.items():
            self.averages[name].load_state_dict(weights)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move toward the live weights; the first steps forget faster, so that the start does not linger."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, live in self._live.items():
            averaged = self.averages[name]
            torch._foreach_lerp_(list(averaged.parameters()), list(live.parameters()), 1 - decay)
            if buffers := list(averaged.buffers()):
                torch._foreach_copy_(buffers, list(live.buffers()))
            for norm, live_norm in zip(settling_norms(averaged), settling_norms(live), strict=True):
                if live_norm.has_settled:
                    norm.settle()

    @contextmanager
    def applied(self, owner: nn.Module) -> Iterator[None]:
        """Put the averages in the place of the live modules of `owner` for as long as the block runs."""
        live: dict[str, Any] = {name: getattr(owner, name) for name in self._live}
        for name, averaged in self.averages.items():
            setattr(owner, name, averaged)
        try:
            yield
        finally:
            for name, module in live.items():
                setattr(owner, name, module)
