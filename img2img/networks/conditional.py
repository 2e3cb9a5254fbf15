"""Conditional players (Mirza & Osindero 2014, arXiv 1411.1784): what to draw goes into both."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.dcgan import DcganDiscriminator
from img2img.networks.imagenet.encoder import OUT_CHANNELS, EfficientNetLite


class LabelEmbedding(nn.Module):
    """A label's one-hot vector (N, classes), as it is."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.size = classes

    def forward(self, one_hot: Tensor) -> Tensor:
        return one_hot


class PictureEmbedding(nn.Module):
    """A picture (N, 3, S, S) in [-1, 1] -> (N, 320) features of ImageNet's encoder, of mean 0 and variance 1.

    It is never trained, and stays in eval mode: its batch norms keep ImageNet's statistics.
    """

    size = OUT_CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(in_channels=3).requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        features, _ = self.encoder(image)
        return F.layer_norm(features.mean((2, 3)), (self.size,))

    def train(self, mode: bool = True) -> "PictureEmbedding":
        return super().train(False)


class ConditionalGenerator(nn.Module):
    """Latents (N, z_dim) and conditions -> pictures; `generator` takes z and the condition's embedding joined.

    `gain` multiplies the embedding, so that its elements are as large as those of z.
    """

    def __init__(self, embedding: LabelEmbedding | PictureEmbedding, generator: nn.Module, gain: float = 1.0) -> None:
        super().__init__()
        self.embedding = embedding
        self.generator = generator
        self.gain = gain

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        return self.draw(z, self.embedding(condition))

    def draw(self, z: Tensor, embedded: Tensor) -> Tensor:
        """As `forward`, for conditions that are embedded already."""
        image: Tensor = self.generator(torch.cat([z, self.gain * embedded], 1))
        return image


class ConditionalDiscriminator(nn.Module):
    """Pictures (N, C, S, S) and embedded conditions (N, size) -> logits (N, 1).

    The condition becomes planes beside the colour channels, one a label. Of a long embedding only `planes` learnt
    mixtures do.
    """

    def __init__(self, discriminator: DcganDiscriminator, size: int, planes: int) -> None:
        super().__init__()
        self.plane_count = planes
        self.planes = nn.Linear(size, planes) if planes < size else nn.Identity()
        self.discriminator = discriminator

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        planes = self.planes(embedded)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        logits: Tensor = self.discriminator(torch.cat([x, planes], 1))
        return logits
