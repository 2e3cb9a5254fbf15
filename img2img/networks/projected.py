"""A discriminator on frozen features (Sauer et al. 2021, Projected GANs Converge Faster, arXiv 2111.01007)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from img2img.networks.blocks import Norm, channel_norm
from img2img.networks.imagenet.encoder import pyramid_channels
from img2img.networks.imagenet.frozen_features import FrozenFeatures

HALVINGS = (2, 1, 0, 0)
"""How often the head of each scale halves its features, from 1/4, 1/8, 1/16 and 1/32 on."""


class ProjectedDiscriminator(nn.Module):
    """(N, 3, H, W) in [-1, 1], sides multiples of 32 -> logits (N, 4 K, H/16, W/16), one plane a scale of K networks.

    The features of each scale pass through fixed random convolutions, across channels (CCM) and from the coarse to the
    fine (CSM): section 3.2. A head of its own judges each; a coarser one's logits are repeated to the finest size, so
    that every scale weighs the same in a mean. Of several networks of `features` each has mixtures and heads of its
    own, the first under the names of a discriminator on it alone. A `conditional` one judges pictures beside others:
    `beside`.
    """

    def __init__(
        self,
        channels: int = 64,
        features: Sequence[str] = ("lite1",),
        *,
        norm: Norm = channel_norm,
        pretrained: bool = True,
        conditional: bool = False,
    ) -> None:
        super().__init__()
        first, *further = features
        self.features = FrozenFeatures(first, pretrained=pretrained)
        widths = [width * (1 + conditional) for width in pyramid_channels(first)[1:]]
        self.across_channels = nn.ModuleList(_fixed(nn.Conv2d(width, channels, 1)) for width in widths)
        self.across_scales = nn.ModuleList(
            _fixed(nn.Conv2d(channels, channels, 3, padding=1)) for _ in pairwise(HALVINGS)
        )
        self.heads = nn.ModuleList(_head(channels, halvings, norm) for halvings in HALVINGS)
        self.further = nn.ModuleList(
            ProjectedDiscriminator(channels, (each,), norm=norm, pretrained=pretrained, conditional=conditional)
            for each in further
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._judged(self.features(x)), *(judge(x) for judge in self.further)], 1)

    def beside(self, given: Tensor) -> Callable[[Tensor], Tensor]:
        """A judge of pictures by their features and those of the `given` ones, from which they were made, together.

        The given ones' features are taken once.
        """
        conditions, further = self.features(given), [judge.beside(given) for judge in self._further()]

        def judge(x: Tensor) -> Tensor:
            pairs = zip(conditions, self.features(x), strict=True)
            logits = self._judged([torch.cat(pair, 1) for pair in pairs])
            return torch.cat([logits, *(each(x) for each in further)], 1)

        return judge

    def _further(self) -> Iterator["ProjectedDiscriminator"]:
        for judge in self.further:
            assert isinstance(judge, ProjectedDiscriminator)
            yield judge

    def _judged(self, features: list[Tensor]) -> Tensor:
        """By the first network's features alone."""
        logits = [head(y) for head, y in zip(self.heads, self._mixed(features), strict=True)]
        finest = logits[0].shape[2:]
        return torch.cat([F.interpolate(one, finest) for one in logits], 1)

    def _mixed(self, features: list[Tensor]) -> list[Tensor]:
        """Each scale's features with those of the coarser ones added, finest first."""
        mixed = [mix(feature) for mix, feature in zip(self.across_channels, features, strict=True)]
        for finer in reversed(range(len(mixed) - 1)):
            coarser = self.across_scales[finer](mixed[finer + 1])
            mixed[finer] = mixed[finer] + F.interpolate(coarser, mixed[finer].shape[2:], mode="bilinear")
        return mixed


def _fixed(conv: nn.Conv2d) -> nn.Conv2d:
    """A random convolution that keeps the variance of what passes through, and that is never trained."""
    nn.init.kaiming_normal_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv.requires_grad_(False)


def _head(channels: int, halvings: int, norm: Norm) -> nn.Sequential:
    """(N, channels, H, W) -> logits (N, 1, H / 2**halvings, W / 2**halvings)."""
    layers: list[nn.Module] = []
    for _ in range(halvings):
        normalise = norm(channels)
        bias = isinstance(normalise, nn.Identity)
        layers += [
            spectral_norm(nn.Conv2d(channels, channels, 4, stride=2, padding=1, bias=bias)),
            normalise,
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(
        *layers,
        spectral_norm(nn.Conv2d(channels, channels, 3, padding=1)),
        nn.LeakyReLU(0.2, inplace=True),
        spectral_norm(nn.Conv2d(channels, 1, 3, padding=1)),
    )
