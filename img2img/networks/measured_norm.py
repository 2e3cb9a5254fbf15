"""Instance norms whose statistics can be read and given, so that a picture can be converted tile by tile."""

from collections.abc import Iterator
from typing import TypeGuard

import torch
from torch import Tensor, nn

from img2img.networks.optional_input import WithOptionalInput
from img2img.networks.settling_norm import SettlingNorm

InstanceNorm = nn.InstanceNorm2d | nn.GroupNorm


class Statistics:
    """What the norms of one network share during a pass: the statistics given to them, and those that they measure.

    `measured` is by each norm's first channel: in a pass they may come in another order than among the modules.
    """

    def __init__(self) -> None:
        self.given = torch.empty(0)
        self.measured: dict[int, Tensor] = {}


class MeasuredNorm(nn.Module):
    """An instance norm that reports mean and variance, and takes given ones where the given variance is not negative.

    With given ones, the variance that it reports is around the given mean.
    As (x - mean) / sqrt(variance + eps), two passes over x, since a large mean would drown mean(x^2) - mean^2.
    """

    def __init__(self, norm: InstanceNorm, statistics: Statistics, first: int) -> None:
        super().__init__()
        self.weight: nn.Parameter | None = norm.weight
        self.bias: nn.Parameter | None = norm.bias
        self.eps = norm.eps
        self._statistics = statistics
        self._channels = slice(first, first + channels(norm))

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (1, C, H, W)."""
        given_mean, given_variance = self._statistics.given[:, :, self._channels, None, None].unbind(1)
        measuring = given_variance < 0
        mean = x.mean((2, 3), keepdim=True)
        centred = x - torch.where(measuring, mean, given_mean)
        variance = (centred * centred).mean((2, 3), keepdim=True)
        self._statistics.measured[self._channels.start] = torch.stack([mean, variance], 1).flatten(2)
        scale = (torch.where(measuring, variance, given_variance) + self.eps).rsqrt()
        if self.weight is None or self.bias is None:
            return centred * scale
        return centred * (scale * self.weight.view(-1, 1, 1)) + self.bias.view(-1, 1, 1)


class WithStatistics(WithOptionalInput):
    """A network whose every instance norm is a MeasuredNorm; the network itself is changed.

    `size` is T, the channels of all its norms. It takes one picture at a time, and statistics (1, 2, T): means and
    variances, in the order of the norms among the modules. A negative variance means: measure.
    """

    optional, further = "frozen", "statistics"

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._statistics = Statistics()
        self.size = 0
        for parent, name, norm in list(instance_norms(network)):
            setattr(parent, name, MeasuredNorm(norm, self._statistics, self.size))
            self.size += channels(norm)
        self.network = network

    def forward(self, image: Tensor, frozen: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 3, H, W), (1, 2, T) -> what the network makes of it, and the statistics that its norms measured."""
        self._statistics.given = frozen
        self._statistics.measured = {}
        output = self.network(image)
        return output, torch.cat([measured for _, measured in sorted(self._statistics.measured.items())], 2)

    def neutral(self) -> Tensor:
        """(1, 2, T): every norm measures."""
        return torch.stack([torch.zeros(1, self.size), -torch.ones(1, self.size)], 1)


def instance_norms(network: nn.Module) -> Iterator[tuple[nn.Module, str, InstanceNorm]]:
    """Each norm over one channel of one picture, with its parent and its name in there."""
    for parent in network.modules():
        yield from ((parent, name, child) for name, child in parent.named_children() if _is_instance_norm(child))


def statistics_size(network: nn.Module) -> int:
    """T, the channels of all its instance norms."""
    return sum(channels(norm) for _, _, norm in instance_norms(network))


def _is_instance_norm(module: nn.Module) -> TypeGuard[InstanceNorm]:
    if isinstance(module, SettlingNorm):
        return not module.has_settled
    if isinstance(module, nn.InstanceNorm2d):
        return not module.track_running_stats
    return isinstance(module, nn.GroupNorm) and module.num_groups == module.num_channels


def channels(norm: InstanceNorm) -> int:
    return norm.num_features if isinstance(norm, nn.InstanceNorm2d) else norm.num_channels
