"""How near translated pictures come to the real ones, measured on held-out pictures while the generators train."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from img2img.data.image_source import ImageSource
from img2img.evaluation.sets.distances import frechet_distance, kernel_distance
from img2img.evaluation.sets.feature_network import PooledFeatures, feature_network
from img2img.evaluation.sets.pictures import features_of, source_features, squares

Generator = Callable[[Tensor], Tensor]


class TranslationQuality:
    """Frechet distance and KID between translated held-out pictures and the real ones of the other domain.

    Features are those of EfficientNet-Lite0 unless `features` are given; those of the real pictures are taken once,
    when first asked for (20 to 40 ms each on one core), and kept in `cache_dir` for another time. Draws no random
    numbers.
    """

    def __init__(
        self,
        train_a: ImageSource,
        train_b: ImageSource,
        held_a: ImageSource,
        held_b: ImageSource,
        *,
        image_size: int,
        device: torch.device | str = "cpu",
        cache_dir: Path | None = None,
        features: PooledFeatures | None = None,
    ) -> None:
        self._train = {"a": train_a, "b": train_b}
        self._held = {"a": held_a, "b": held_b}
        self._image_size, self._device, self._cache_dir = image_size, torch.device(device), cache_dir
        if features:
            self._features = features

    def measure(self, g_ab: Generator, g_ba: Generator) -> dict[str, float]:
        """`kid_ab` (times 1000) and `fd_ab` of held-out a as b, beside all b; `kid_ba` and `fd_ba` the other way round.

        The generators, on the device and in eval mode, run at `image_size`; their change is enlarged and added to the
        picture of 256 px, as in use.
        """
        as_b, as_a = self._translated(g_ab, "a"), self._translated(g_ba, "b")
        return {**_distances("ab", as_b, self._all("b")), **_distances("ba", as_a, self._all("a"))}

    @cached_property
    def reference(self) -> dict[str, float]:
        """What the figures lie between.

        `kid_ab_floor`, `fd_ab_floor`: held-out b beside the other b. `kid_ab_ceiling`, `fd_ab_ceiling`: held-out a as
        they are, beside all b. And the same for `ba`.
        """
        figures: dict[str, float] = {}
        for way, source, target in (("ab", "a", "b"), ("ba", "b", "a")):
            train, held = self._real[target]
            figures |= _distances(f"{way}_floor", held, train)
            figures |= _distances(f"{way}_ceiling", self._real[source][1], self._all(target))
        return figures

    @cached_property
    def _features(self) -> PooledFeatures:
        return feature_network(device=self._device)

    @cached_property
    def _real(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Of each domain, the features (N, F) of the pictures to train on and of the held-out ones."""
        kept = {}
        for domain in ("a", "b"):
            train, held = (
                source_features(part[domain], self._features, cache_dir=self._cache_dir)
                for part in (self._train, self._held)
            )
            kept[domain] = train, held
        return kept

    def _all(self, domain: str) -> Tensor:
        return torch.cat(self._real[domain])

    def _translated(self, generator: Generator, domain: str) -> Tensor:
        """(N, F): the features of a domain's held-out pictures, translated."""
        pictures = squares(self._held[domain], batch=self._features.batch)
        changed = (translated(generator, some.to(self._device), self._image_size) for some in pictures)
        return features_of(changed, self._features)


@torch.no_grad()
def translated(generator: Generator, pictures: Tensor, image_size: int) -> Tensor:
    """(N, 3, S, S) uint8 of such: the generator sees them at `image_size`; its change is enlarged and added."""
    x = (pictures.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
    small = _resized(x, image_size).clamp(-1, 1)  # bicubic overshoots
    change = _resized(generator(small).float() - small, x.shape[-1])
    return ((x + change).clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)


def _resized(x: Tensor, side: int) -> Tensor:
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, size=(side, side), mode="bicubic", antialias=True)  # Pillow's bicubic, both ways


def _distances(way: str, fake: Tensor, real: Tensor) -> dict[str, float]:
    return {
        f"kid_{way}": 1_000 * kernel_distance(fake, real),
        f"fd_{way}": frechet_distance(fake, real),
    }
