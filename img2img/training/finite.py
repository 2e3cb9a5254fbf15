"""Finds what is not finite any more, with one wait for the device."""

from collections.abc import Mapping
from math import inf, isfinite

import torch
from torch import Tensor


@torch.no_grad()
def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of the floating tensors that hold a NaN or an infinity."""
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel()}
    if not floating:
        return []
    largest = torch.stack([norm.double() for norm in torch._foreach_norm(list(floating.values()), inf)])
    return [name for name, value in zip(floating, largest.tolist(), strict=True) if not isfinite(value)]
