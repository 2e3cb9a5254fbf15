"""How near a translator of pairs comes to its targets, measured on held-out pairs while it trains."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.evaluation.colorizers.metrics import psnr
from img2img.evaluation.colorizers.similarity import ssim
from img2img.evaluation.sets.distances import frechet_distance
from img2img.evaluation.sets.feature_network import PooledFeatures, feature_network
from img2img.evaluation.sets.pictures import features_of
from img2img.evaluation.sets.translation import Generator

Squares = NDArray[np.uint8]
HIGHEST_PSNR = 100.0
"""In dB, of pictures that are equal: a mean over others must stay finite."""


class PairQuality:
    """PSNR, SSIM and Frechet distance between what is drawn of held-out inputs and their targets.

    Both at `image_size`: the middle of each picture. Features are those of EfficientNet-Lite0 unless `features` are
    given. Draws no random numbers.
    """

    def __init__(
        self,
        inputs: ImageSource,
        targets: ImageSource,
        *,
        image_size: int,
        device: torch.device | str = "cpu",
        features: PooledFeatures | None = None,
    ) -> None:
        self._inputs, self._targets = inputs, targets
        self._image_size, self._device = image_size, torch.device(device)
        if features:
            self._features = features

    def measure(self, generator: Generator) -> dict[str, float]:
        """`psnr` in dB and `ssim`, means over the pairs, and `fd`; the generator is on the device and in eval mode."""
        return self._figures(drawn_squares(generator, some, self._device) for some in self._batches(self._inputs))

    @cached_property
    def reference(self) -> dict[str, float]:
        """What a translator that changes nothing has: `psnr_ceiling`, `ssim_ceiling`, `fd_ceiling`."""
        return {f"{name}_ceiling": value for name, value in self._figures(self._batches(self._inputs)).items()}

    @cached_property
    def _features(self) -> PooledFeatures:
        return feature_network(device=self._device)

    @cached_property
    def _target_features(self) -> Tensor:
        return torch.cat([self._looked_at(some) for some in self._batches(self._targets)])

    def _figures(self, pictures: Iterator[Squares]) -> dict[str, float]:
        values, features = [], []
        for some, truths in zip(pictures, self._batches(self._targets), strict=True):
            values += [(psnr(one, truth), ssim(one, truth)) for one, truth in zip(some, truths, strict=True)]
            features.append(self._looked_at(some))
        means = np.minimum(values, HIGHEST_PSNR).mean(0)
        distance = max(0.0, frechet_distance(torch.cat(features), self._target_features))
        return {"psnr": float(means[0]), "ssim": float(means[1]), "fd": distance}

    def _batches(self, source: ImageSource) -> Iterator[Squares]:
        """(n, S, S, 3) each."""
        count = self._features.batch
        for first in range(0, len(source), count):
            indices = range(first, min(first + count, len(source)))
            yield np.stack([centre_square(source.rgb(index), self._image_size) for index in indices])

    def _looked_at(self, pictures: Squares) -> Tensor:
        return features_of([torch.from_numpy(pictures).movedim(-1, 1)], self._features)


@torch.no_grad()
def drawn_squares(generator: Generator, pictures: Squares, device: torch.device) -> Squares:
    """(n, S, S, 3) uint8 of such."""
    x = torch.from_numpy(pictures).to(device).movedim(-1, 1).float() / 127.5 - 1
    y = generator(x.contiguous(memory_format=torch.channels_last)).float().clamp(-1, 1)
    return np.asarray((y * 127.5 + 127.5).round().to(torch.uint8).movedim(1, -1).cpu().numpy(), np.uint8)
