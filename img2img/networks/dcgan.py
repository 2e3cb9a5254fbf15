"""DCGAN (Radford et al. 2016, arXiv 1511.06434): players that convolve, for pictures of 8, 16, 32 ... px."""

from functools import partial
from itertools import pairwise
from math import log2

from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct, Norm, ResizeUp, TransposedUp, normal_init

SEED_SIZE = 4
"""Side of the smallest feature map, where the generator begins and the discriminator ends."""
WIDEST = 8
"""Feature maps have at most this many times the channels of the largest map."""
UPSAMPLING = {"transposed": TransposedUp, "resize": ResizeUp}


def stage_count(image_size: int) -> int:
    """How many halvings lead from `image_size` to the seed's size; 0 when it is no power of 2 above that."""
    stages = log2(image_size / SEED_SIZE)
    return int(stages) if stages.is_integer() and stages > 0 else 0


def _widths(channels: int, image_size: int) -> list[int]:
    """Channels of the feature maps, largest map first."""
    return [channels * min(2**stage, WIDEST) for stage in range(stage_count(image_size))]


class DcganGenerator(nn.Module):
    """Latents (N, inputs) -> pictures (N, image_channels, S, S) in [-1, 1].

    `upsampling` is "transposed" as in the paper, or "resize": enlarge, then convolve, which leaves no checkerboards.
    """

    def __init__(
        self, inputs: int, image_channels: int, image_size: int, channels: int = 64, upsampling: str = "transposed"
    ) -> None:
        super().__init__()
        up = UPSAMPLING[upsampling]
        widths = _widths(channels, image_size)[::-1]
        self.seed = nn.Sequential(
            nn.Linear(inputs, widths[0] * SEED_SIZE**2, bias=False),
            nn.Unflatten(1, (widths[0], SEED_SIZE, SEED_SIZE)),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        self.layers = nn.Sequential(
            *(up(before, after) for before, after in pairwise(widths)),
            up(widths[-1], image_channels, norm=nn.Identity, activation=nn.Tanh),
        )
        normal_init(self)

    def forward(self, z: Tensor) -> Tensor:
        image: Tensor = self.layers(self.seed(z))
        return image


class DcganDiscriminator(nn.Module):
    """Pictures (N, in, S, S) -> logits (N, 1).

    A critic under a Lipschitz condition takes `norm=nn.Identity`, so that every sample is judged alone.
    """

    def __init__(self, in_channels: int, image_size: int, channels: int = 64, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        block = partial(ConvNormAct, kernel=4, stride=2, activation=partial(nn.LeakyReLU, 0.2))
        widths = _widths(channels, image_size)
        self.features = nn.Sequential(
            block(in_channels, widths[0], norm=nn.Identity),
            *(block(before, after, norm=norm) for before, after in pairwise(widths)),
            nn.Flatten(),
        )
        self.head = nn.Linear(widths[-1] * SEED_SIZE**2, 1)
        normal_init(self)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits
