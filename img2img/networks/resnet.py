"""CycleGAN's generator: a ResNet between two halvings and two doublings (Zhu et al. 2017, arXiv 1703.10593, 7.2)."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from img2img.networks.blocks import (
    BlurredDown,
    ConvNormAct,
    Norm,
    ResizeUp,
    SeparableConv,
    TransposedUp,
    channel_norm,
    normal_init,
)

DOWNSAMPLING: dict[str, Callable[..., nn.Module]] = {"strided": partial(ConvNormAct, stride=2), "blurred": BlurredDown}
UPSAMPLING: dict[str, Callable[..., nn.Module]] = {
    "transposed": partial(TransposedUp, kernel=3),
    "resize": ResizeUp,
    "bilinear": partial(ResizeUp, mode="bilinear"),
}

_instance_norm = partial(channel_norm, affine=False)


class ResnetBlock(nn.Module):
    """Two convolutions of 3 x 3 with norms, whose sum with the input comes out.

    `separable`: each a depthwise and a 1 x 1 convolution, as in GAN Compression (Li et al. 2020, arXiv 2003.08936).
    """

    def __init__(self, channels: int, separable: bool, norm: Norm) -> None:
        super().__init__()
        conv = SeparableConv if separable else ConvNormAct
        self.layers = nn.Sequential(
            conv(channels, channels, norm=norm, padding_mode="reflect"),
            conv(channels, channels, norm=norm, padding_mode="reflect", activation=nn.Identity),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y


class ResnetGenerator(nn.Module):
    """(N, 3, H, W) in [-1, 1], sides multiples of 4 -> the same: c7s1-64, d128, d256, R256 x 9, u128, u64, c7s1-3.

    `up` is "transposed" as in the paper, "resize": enlarge, then convolve, which leaves no checkerboards, or
    "bilinear", which is smoother. `down` is "strided" as in the paper, or "blurred"; blurred and bilinear are those of
    CUT (Park et al. 2020, arXiv 2007.15651). The authors' convolutions have biases in front of the instance norms too,
    which the norms take away again.
    """

    def __init__(
        self,
        channels: int = 64,
        blocks: int = 9,
        *,
        separable: bool = False,
        down: str = "strided",
        up: str = "transposed",
        norm: Norm = _instance_norm,
    ) -> None:
        super().__init__()
        shrink, enlarge = DOWNSAMPLING[down], UPSAMPLING[up]
        self.layers = nn.Sequential(
            ConvNormAct(3, channels, 7, norm=norm, padding_mode="reflect"),
            shrink(channels, 2 * channels, norm=norm),
            shrink(2 * channels, 4 * channels, norm=norm),
            *(ResnetBlock(4 * channels, separable, norm) for _ in range(blocks)),
            enlarge(4 * channels, 2 * channels, norm=norm),
            enlarge(2 * channels, channels, norm=norm),
            ConvNormAct(channels, 3, 7, norm=nn.Identity, activation=nn.Tanh, padding_mode="reflect"),
        )
        normal_init(self)

    def forward(self, x: Tensor) -> Tensor:
        translated: Tensor = self.layers(x)
        return translated
