"""Weights as 16 or 8 bits hold them."""

import torch
from torch import nn


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round the kernels to what fp16 holds, in place; norms and biases keep float32, they are few."""
    for parameter in network.parameters():
        if parameter.ndim >= 2:
            parameter.copy_(parameter.half())


SCALE_BITS = 11
"""Significant bits of a channel's scale: few enough that float32 holds its products with 8-bit numbers exactly."""


@torch.no_grad()
def round_to_bytes(network: nn.Module) -> None:
    """Round the kernels to whole multiples, -127 to 127, of a scale for each output channel, in place.

    For frozen features that are only looked at: their error is about 1% of a weight's typical size.
    """
    for parameter in network.parameters():
        if parameter.ndim == 4:
            largest = parameter.abs().amax((1, 2, 3), keepdim=True)
            mantissa, exponent = torch.frexp(largest / 127)
            scale = torch.ldexp((mantissa * 2**SCALE_BITS).round(), exponent - SCALE_BITS)
            steps = (parameter / scale.where(scale > 0, 1)).round().clamp(-127, 127)
            parameter.copy_(steps * scale)
