"""How much each place of a picture looks like some of ImageNet's classes.

Class activation maps (arXiv 1512.04150) of EfficientNet-Lite0: its classifier reads every place of the last features,
and not their mean alone.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.networks.blocks import ConvNormAct
from img2img.networks.imagenet.encoder import OUT_CHANNELS, EfficientNetLite, batch_norm, published_weights, relu6
from img2img.networks.imagenet.frozen_features import freeze

ANIMALS = 398
"""ImageNet's animals come first among its classes."""
CLASSES = 1000
COARSE_SIDE, FINE_SIDE = 192, 384
"""In the coarse picture a head that fills it is still seen whole; the fine one has a place each 16 pixels."""
_LAST_STRIDE = 32
_HEAD_CHANNELS = 1280
_SURROUNDINGS, _STEEPNESS = 0.6, 4.0
"""Log odds at which a place is half of the surroundings, and how fast it becomes so. Of 100 horses and zebras 98% of
the places inside of the masks that `img2img evaluate --subject` makes have 1.1 or more, half of those outside 0.6 or
less."""


class SubjectEncoder(nn.Module):
    """Features of every place of a picture, and how much it looks like the subject there: some classes of ImageNet.

    As FrozenFeatures, it is never trained and no part of a state_dict.
    """

    subject: Tensor

    def __init__(self, indices: Sequence[int], *, pretrained: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.encoder = EfficientNetLite(3, "lite0")
            self.head = ConvNormAct(OUT_CHANNELS, _HEAD_CHANNELS, 1, norm=batch_norm, activation=relu6)
            self.classifier = nn.Conv2d(_HEAD_CHANNELS, CLASSES, 1)
        if pretrained:
            self.encoder.load_imagenet()
            self._load_head()
        freeze(self)
        subject = torch.zeros(CLASSES, dtype=torch.bool)
        subject[list(indices)] = True
        self.register_buffer("subject", subject, persistent=False)

    def _load_head(self) -> None:
        published = published_weights("lite0")
        parts = ((self.head[0], "_conv_head."), (self.head[1], "_bn1."), (self.classifier, "_fc."))
        for part, prefix in parts:
            state = {name.removeprefix(prefix): value for name, value in published.items() if name.startswith(prefix)}
            wanted = part.state_dict()
            part.load_state_dict({name: value.reshape(wanted[name].shape) for name, value in state.items()})

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) in [-1, 1] -> features (N, 472, 24, 24) at 1/16 of FINE_SIDE, and log odds (N, 1, 24, 24)."""
        fine = self._levels(pictures, FINE_SIDE)
        log_odds = self._log_odds(pictures, fine)
        return torch.cat([of_side(level, log_odds.shape[-1]) for level in fine[2:]], 1), log_odds

    @torch.no_grad()
    def surroundings(self, pictures: Tensor) -> Tensor:
        """(N, 1, H, W) from 0 to 1: how far each place of the pictures (N, 3, H, W) is none of the subject.

        It leaves a rim around the subject to that, and more rather than less.
        """
        widened = F.max_pool2d(self._log_odds(pictures, self._levels(pictures, FINE_SIDE)), 3, stride=1, padding=1)
        return F.interpolate(torch.sigmoid((_SURROUNDINGS - widened) * _STEEPNESS), pictures.shape[2:], mode="bilinear")

    def train(self, mode: bool = True) -> "SubjectEncoder":
        return super().train(False)

    def _levels(self, pictures: Tensor, side: int) -> list[Tensor]:
        """The pyramid at `side`, each place in the middle of the pixels that it stands for.

        The published weights learnt with padding to the right and below alone. Padded on both sides, as the encoder
        does it, a place has what lies half a stride up and to the left: so the first ones lie outside of the picture,
        and one more is wanted at its other end.
        """
        padded = F.pad(_resized(pictures, side), (0, _LAST_STRIDE, 0, _LAST_STRIDE), mode="reflect")
        levels = self.encoder.pyramid(padded)
        ends = [1 + level.shape[-1] * side // (side + _LAST_STRIDE) for level in levels]
        return [level[..., 1:end, 1:end] for level, end in zip(levels, ends, strict=True)]

    def _log_odds(self, pictures: Tensor, fine: list[Tensor]) -> Tensor:
        """(N, 1, 24, 24), of pictures and of their `fine` levels: the mean probability in both sizes."""
        grid, coarse = fine[-2].shape[-1], self._levels(pictures, COARSE_SIDE)
        probability = (of_side(self._probability(fine[-1]), grid) + of_side(self._probability(coarse[-1]), grid)) / 2
        return self._gained(probability.clamp(1e-6, 1 - 1e-6))

    def _probability(self, last: Tensor) -> Tensor:
        every: Tensor = self.classifier(self.head(last)).float().softmax(1)
        return every[:, self.subject].sum(1, keepdim=True)

    def _gained(self, probability: Tensor) -> Tensor:
        """Log odds over those of a classifier that knows nothing: one class and many become comparable."""
        return probability.logit() - self.subject.float().mean().logit()


def _resized(pictures: Tensor, side: int) -> Tensor:
    return F.interpolate(pictures, size=(side, side), mode="bicubic", antialias=True).clamp(-1, 1)


def of_side(x: Tensor, side: int) -> Tensor:
    """(N, C, h, h) -> (N, C, side, side), bilinear; smaller just so."""
    return F.interpolate(x, size=(side, side), mode="bilinear")
