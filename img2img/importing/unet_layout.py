"""How U-Net generators lie in the files of pytorch-CycleGAN-and-pix2pix.

Each level is a row of layers with the next level in its middle: "model.model.1.model.3.model.3 ..."; dropout comes last
in a row, so it changes no number.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor

from img2img.importing.generator_layout import (
    GeneratorLayout,
    Layer,
    NormKind,
    UnlikeLayout,
    kernel_shape,
    norm_kind,
)
from img2img.networks.pix2pix_unet import WIDEST, Pix2pixUNet

LEVELS = range(5, 11)
"""unet_128 has 7 and unet_256 has 8; the authors' code can make no fewer than 5."""
OUTERMOST = "model.model"
INNER = re.compile(r"model\.model\.1(\.model\.3)*\.model\.1\.weight")
NATIVE_SIZE = 256


def unet_layout(tensors: Mapping[str, Tensor]) -> GeneratorLayout | None:
    """What a file with levels inside levels should hold; nothing for a file without."""
    levels = 1 + sum(INNER.fullmatch(name) is not None for name in tensors)
    if levels == 1:
        return None
    if levels not in LEVELS:
        raise UnlikeLayout(f"a U-Net of {levels} levels; expected {LEVELS[0]} to {LEVELS[-1]} (unet_128 has 7)")
    first, last = f"{OUTERMOST}.0", f"{OUTERMOST}.3"
    channels, inputs, *_ = kernel_shape(tensors, first, "channels x 3 x 4 x 4, the first of a U-Net")
    outputs = kernel_shape(tensors, last, f"{2 * channels} x 3 x 4 x 4, the last of a U-Net")[1]
    widths = [channels * min(2**level, WIDEST) for level in range(levels)]
    norm = norm_kind(tensors, f"{OUTERMOST}.1.model.2", first)
    return _layout([*_down(inputs, widths), *_up(widths, outputs)], channels, levels, norm)


def _row(level: int) -> str:
    """The name of a level's row; the outermost is 0."""
    return OUTERMOST if level == 0 else f"{OUTERMOST}.1.model" + ".3.model" * (level - 1)


def _down(inputs: int, widths: list[int]) -> list[Layer]:
    """The convolutions down, whose input is rectified first: it has place 0, they have 1, their norms 2."""
    layers = [Layer(f"{OUTERMOST}.0", (widths[0], inputs, 4, 4))]
    for level, (shallow, deep) in enumerate(pairwise(widths), 1):
        innermost = level == len(widths) - 1
        norm = "" if innermost else f"{_row(level)}.2"
        layers.append(Layer(f"{_row(level)}.1", (deep, shallow, 4, 4), norm))
    return layers


def _up(widths: list[int], outputs: int) -> list[Layer]:
    """Those up, from the innermost on: at places 3, and 5 where a level is inside and the way down has a norm."""
    innermost, row = len(widths) - 1, _row(len(widths) - 1)
    layers = [Layer(f"{row}.3", (widths[-1], widths[-2], 4, 4), f"{row}.4", transposed=True)]
    for level in range(innermost - 1, 0, -1):
        shape = (2 * widths[level], widths[level - 1], 4, 4)
        layers.append(Layer(f"{_row(level)}.5", shape, f"{_row(level)}.6", transposed=True))
    return [*layers, Layer(f"{OUTERMOST}.3", (2 * widths[0], outputs, 4, 4), transposed=True, last=True)]


def _layout(layers: list[Layer], channels: int, levels: int, norm: NormKind) -> GeneratorLayout:
    return GeneratorLayout(
        name=f"U-Net of {levels} levels",
        settings={"architecture": "unet", "channels": channels, "levels": levels, "norm": norm},
        norm=norm,
        layers=tuple(layers),
        filters={},
        build=lambda norm: Pix2pixUNet(channels, levels, norm=norm),
        size_multiple=2**levels,
        native_size=2**levels if levels >= 7 else NATIVE_SIZE,
        reach=3 * 2**levels,  # down, a kernel of 4 for each level sees 2 ** level pixels; up, two such on either side
    )
