"""Directions in a sampler's latents that move one property of its pictures, and what else each of them moves.

Each property, standardised, is regressed on z by ridge regression; its gradient there is the direction, as linear
separators are in InterFaceGAN (Shen et al. 2020, arXiv 1907.10786).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from img2img.errors import UsageError
from img2img.generation.properties import Floats64, Property
from img2img.inference.sampler import Sampler
from img2img.lab import Floats

RIDGE = 1.0  # against the n of the samples' squares: only there for latents that no picture shows
CHUNK = 256  # pictures measured at a time
PROBES = 4  # one fresh latent for so many that were fitted
LEFT_OUT = "the pictures hardly differ in it, or most have none"


@dataclass(frozen=True)
class Direction:
    """A unit vector in z; `length` of it move the property by one standard deviation, as predicted.

    `r2`: the share of the property's variance that a straight line in z explains, of latents that were not fitted.
    `mean` and `deviation` are the property's, in `unit`; deviation among pictures of one label.
    """

    name: str
    unit: str
    vector: tuple[float, ...]
    length: float
    r2: float
    mean: float
    deviation: float

    def step(self) -> Floats:
        """(D,): what an amount of 1 adds to z."""
        return np.asarray(self.vector, np.float32) * np.float32(self.length)


@dataclass(frozen=True)
class Fit:
    """Directions; `changes[i][j]`: what a step of 1 along the i-th moved the j-th property, in its deviations.

    `left_out` says why a property has no direction.
    """

    directions: tuple[Direction, ...]
    changes: tuple[tuple[float, ...], ...]
    left_out: dict[str, str]


def fit_directions(sampler: Sampler, properties: Sequence[Property], *, n: int, seed: int) -> Fit:
    """Fit on `n` samples, labels drawn evenly; measure on fresh ones. Raises UsageError for too few samples."""
    if n < 2 * sampler.latent_size:
        few = f"{n} samples are too few for latents of {sampler.latent_size} numbers"
        raise UsageError(f"{few}: give -n {10 * sampler.latent_size} or more")
    z = sampler.latents(n + -(-n // PROBES), seed)
    labels = np.arange(len(z)) % max(1, len(sampler.classes))
    measured = _measure(sampler, properties, z, labels)
    kept = [
        (one, values, standard)
        for one, values in zip(properties, measured, strict=True)
        if (standard := _Standard.of(one, values[:n], labels[:n]))
    ]
    directions = tuple(_fit(one, standard, z, values, labels, n) for one, values, standard in kept)
    moving, before = [one for one, _, _ in kept], [values[n:] for _, values, _ in kept]
    deviations = np.array([direction.deviation for direction in directions])
    changes = []
    for direction in directions:
        after = _measure(sampler, moving, z[n:] + direction.step(), labels[n:])
        changes.append(tuple((_changes(moving, before, after) / deviations).tolist()))
    left_out = {one.name: LEFT_OUT for one in properties if one not in moving}
    return Fit(directions, tuple(changes), left_out)


@dataclass(frozen=True)
class _Standard:
    """How a property becomes a number of mean 0 and deviation 1 among pictures of one label."""

    origin: float
    label_means: Floats64
    deviation: float

    @classmethod
    def of(cls, one: Property, values: Floats64, labels: npt.NDArray[np.int64]) -> _Standard | None:
        """None for a property that hardly varies, or that fewer than half of the pictures have."""
        there = np.isfinite(values)
        if there.mean() < 0.5:
            return None
        origin = float(one.mean(values[there]))
        centred = one.difference(values, np.asarray(origin))
        means = np.array([_mean(centred[there & (labels == label)]) for label in range(int(labels.max()) + 1)])
        deviation = float(np.std((centred - means[labels])[there]))
        return cls(origin, means, deviation) if deviation > 1e-6 else None

    def apply(self, one: Property, values: Floats64, labels: npt.NDArray[np.int64]) -> Floats64:
        return (one.difference(values, np.asarray(self.origin)) - self.label_means[labels]) / self.deviation


def _fit(
    one: Property, standard: _Standard, z: Floats, values: Floats64, labels: npt.NDArray[np.int64], n: int
) -> Direction:
    target = standard.apply(one, values, labels)
    there = np.isfinite(target)
    weights, offset = ridge(z[:n][there[:n]], target[:n][there[:n]])
    probes = there.copy()
    probes[:n] = False
    error = target[probes] - (z[probes] @ weights + offset)
    slope = float(np.linalg.norm(weights))
    return Direction(
        name=one.name,
        unit=one.unit,
        vector=tuple((weights / slope).tolist()),
        length=1 / slope,
        r2=float(1 - error.var() / target[probes].var()),
        mean=standard.origin,
        deviation=standard.deviation,
    )


def ridge(z: Floats, target: Floats64) -> tuple[Floats64, float]:
    """Weights (D,) and an offset that minimise |z w + b - target|^2 + RIDGE |w|^2."""
    middle, level = z.mean(0, dtype=np.float64), target.mean()
    centred = z - middle
    weights = np.linalg.solve(centred.T @ centred + RIDGE * np.eye(z.shape[1]), centred.T @ (target - level))
    return weights, float(level - middle @ weights)


def _measure(sampler: Sampler, properties: Sequence[Property], z: Floats, labels: npt.NDArray[np.int64]) -> Floats64:
    """(properties, N)."""
    parts = []
    for first in range(0, len(z), CHUNK):
        part = slice(first, first + CHUNK)
        pictures = sampler.sample(z[part], labels[part] if sampler.classes else None)
        parts.append(np.stack([one.of(pictures) for one in properties]))
    return np.concatenate(parts, axis=1)


def _changes(properties: Sequence[Property], before: Sequence[Floats64], after: Floats64) -> Floats64:
    """(properties,): by how much each moved on average, in its own unit; pictures that lost it do not count."""
    moved = [one.difference(*pair) for one, pair in zip(properties, zip(after, before, strict=True), strict=True)]
    return np.array([_mean(each[np.isfinite(each)]) for each in moved])


def _mean(values: Floats64) -> float:
    return float(values.mean()) if len(values) else 0.0
