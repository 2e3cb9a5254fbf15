"""A light U-Net on features of ImageNet, which adds a change to a picture or draws another."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct, Norm, UpBlock, channel_norm, relu
from img2img.networks.imagenet.encoder import PYRAMID_CHANNELS, EfficientNetLite
from img2img.networks.quick_gradients import DepthwiseConv2d

STAGES = 5
"""Stages of the encoder in use: down to 1/16."""
WIDTHS = (96, 64, 48)
"""Channels on the way up, at 1/8, 1/4 and 1/2."""
KERNELS = (5, 5, 3)
RESIDUAL_BLOCKS = 3
"""At 1/4, where stripes are drawn."""
LAST_CHANNELS = 20
"""At the picture's own size, where a channel is dear."""
FIRST_CHANGE = 0.3
"""Factor on the last kernel before training: the first change is slight."""


def _times(width: float, channels: int) -> int:
    """In fours, as processors like them."""
    return max(4, round(channels * width / 4) * 4)


class LightConv(nn.Sequential):
    """Each channel convolved alone, then channels mixed, and one norm after both."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        norm: Norm,
        activation: Callable[[], nn.Module] = relu,
    ) -> None:
        super().__init__(
            DepthwiseConv2d(in_channels, in_channels, kernel, padding=kernel // 2, groups=in_channels, bias=False),
            ConvNormAct(in_channels, out_channels, 1, norm=norm, activation=activation),
        )


class ResidualBlock(nn.Module):
    """x plus two light convolutions of it."""

    def __init__(self, channels: int, kernel: int = 5, *, norm: Norm) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            LightConv(channels, channels, kernel, norm=norm),
            LightConv(channels, channels, kernel, norm=norm, activation=nn.Identity),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = x + self.layers(x)
        return changed

    def begins_without_effect(self) -> "ResidualBlock":
        """The block itself, its last norm's scale 0 (Goyal et al. 2017, arXiv 1706.02677, section 5.1)."""
        nn.init.zeros_(self.layers[-1][-1][1].weight)  # type: ignore[index]
        return self


class ResidualUNet(nn.Module):
    """(N, 3, H, W) in [-1, 1], sides multiples of 16 -> the same; 0.81 M parameters, 0.11 M of them trained at width 1.

    The output is x + change, so what is not to change costs nothing to keep; or, unless it `adds`, drawn from nothing.
    The encoder, EfficientNet-Lite0's first five stages, keeps ImageNet's statistics. It is never trained unless it
    `learns`: it tells from the first step on where the animal is, and with a few hundred pictures, and no pairs, it
    would only forget that. `width` times as many channels on the way up need about its square of time and weights.
    `context` residual blocks at 1/16, where a place sees the most around it, begin as if they were not there.
    """

    def __init__(
        self,
        *,
        adds: bool = True,
        learns: bool = False,
        norm: Norm = channel_norm,
        width: float = 1.0,
        context: int = 0,
    ) -> None:
        super().__init__()
        widths, last_channels = [_times(width, channels) for channels in WIDTHS], _times(width, LAST_CHANNELS)
        self.adds, self.learns = adds, learns
        self.encoder = EfficientNetLite(3, stages=STAGES).requires_grad_(learns).eval()
        *skips, before = PYRAMID_CHANNELS[: len(WIDTHS) + 1]
        self.context = nn.Sequential(
            *(ResidualBlock(before, norm=norm).begins_without_effect() for _ in range(context))
        )
        self.decoder = nn.ModuleList()
        for skip, channels, kernel in zip(reversed(skips), widths, KERNELS, strict=True):
            self.decoder.append(
                UpBlock(before, skip, channels, kernel=kernel, norm=norm, mix=partial(LightConv, norm=norm))
            )
            before = channels
        self.blocks = nn.Sequential(*(ResidualBlock(widths[1], norm=norm) for _ in range(RESIDUAL_BLOCKS)))
        self.project = nn.Conv2d(before, last_channels, 1)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.colours = nn.Conv2d(3, last_channels, 3, padding=1)
        self.head = nn.Conv2d(last_channels, 3, 3, padding=1)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        if adds:
            self.head.weight.data.mul_(FIRST_CHANGE)

    def forward(self, x: Tensor) -> Tensor:
        eighth, quarter, half = self.decoder
        *skips, y = self.encoder.pyramid(x)
        y = eighth(self.context(y), skips[2])
        y = self.blocks(quarter(y, skips[1]))
        y = half(y, skips[0])
        drawn: Tensor = self.head(F.relu(self.enlarge(self.project(y)) + self.colours(x), inplace=True))
        return self._bounded(x + drawn) if self.adds else drawn.tanh()

    def _bounded(self, y: Tensor) -> Tensor:
        """Within [-1, 1]; the gradient passes as if it were not, or what once is too bright could never darken."""
        if not self.training:
            return y.clamp(-1, 1)
        return y + (y.clamp(-1, 1) - y).detach()

    def train(self, mode: bool = True) -> "ResidualUNet":
        super().train(mode)
        self.encoder.eval()
        self.encoder.fold_norms(mode and not self.learns)
        return self
