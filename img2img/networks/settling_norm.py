"""An instance norm that settles: at first by each picture's own statistics, then for good by their averages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.quick_gradients import ChannelNorm

MOMENTUM = 0.01
"""Share of the newest batch in the averages; the first batches weigh alike, so that what stood there does not."""


class SettlingNorm(ChannelNorm):
    """(N, C, H, W) -> the same, each channel to mean 0 and variance 1, with a scale and a shift.

    Until `settle` by the statistics of each picture alone, like an instance norm, whose weights it takes; `following`
    averages them over batches. From then on by these averages: no place of a picture depends on what stands in
    another, where an instance norm gives every picture the same share of each feature, and one with a small zebra gets
    its stripes on the grass. Settled norms are the activation norms of Glow (Kingma & Dhariwal 2018, arXiv 1807.03039,
    section 3.1), but for statistics of a trained network, not of its first batch.
    """

    mean: Tensor
    variance: Tensor
    """Averages over the batches of their pictures' own means and variances."""
    measured: Tensor
    """Batches in these averages."""
    settled: Tensor
    """0 or 1, an integer, which every backend of several processes can send."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("measured", torch.zeros((), dtype=torch.int64))
        self.register_buffer("settled", torch.zeros((), dtype=torch.int64))
        self.has_settled = False  # what the buffer says: asking that would make a GPU wait at every pass
        self.follows = False

    def forward(self, x: Tensor) -> Tensor:
        if self.has_settled:
            return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=self.eps)
        if self.training and self.follows:
            self._follow(x)
        return super().forward(x)

    @torch.no_grad()
    def settle(self) -> None:
        """Keep the averages from now on."""
        if not self.has_settled:
            self.settled.fill_(1)
            self.has_settled = True

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        """Linear in the batch's pictures: averaged over processes with a part each, it is that of the whole batch."""
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = x.mean((2, 3))
        variance = (x - mean[:, :, None, None]).square().mean((2, 3))  # a tenth of the time of var_mean, channels last
        share = (1 / (self.measured + 1)).clamp(min=MOMENTUM).to(mean.dtype)
        self.mean.lerp_(mean.mean(0), share)
        self.variance.lerp_(variance.mean(0), share)
        self.measured.add_(1)

    def as_batch_norm(self) -> nn.BatchNorm2d:
        """The same in eval mode, of one that has settled."""
        norm = nn.BatchNorm2d(self.num_channels, eps=self.eps)
        statistics = {"running_mean": self.mean, "running_var": self.variance, "num_batches_tracked": self.measured}
        norm.load_state_dict({"weight": self.weight, "bias": self.bias, **statistics})
        return norm.eval()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        if f"{prefix}measured" not in state_dict:  # an instance norm's
            state_dict |= {
                f"{prefix}{name}": buffer for name, buffer in SettlingNorm(self.num_channels).named_buffers()
            }
        if f"{prefix}settled" not in state_dict:  # of a version whose norms kept what one batch had measured
            state_dict[f"{prefix}settled"] = state_dict[f"{prefix}measured"]
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.has_settled = bool(self.settled)


@contextmanager
def following(*networks: nn.Module) -> Iterator[None]:
    """Let the averages of the networks' settling norms follow what passes through them in training."""
    norms = list(settling_norms(*networks))
    for norm in norms:
        norm.follows = True
    try:
        yield
    finally:
        for norm in norms:
            norm.follows = False


def settling_norms(*networks: nn.Module) -> Iterator[SettlingNorm]:
    """All that the networks have."""
    yield from (module for network in networks for module in network.modules() if isinstance(module, SettlingNorm))
