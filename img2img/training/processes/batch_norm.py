"""Batch norm over the batch of all processes, so that several with a part each compute what one with the whole does.

torch.nn.SyncBatchNorm needs CUDA; this one runs wherever the processes can add up a tensor.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from img2img.training.processes.collective import DifferentiableSum


class SynchronisedBatchNorm(_BatchNorm):
    """Takes the place of nn.BatchNorm1d, 2d or 3d, with its names and numbers; in eval mode it is that."""

    def __init__(self, plain: _BatchNorm) -> None:
        super().__init__(plain.num_features, plain.eps, plain.momentum, plain.affine)
        assert plain.track_running_stats
        assert plain.momentum is not None
        self.weight, self.bias = plain.weight, plain.bias  # the same objects: an optimizer may know them already
        self.running_mean, self.running_var = plain.running_mean, plain.running_var
        self.num_batches_tracked = plain.num_batches_tracked
        self.train(plain.training)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> the same shape."""
        if not self.training:
            return super().forward(x)
        # Sums of squares lose digits when the mean is large: so they are taken around the running mean.
        shape = (1, -1, *[1] * (x.ndim - 2))
        assert self.running_mean is not None
        centre = self.running_mean.clone()
        around = x.to(torch.promote_types(x.dtype, torch.float32)) - centre.view(shape)
        mean, square, count = self._moments(around)
        variance = (square - mean.square()).clamp_min(0)
        self._follow(centre + mean.detach(), variance.detach() * count / (count - 1))
        y = (around - mean.view(shape)) * (variance + self.eps).rsqrt().view(shape)
        return (y * self.weight.view(shape) + self.bias.view(shape) if self.affine else y).to(x.dtype)

    def _moments(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        """Means of x and of its square for each channel, (C,) each, and of how many values, over all processes."""
        rest = [dimension for dimension in range(x.ndim) if dimension != 1]
        count = x.numel() // x.shape[1] * dist.get_world_size()
        sums = DifferentiableSum.apply(torch.cat([x.sum(rest), x.square().sum(rest)]))
        mean, square = (sums / count).chunk(2)
        return mean, square, count

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions from 2 on."""


def synchronise_batch_norm(network: nn.Module) -> None:
    """Put SynchronisedBatchNorm in the place of every batch norm inside the network that measures its batches."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and child.training and not isinstance(child, SynchronisedBatchNorm):
                setattr(module, name, SynchronisedBatchNorm(child))
