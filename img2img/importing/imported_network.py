"""A recognised checkpoint as a network of ours, which computes what the authors' does when it makes a picture."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from img2img.importing.generator_layout import GeneratorLayout, Layer
from img2img.networks.blocks import ConvNormAct, Norm, TransposedUp, channel_norm

LUMA = torch.tensor((0.299, 0.587, 0.114))
"""Grey of RGB (ITU-R BT.601), as Pillow makes it and so the authors' code did."""
EPS = 1e-5


def imported_network(layout: GeneratorLayout, tensors: Mapping[str, Tensor], *, running: bool) -> nn.Module:
    """(1, 3, H, W) in [-1, 1] -> the same, in eval mode, without dropout.

    Batch norms become instance norms with their own scale and shift, which a batch of one makes of them; or, if
    `running`, a part of the convolutions before them, with the statistics of the training. Grey ends become RGB ones.
    """
    network = layout.build(_norm(layout, running))
    units = [one for one in network.modules() if isinstance(one, ConvNormAct | TransposedUp)]
    for layer, unit in zip(layout.layers, units, strict=True):
        unit.load_state_dict(_in_colour(_weights(layer, layout, tensors, running), layer, layout))
    return network.eval()


def _norm(layout: GeneratorLayout, running: bool) -> Norm:
    if layout.norm == "none" or running:
        return nn.Identity
    return partial(channel_norm, affine=layout.norm == "batch")


def _weights(layer: Layer, layout: GeneratorLayout, tensors: Mapping[str, Tensor], running: bool) -> dict[str, Tensor]:
    """Under the names of a convolution and its norm in a row. A bias that an instance norm takes away is left out."""
    weight = tensors[f"{layer.conv}.weight"]
    bias = tensors.get(f"{layer.conv}.bias", torch.zeros(layer.channels))
    if not layer.norm or layout.norm == "none":
        return {"0.weight": weight, "0.bias": bias}
    if layout.norm == "instance":
        return {"0.weight": weight}
    if running:
        return _folded(layer, tensors)
    return {"0.weight": weight} | {f"1.{part}": tensors[f"{layer.norm}.{part}"] for part in ("weight", "bias")}


def _folded(layer: Layer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Batch norm in eval mode, (x - mean) / sqrt(variance + eps) * scale + shift, as a part of the convolution."""
    scale, shift, mean, variance = (
        tensors[f"{layer.norm}.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = scale * (variance + EPS).rsqrt()
    weight = tensors[f"{layer.conv}.weight"] * factor.view((1, -1, 1, 1) if layer.transposed else (-1, 1, 1, 1))
    return {"0.weight": weight, "0.bias": shift - mean * factor}


def _in_colour(weights: dict[str, Tensor], layer: Layer, layout: GeneratorLayout) -> dict[str, Tensor]:
    """A convolution of grey pictures takes RGB ones, and one that draws grey draws it three times."""
    weight = weights["0.weight"]
    if layer is layout.layers[0] and layout.input_channels == 1:
        weights["0.weight"] = weight * LUMA.view(1, 3, 1, 1)
    if layer is layout.layers[-1] and layout.output_channels == 1:
        weights["0.weight"] = weight.repeat_interleave(3, 1 if layer.transposed else 0)
        weights["0.bias"] = weights["0.bias"].repeat(3)
    return weights
