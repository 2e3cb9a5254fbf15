"""Channels last: the order of numbers in memory in which convolutions are fastest."""

from itertools import chain
from typing import TypeVar

import torch
from torch import Tensor, nn

from img2img.recipes.recipe import Batch

Network = TypeVar("Network", bound=nn.Module)

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(network: Network) -> Network:
    """The network, its kernels of two and three dimensions laid out anew in place, and buffers, as frozen ones are."""
    for tensor in chain(network.parameters(), network.buffers()):
        tensor.data = _laid_out(tensor.data)
    return network


def batch_channels_last(batch: Batch) -> Batch:
    """The batch with pictures and videos laid out so."""
    return {name: _laid_out(tensor) for name, tensor in batch.items()}


def _laid_out(tensor: Tensor) -> Tensor:
    """By `to`: `contiguous` leaves the strides of one channel or of 1 x 1 pixels, and convolutions go by strides."""
    return tensor.to(memory_format=FORMATS.get(tensor.ndim, torch.contiguous_format))
