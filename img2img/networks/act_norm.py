"""A norm whose statistics are measured once, so that no place of a picture depends on what stands in another."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ActNorm(nn.Module):
    """(N, C, H, W) -> the same, each channel by fixed statistics to mean 0 and variance 1, with a scale and a shift.

    The statistics are those of the first batch in training (Kingma & Dhariwal 2018, Glow, arXiv 1807.03039, section
    3.1). An instance norm takes each picture's own, which gives every picture the same share of each feature: one
    with a small zebra gets its stripes on the grass. Its weights can be loaded, and have the first batch measured.
    """

    mean: Tensor
    variance: Tensor
    measured: Tensor
    """Whether the statistics are known: 0 or 1, an integer, which every backend of several processes can send."""

    def __init__(self, channels: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("measured", torch.zeros((), dtype=torch.int64))
        self._measures = True  # what the buffer says: asking that would make a GPU wait at every pass
        self.average: Callable[[Tensor], Tensor] = _alone
        """The mean of a tensor over all processes of the run, each of which has an equal part of the batch."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self._measures:
            self._measure(x)
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=self.eps)

    @torch.no_grad()
    def _measure(self, x: Tensor) -> None:
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        self.mean.copy_(self.average(x.mean((0, 2, 3))))
        self.variance.copy_(self.average((x - self.mean.view(-1, 1, 1)).square().mean((0, 2, 3))))
        self.measured.fill_(1)
        self._measures = False

    def as_batch_norm(self) -> nn.BatchNorm2d:
        """The same in eval mode."""
        norm = nn.BatchNorm2d(len(self.weight), eps=self.eps)
        statistics = {"running_mean": self.mean, "running_var": self.variance, "num_batches_tracked": self.measured}
        norm.load_state_dict({"weight": self.weight, "bias": self.bias, **statistics})
        return norm.eval()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        if f"{prefix}measured" not in state_dict:  # an instance norm's
            state_dict |= {f"{prefix}{name}": buffer for name, buffer in self.named_buffers()}
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._measures = not self.measured


def _alone(values: Tensor) -> Tensor:
    return values
