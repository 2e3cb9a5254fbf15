"""ImageNet's classes by name, and how much each place of a picture looks like some of them.

Class activation maps (arXiv 1512.04150) of EfficientNet-Lite0: its classifier reads every place of the last features,
and not their mean alone.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.choices import meant_or_all, nearest_choice
from img2img.errors import UsageError
from img2img.networks.encoder import EfficientNetLite, published_weights

ANIMAL = "animal"
"""Stands for all of ImageNet's animals, which come first among its classes."""
_ANIMALS = 398
_CLASSES = 1000
COARSE_SIDE, FINE_SIDE = 192, 384
"""In the coarse picture a head that fills it is still seen whole; the fine one has a place each 16 pixels."""
_LAST_STRIDE = 32


def class_indices(name: str) -> list[int]:
    """The classes that a name stands for: ANIMAL, or one of ImageNet's, capitals aside.

    Raises UsageError for another.
    """
    if name.lower() == ANIMAL:
        return list(range(_ANIMALS))
    from torchvision.models import EfficientNet_B0_Weights  # the names only: nothing is fetched

    names: list[str] = EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]
    found = [index for index, each in enumerate(names) if each.lower() == name.lower()]
    if not found:
        near = nearest_choice(name, [ANIMAL, *names])
        hint = meant_or_all(name, [near]) if near else f"give {ANIMAL}, or a class of ImageNet such as zebra or orange"
        raise UsageError(f"--subject {name}: no such class; {hint}")
    return found


class SubjectEncoder(nn.Module):
    """Features of every place of a picture, and how much it looks like the subject there."""

    def __init__(self, indices: Sequence[int]) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # drawn before the weights are loaded
            self.encoder = EfficientNetLite(3, "lite0")
            self.head = nn.Sequential(
                nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280, eps=1e-3), nn.ReLU6(inplace=True)
            )
            self.classifier = nn.Conv2d(1280, _CLASSES, 1)
        self.encoder.load_imagenet()
        self._load_head()
        self.requires_grad_(False).eval()
        self._subject = torch.zeros(_CLASSES, dtype=torch.bool)
        self._subject[list(indices)] = True

    def _load_head(self) -> None:
        published = published_weights("lite0")
        parts = ((self.head[0], "_conv_head."), (self.head[1], "_bn1."), (self.classifier, "_fc."))
        for part, prefix in parts:
            state = {name.removeprefix(prefix): value for name, value in published.items() if name.startswith(prefix)}
            wanted = part.state_dict()
            part.load_state_dict({name: value.reshape(wanted[name].shape) for name, value in state.items()})

    @torch.no_grad()
    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 3, H, W) in [-1, 1] -> features (472, 24, 24) at 1/16 of FINE_SIDE, and log odds (24, 24)."""
        pyramid = self._levels(picture, FINE_SIDE)
        coarse = self._levels(picture, COARSE_SIDE)[-1]
        grid = pyramid[-2].shape[-1]
        features = torch.cat([of_side(level, grid) for level in pyramid[2:]], 1)
        probability = (of_side(self._probability(pyramid[-1]), grid) + of_side(self._probability(coarse), grid)) / 2
        return features[0], self._gained(probability.clamp(1e-6, 1 - 1e-6))[0, 0]

    def _levels(self, picture: Tensor, side: int) -> list[Tensor]:
        """The pyramid at `side`, each place in the middle of the pixels that it stands for.

        The published weights learnt with padding to the right and below alone. Padded on both sides, as the encoder
        does it, a place has what lies half a stride up and to the left: so the first ones lie outside of the picture,
        and one more is wanted at its other end.
        """
        padded = F.pad(_resized(picture, side), (0, _LAST_STRIDE, 0, _LAST_STRIDE), mode="reflect")
        levels = self.encoder.pyramid(padded)
        ends = [1 + level.shape[-1] * side // (side + _LAST_STRIDE) for level in levels]
        return [level[..., 1:end, 1:end] for level, end in zip(levels, ends, strict=True)]

    def _probability(self, last: Tensor) -> Tensor:
        every: Tensor = self.classifier(self.head(last)).softmax(1)
        return every[:, self._subject].sum(1, keepdim=True)

    def _gained(self, probability: Tensor) -> Tensor:
        """Log odds over those of a classifier that knows nothing: one class and many become comparable."""
        return probability.logit() - (self._subject.float().mean()).logit()


def _resized(picture: Tensor, side: int) -> Tensor:
    return F.interpolate(picture, size=(side, side), mode="bicubic", antialias=True).clamp(-1, 1)


def of_side(x: Tensor, side: int) -> Tensor:
    """(N, C, h, h) -> (N, C, side, side), bilinear; smaller just so."""
    return F.interpolate(x, size=(side, side), mode="bilinear")
