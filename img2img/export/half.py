"""Weights as half precision holds them."""

import torch
from torch import nn


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round the kernels to what fp16 holds, in place; norms and biases keep float32, they are few."""
    for parameter in network.parameters():
        if parameter.ndim >= 2:
            parameter.copy_(parameter.half())
