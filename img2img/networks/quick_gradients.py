"""Layers whose gradients take a CPU half the time or less: the same numbers up to rounding, taken another way."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.grad import conv2d_input, conv2d_weight

STRIP = 3
"""Columns of a kernel whose gradient oneDNN has fast code for; with more, channels are taken as if they were mixed."""


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel alone; on a CPU a wide kernel gets its gradient strip by strip.

    With strides in bfloat16 the gradient of what came in is taken as a convolution of its own: oneDNN's takes 20 times
    as long.
    """

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not self._slow_back(x, weight, bias):
            plain: Tensor = super()._conv_forward(x, weight, bias)
            return plain
        if torch.is_autocast_enabled(x.device.type):
            x, weight = (each.to(torch.get_autocast_dtype(x.device.type)) for each in (x, weight))
        y: Tensor = _Depthwise.apply(x, weight, self.stride, self.padding)
        return y if bias is None else y + bias.to(y.dtype)[:, None, None]

    def _slow_back(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        if self.padding_mode != "zeros" or x.device.type != "cpu":
            return False
        wide = self.kernel_size[1] > STRIP and bias is None and self.training and weight.requires_grad
        strided = self.stride[1] > 1 and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()
        return wide or strided


class ChannelNorm(nn.GroupNorm):
    """A group norm with one channel a group; with channels last PyTorch's own takes a CPU four times as long back."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__(channels, channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last):
            y: Tensor = _NormOfEachSample.apply(x, self.weight, self.bias, self.eps)
            return y
        return super().forward(x)


class _Depthwise(Function):
    """Of kernels with odd sides and as much padding as keeps the size at stride 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, kernel)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, kernel, None, stride, padding, groups=len(kernel))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, kernel = ctx.saved_tensors
        of_x = _input_gradient(x, kernel, gradient, ctx.stride, ctx.padding) if ctx.needs_input_grad[0] else None
        of_kernel = _kernel_gradient(x, kernel, gradient, ctx.stride, ctx.padding) if ctx.needs_input_grad[1] else None
        return of_x, of_kernel, None, None


def _input_gradient(
    x: Tensor, kernel: Tensor, gradient: Tensor, stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """In bfloat16 with strides from the gradient with zeros between its places, by the kernel turned round."""
    if max(stride) == 1 or gradient.dtype != torch.bfloat16:
        of_x: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            x.shape, kernel, gradient, stride, padding, groups=len(kernel)
        )
        return of_x
    samples, channels, height, width = x.shape
    apart = gradient.new_zeros((samples, height, width, channels)).permute(0, 3, 1, 2)
    apart[:, :, :: stride[0], :: stride[1]] = gradient
    return F.conv2d(apart, kernel.flip(2, 3), padding=padding, groups=channels)


def _kernel_gradient(
    x: Tensor, kernel: Tensor, gradient: Tensor, stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """Of each strip of columns from the part of `x` that these columns pass over."""
    (channels, _, rows, width), (down, across) = kernel.shape, padding
    passed = (gradient.shape[3] - 1) * stride[1]
    strips = []
    for first in range(0, width, STRIP):
        columns = min(STRIP, width - first)
        beyond = first + passed + columns - across - x.shape[3]
        seen = F.pad(x, (across - first, beyond, down, down))  # below 0 it cuts away
        size = (channels, 1, rows, columns)
        strips.append(conv2d_weight(seen, size, gradient, stride, groups=channels))  # type: ignore[no-untyped-call]
    return torch.cat(strips, 3)


class _NormOfEachSample(Function):
    """Forward as a group norm, back as a batch norm of each sample alone, which is the same."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
        samples, channels, height, width = x.shape
        y, mean, deviation = torch.native_group_norm(x, weight, bias, samples, channels, height * width, channels, eps)
        ctx.save_for_backward(x, weight, mean, deviation)
        ctx.eps = eps
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        x, weight, means, deviations = ctx.saved_tensors
        asked = [True, weight is not None, weight is not None]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_x, of_weight, of_bias = zip(
            *(
                torch.ops.aten.native_batch_norm_backward(
                    back, one, weight, None, None, mean, deviation, True, ctx.eps, asked
                )
                for back, one, mean, deviation in zip(
                    torch.split(gradient, 1), torch.split(x, 1), means, deviations, strict=True
                )
            ),
            strict=True,
        )
        if weight is None:
            return torch.cat(of_x), None, None, None
        return torch.cat(of_x), torch.stack(of_weight).sum(0), torch.stack(of_bias).sum(0), None
