"""The blocks that every generator and discriminator here is built from."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from img2img.networks.quick_gradients import ChannelNorm, DepthwiseConv2d

Norm = Callable[[int], nn.Module]
Padding = Literal["zeros", "reflect"]
relu = partial(nn.ReLU, inplace=True)
"""Over its own input, which neither a convolution nor a norm before it needs on the way back: half the memory."""
BINOMIAL = torch.tensor((1.0, 2.0, 1.0)) / 4


def normal_init(module: nn.Module, std: float = 0.02) -> None:
    """Draw weights from N(0, std) and zero their biases, as DCGAN (arXiv 1511.06434, section 3) does."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Conv3d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def channel_norm(channels: int, *, affine: bool = True) -> nn.GroupNorm:
    """Instance norm: each channel of each sample alone to mean 0 and variance 1; with a scale and a shift if `affine`.

    As a group norm with one channel a group, which is the same and faster with channels last.
    """
    return ChannelNorm(channels, affine=affine)


class ConvNormAct(nn.Sequential):
    """Convolution that keeps the size at stride 1 and halves it at stride 2, normalisation, activation."""

    folds = False
    """Whether a batch norm that is never trained is made part of the kernel for each pass on a CPU: less to compute and
    to keep. An exported graph has them apart."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        norm: Norm = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = relu,
        padding_mode: Padding = "zeros",
    ) -> None:
        normalise = norm(out_channels)
        convolution = DepthwiseConv2d if groups == in_channels == out_channels else nn.Conv2d
        super().__init__(
            convolution(
                in_channels,
                out_channels,
                kernel,
                stride=stride,
                padding=(kernel - 1) // 2,
                groups=groups,
                bias=isinstance(normalise, nn.Identity),  # a norm has a shift of its own, or takes any away
                padding_mode=padding_mode,
            ),
            normalise,
            activation(),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.folds and x.device.type == "cpu":
            return self._folded(x)
        y: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return y

    def _folded(self, x: Tensor) -> Tensor:
        conv, norm, activation = self
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        kernel, bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        y: Tensor = activation(conv._conv_forward(x, kernel, bias))
        return y


class TransposedUp(nn.Sequential):
    """Twice the size by a transposed convolution; neighbours see unlike shares of the kernel, so it checkers."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 4,
        norm: Norm = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = relu,
    ) -> None:
        """`kernel` is 4, or 3 as in CycleGAN."""
        normalise = norm(out_channels)
        bias = isinstance(normalise, nn.Identity)
        super().__init__(
            nn.ConvTranspose2d(
                in_channels, out_channels, kernel, stride=2, padding=1, output_padding=kernel % 2, bias=bias
            ),
            normalise,
            activation(),
        )


class Blur(nn.Module):
    """Half the size by a filter of 1, 2, 1 over every second pixel: less aliases (Zhang 2019, arXiv 1904.11486).

    Sides are even, and 2 or more.
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.outer(BINOMIAL, BINOMIAL)[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        around = nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return nn.functional.conv2d(around, self.kernel.expand(channels, 1, 3, 3), stride=2, groups=channels)


class BlurredDown(nn.Sequential):
    """Convolution, norm and activation at full size, then half the size by a blur."""

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__(ConvNormAct(in_channels, out_channels, norm=norm), Blur())


class ResizeUp(nn.Sequential):
    """Twice the size by repeating pixels or bilinearly, then a convolution (Odena et al. 2016)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm: Norm = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = relu,
        mode: Literal["nearest", "bilinear"] = "nearest",
    ) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode=mode),
            ConvNormAct(in_channels, out_channels, norm=norm, activation=activation),
        )


class SeparableConv(nn.Sequential):
    """Each channel convolved alone, then channels mixed by a 1 x 1 convolution (MobileNet, arXiv 1704.04861)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        norm: Norm = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = relu,
        padding_mode: Padding = "zeros",
    ) -> None:
        super().__init__(
            ConvNormAct(
                in_channels,
                in_channels,
                kernel,
                groups=in_channels,
                norm=norm,
                activation=nn.Identity,
                padding_mode=padding_mode,
            ),
            ConvNormAct(in_channels, out_channels, 1, norm=norm, activation=activation),
        )


class UpBlock(nn.Module):
    """Double the size, add the encoder's features of that size, and mix: one step up a U-Net.

    Projecting before enlarging and adding equals a 1 x 1 convolution on enlarged and joined features, at a quarter of
    the arithmetic. Bilinear, because transposed convolutions leave checkerboards (Odena et al. 2016,
    distill.pub/2016/deconv-checkerboard).
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        *,
        kernel: int = 5,
        norm: Norm = nn.BatchNorm2d,
        mix: Callable[[int, int, int], nn.Module] = SeparableConv,
    ) -> None:
        """`mix` makes each of the two convolutions from its channels before and after, and its kernel."""
        super().__init__()
        self.project = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.skip = nn.Conv2d(skip_channels, out_channels, 1, bias=False)
        self.join = nn.Sequential(norm(out_channels), relu())
        self.mix = nn.Sequential(*(mix(out_channels, out_channels, kernel) for _ in range(2)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, in, H, W) and (N, skip, 2H, 2W) -> (N, out, 2H, 2W)."""
        joined = self.join(self.enlarge(self.project(x)) + self.skip(skip))
        mixed: Tensor = self.mix(joined)
        return mixed
