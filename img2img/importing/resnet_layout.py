"""How ResNet generators lie in the files of pytorch-CycleGAN-and-pix2pix, and of CUT and FastCUT.

Their networks are one row of layers, "model.N", padding and activations counted; residual blocks are rows again,
"model.N.conv_block.M". What changes the numbers: how many blocks there are, dropout in the blocks, and antialiasing,
which CUT has unless it was told --no_antialias or --no_antialias_up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from img2img.importing.generator_layout import GeneratorLayout, Layer, NormKind, kernel_shape, norm_kind
from img2img.networks.resnet import ResnetGenerator

NATIVE_SIZE = 256
"""The authors' own crop size."""
SIZE_MULTIPLE = 4


@dataclass
class _Row:
    """The layers of "model.N", written down from the first to the last."""

    layers: list[Layer] = field(default_factory=list)
    filters: dict[str, Tensor] = field(default_factory=dict)
    place: int = 0

    def conv(self, inputs: int, outputs: int, kernel: int, *, padded: bool = False, transposed: bool = False) -> None:
        """A convolution, its norm and its activation; `padded`: a layer of padding comes before it."""
        place = self.place + padded
        shape = (inputs, outputs, kernel, kernel) if transposed else (outputs, inputs, kernel, kernel)
        self.layers.append(Layer(f"model.{place}", shape, f"model.{place + 1}", transposed))
        self.place = place + 3

    def filter(self, channels: int, *weights: float) -> None:
        """Antialiasing: the filter times itself, the same for each channel."""
        line = torch.tensor(weights)
        self.filters[f"model.{self.place}.filt"] = torch.outer(line, line).expand(channels, 1, -1, -1)
        self.place += 1

    def block(self, channels: int, dropout: bool) -> None:
        """Two convolutions, each with padding before it; dropout stands between them."""
        shape = (channels, channels, 3, 3)
        for conv in (1, 6 if dropout else 5):
            name = f"model.{self.place}.conv_block"
            self.layers.append(Layer(f"{name}.{conv}", shape, f"{name}.{conv + 1}"))
        self.place += 1

    def last(self, inputs: int, outputs: int) -> None:
        self.layers.append(Layer(f"model.{self.place + 1}", (outputs, inputs, 7, 7), last=True))


@dataclass(frozen=True)
class _Make:
    """What the authors' options decided, as far as the tensors tell."""

    channels: int
    inputs: int
    outputs: int
    blocks: int
    dropout: bool
    blurred: bool
    bilinear: bool

    def row(self) -> _Row:
        row, channels = _Row(), self.channels
        row.conv(self.inputs, channels, 7, padded=True)
        for width in (channels, 2 * channels):
            row.conv(width, 2 * width, 3)
            if self.blurred:
                row.filter(2 * width, 0.25, 0.5, 0.25)
        for _ in range(self.blocks):
            row.block(4 * channels, self.dropout)
        for width in (4 * channels, 2 * channels):
            if self.bilinear:
                row.filter(width, 0.25, 0.75, 0.75, 0.25)
            row.conv(width, width // 2, 3, transposed=not self.bilinear)
        row.last(channels, self.outputs)
        return row

    def layout(self, norm: NormKind) -> GeneratorLayout:
        row = self.row()
        size = {"channels": self.channels, "blocks": self.blocks}
        down, up = "blurred" if self.blurred else "strided", "bilinear" if self.bilinear else "transposed"
        ways = {"down": down, "up": up, "norm": norm, "dropout": self.dropout}
        return GeneratorLayout(
            name=f"ResNet with {self.blocks} blocks",
            settings={"architecture": "resnet", **size, **ways},
            norm=norm,
            layers=tuple(row.layers),
            filters=row.filters,
            build=lambda norm: ResnetGenerator(self.channels, self.blocks, down=down, up=up, norm=norm),
            size_multiple=SIZE_MULTIPLE,
            native_size=NATIVE_SIZE,
            reach=24 + 8 * self.blocks,  # a block's two kernels of 3 see 8 pixels, as they are at a quarter of the size
        )


def resnet_layout(tensors: Mapping[str, Tensor]) -> GeneratorLayout | None:
    """What a file with residual blocks should hold; nothing for a file without."""
    blocks = len({match[1] for name in tensors if (match := re.match(r"model\.(\d+)\.conv_block\.", name))})
    if not blocks:
        return None
    blurred = "model.7.filt" in tensors
    after = (12 if blurred else 10) + blocks
    bilinear = f"model.{after}.filt" in tensors
    dropout = any(one.ndim == 4 for name, one in tensors.items() if name.endswith(".conv_block.6.weight"))
    channels, inputs, *_ = kernel_shape(tensors, "model.1", "channels x 3 x 7 x 7, the first of a ResNet")
    last = f"model.{after + (9 if bilinear else 7)}"
    outputs, *_ = kernel_shape(tensors, last, f"3 x {channels} x 7 x 7, the last of a ResNet with {blocks} blocks")
    make = _Make(channels, inputs, outputs, blocks, dropout, blurred, bilinear)
    return make.layout(norm_kind(tensors, "model.2", "model.1"))
