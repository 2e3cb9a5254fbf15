"""TGAN (Saito et al. 2017, arXiv 1611.06624): one latent a frame, an image generator, a critic over space and time."""

from functools import partial
from itertools import pairwise
from math import log2

import torch
from torch import Tensor, nn

from img2img.networks.blocks import normal_init
from img2img.networks.dcgan import SEED_SIZE, DcganGenerator, stage_count


class TemporalGenerator(nn.Module):
    """A video's latent (N, inputs) -> one latent a frame, (N, T, outputs) in [-1, 1]; T is a power of 2 (table 1)."""

    def __init__(self, inputs: int, outputs: int, frames: int, channels: int = 128) -> None:
        super().__init__()
        widths = [inputs, *[channels] * (int(log2(frames)) - 1), outputs]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.ConvTranspose1d(before, after, 4, stride=2, padding=1), nn.BatchNorm1d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-2], nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        latents: Tensor = self.layers(z[:, :, None])
        return latents.transpose(1, 2)


class VideoGenerator(nn.Module):
    """Latents (N, inputs) -> videos (N, image_channels, T, S, S) in [-1, 1].

    Each frame is drawn from its own latent beside the video's; one projection takes both (the paper's table 1
    projects each into half of the channels).
    """

    def __init__(
        self, inputs: int, image_channels: int, image_size: int, frames: int, channels: int, upsampling: str
    ) -> None:
        super().__init__()
        self.frames = frames
        self.temporal = TemporalGenerator(inputs, inputs, frames)
        self.image = DcganGenerator(2 * inputs, image_channels, image_size, channels, upsampling)

    def forward(self, z: Tensor) -> Tensor:
        moving = self.temporal(z).flatten(0, 1)
        still = z.repeat_interleave(self.frames, 0)
        frames: Tensor = self.image(torch.cat([still, moving], 1))
        return frames.view(-1, self.frames, *frames.shape[1:]).transpose(1, 2)


class VideoCritic(nn.Module):
    """Videos (N, image_channels, T, S, S) -> logits (N, 1), by convolutions over space and time; T is S / 4 or more."""

    def __init__(self, image_channels: int, image_size: int, frames: int, channels: int = 64) -> None:
        super().__init__()
        stages = stage_count(image_size)
        widths = [image_channels, *(channels * 2**stage for stage in range(stages))]
        conv = partial(nn.Conv3d, kernel_size=4, stride=2, padding=1)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [conv(before, after), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(widths[-1] * SEED_SIZE**2 * (frames >> stages), 1)
        normal_init(self)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits
