"""Pictures compared with real ones: Frechet distance and KID, between what real and untouched pictures have."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.evaluation.sets.distances import Interval, frechet_interval, kernel_interval
from img2img.evaluation.sets.feature_network import PooledFeatures
from img2img.evaluation.sets.pictures import Change, features_of, looked_at, source_features, squares

FEWEST = 10
"""Pictures below which a distance between sets says nothing."""


@dataclass(frozen=True)
class Compared:
    """One set of pictures beside the real ones; both distances with their bootstrap intervals."""

    pictures: str
    """What they are: translated, untouched (ceiling), real (floor) ..."""
    number: int
    beside: int
    """How many real pictures they are compared with."""
    kid_x1000: Interval
    frechet_distance: Interval

    def figures(self) -> dict[str, Any]:
        """As on a card, rounded."""
        figures: dict[str, Any] = {"pictures": self.pictures, "number": self.number, "beside": self.beside}
        for name, interval in (("kid_x1000", self.kid_x1000), ("frechet_distance", self.frechet_distance)):
            value, *bounds = (round(number, 3) for number in interval)
            figures |= {name: value, f"{name}_interval": bounds}
        return figures


def compared(pictures: str, found: Tensor, real: Tensor, *, seed: int) -> Compared:
    """Features (N, F) of pictures beside features (M, F) of real ones; `seed` draws the bootstrap's resamples."""
    kid = Interval(*(1_000 * value for value in kernel_interval(found, real, seed=seed)))
    return Compared(pictures, len(found), len(real), kid, frechet_interval(found, real, seed=seed))


def compare_sources(fake: ImageSource, real: ImageSource, features: PooledFeatures, *, seed: int) -> list[Compared]:
    """The fakes beside the real pictures; and the floor, real pictures beside the other real ones.

    The floor has as many as there are fakes, at most half of the real ones, drawn by seed: the Frechet distance's bias
    depends on how many are compared. Raises DataError for fewer than FEWEST pictures.
    """
    _refuse_few(fake, real)
    found = source_features(fake, features)
    some, others = _drawn_apart(source_features(real, features), len(found), seed)
    return [
        compared("fake", found, torch.cat([some, others]), seed=seed),
        compared("real (floor)", some, others, seed=seed),
    ]


def compare_translated(
    translate: Change,
    source: ImageSource,
    real: ImageSource,
    features: PooledFeatures,
    *,
    held_out: ImageSource | None = None,
    seed: int,
) -> list[Compared]:
    """Translated pictures beside real ones of the target domain; the ceiling, the same untouched; and the floor.

    The floor is that of `compare_sources`; or, with `held_out` pictures of the target domain, those beside `real`, and
    the others are compared with both. Raises DataError for fewer than FEWEST pictures.
    """
    _refuse_few(source, real, *([held_out] if held_out else []))
    changed = features_of(squares(source, batch=features.batch, change=translate), features)
    others = source_features(real, features)
    if held_out:
        some = source_features(held_out, features)
    else:
        some, others = _drawn_apart(others, len(looked_at(source)), seed)
    reals = torch.cat([some, others])
    return [
        compared("translated", changed, reals, seed=seed),
        compared("untouched (ceiling)", source_features(source, features), reals, seed=seed),
        compared("real (floor)", some, others, seed=seed),
    ]


def _drawn_apart(reals: Tensor, number: int, seed: int) -> tuple[Tensor, Tensor]:
    """At most half of the pictures, drawn by seed, and the others."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(reals)))
    number = min(number, len(reals) // 2)
    return reals[order[:number]], reals[order[number:]]


def _refuse_few(*sources: ImageSource) -> None:
    for source in sources:
        if len(source) < FEWEST:
            raise DataError(
                f"{source.name(0)}: {len(source)} pictures in all; a distance between sets takes {FEWEST} or more"
            )
