"""pix2pix's generator: a U-Net of strided convolutions (Isola et al. 2017, arXiv 1611.07004, 6.1.1)."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct, Norm, TransposedUp, normal_init

WIDEST = 8
"""Times the channels of the first level."""
DROPPED = 3
"""Levels on the way up, from the deepest on, that dropout follows."""


class Pix2pixUNet(nn.Module):
    """(N, 3, H, W) in [-1, 1], sides multiples of 2 ** levels -> the same: C64 C128 C256 C512 ..., and back.

    Of the two ends neither has a norm: the first convolution, nor the last one down, which sees 1 x 1 pixels where the
    picture has 2 ** levels. What a level hands across is rectified on the way up, however it was on the way down.
    Dropout, the method's only noise, is given from outside: who trains draws it as a function of the sample.
    """

    def __init__(self, channels: int = 64, levels: int = 8, *, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.widths = widths = [channels * min(2**level, WIDEST) for level in range(levels)]
        down = partial(ConvNormAct, kernel=4, stride=2)
        self.down = nn.ModuleList([down(3, channels, norm=nn.Identity, activation=_leaky)])
        for level, (shallow, deep) in enumerate(pairwise(widths), 2):
            self.down.append(down(shallow, deep, norm=norm if level < levels else nn.Identity, activation=_leaky))
        self.up = nn.ModuleList([TransposedUp(widths[-1], widths[-2], norm=norm)])
        for deep, shallow in pairwise(widths[-2::-1]):
            self.up.append(TransposedUp(2 * deep, shallow, norm=norm))
        self.last = TransposedUp(2 * channels, 3, norm=nn.Identity, activation=nn.Tanh)
        normal_init(self)

    def dropped(self, high: int, wide: int) -> list[tuple[int, int, int]]:
        """(C, h, w) of what each dropout sees of a picture of that size."""
        scales = [2 ** (len(self.widths) - level) for level in range(1, DROPPED + 1)]
        widths = self.widths[-2::-1]
        return [(width, high // scale, wide // scale) for width, scale in zip(widths, scales, strict=False)]

    def forward(self, x: Tensor, dropout: Sequence[Tensor] = ()) -> Tensor:
        """`dropout` has a factor (N, C, h, w) for each of `dropped`, or is empty: nothing is dropped."""
        across = []
        for down in self.down:
            x = down(x)
            across.append(x)
        x = across.pop().relu()
        for level, up in enumerate(self.up):
            drawn = up(x)
            if level < len(dropout):
                drawn = drawn * dropout[level]
            x = torch.cat([across.pop().relu(), drawn], 1)
        picture: Tensor = self.last(x)
        return picture


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.2)
