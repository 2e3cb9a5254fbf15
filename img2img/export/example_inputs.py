"""Inputs of a network by the specs on its card: shapes with numbers in the place of names, random values."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from img2img.model_file import TensorSpec


def fill_shape(spec: TensorSpec, sizes: Mapping[str, int]) -> list[int]:
    """The shape of an input with numbers in the place of its names."""
    return [sizes[size] if isinstance(size, str) else size for size in spec.shape]


def random_input(spec: TensorSpec, sizes: Mapping[str, int], generator: torch.Generator) -> Tensor:
    """Evenly drawn within the input's range; pictures are smooth."""
    shape = fill_shape(spec, sizes)
    low, high = spec.range
    if len(shape) < 4:
        return torch.rand(shape, generator=generator) * (high - low) + low
    height, width = shape[-2:]
    coarse = torch.rand(*shape[:2], max(1, height // 16), max(1, width // 16), generator=generator)
    smooth = nn.functional.interpolate(coarse * (high - low) + low, (height, width), mode="bicubic")
    return smooth.clamp(low, high)
