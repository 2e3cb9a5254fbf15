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
LEAST_R2 = 0.1  # below, a line in z says next to nothing of the property
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
    """Directions; `changes[i][j]`: by how much a step of 1 along the i-th moved the j-th property, in its deviations.

    `changes[i][i]` is the mean change; off the diagonal it is the mean of |change|, since a step that moves half of
    the pictures up and half down is entangled all the same. `left_out` says why a property has no direction.
    """

    directions: tuple[Direction, ...]
    changes: tuple[tuple[float, ...], ...]
    left_out: dict[str, str]


def fit_directions(sampler: Sampler, properties: Sequence[Property], *, n: int, seed: int) -> Fit:
    """Fit on `n` samples, labels drawn evenly; measure on fresh ones. Raises UsageError as `check_fit` does."""
    check_fit(sampler, n)
    z = sampler.latents(n + -(-n // PROBES), seed)
    labels = np.arange(len(z)) % max(1, len(sampler.classes))
    measured = _measure(sampler, properties, z, labels)
    kept = [
        (one, values, standard)
        for one, values in zip(properties, measured, strict=True)
        if (standard := _Standard.of(one, values[:n], labels[:n]))
    ]
    fitted = [(one, values[n:], _fit(one, standard, z, values, labels, n)) for one, values, standard in kept]
    linear = [(one, before, direction) for one, before, direction in fitted if direction.r2 >= LEAST_R2]
    moving, directions = [one for one, _, _ in linear], tuple(direction for _, _, direction in linear)
    changes = []
    for place, direction in enumerate(directions):
        after = _measure(sampler, moving, z[n:] + direction.step(), labels[n:])
        moved = [one.difference(now, before) for (one, before, _), now in zip(linear, after, strict=True)]
        changes.append(_row(moved, directions, place))
    why = {direction.name: _not_linear(direction) for _, _, direction in fitted}
    left_out = {one.name: why.get(one.name, LEFT_OUT) for one in properties if one not in moving}
    return Fit(directions, tuple(changes), left_out)


def check_fit(sampler: Sampler, n: int) -> None:
    """Raise UsageError for too few samples, and for a sampler whose pictures depend on more than z and a label."""
    if sampler.takes_condition:
        raise UsageError(f"{sampler.source}: directions of models that draw after a photo cannot be fitted yet")
    for size, what in ((sampler.latent_size, "latents of {} numbers"), (len(sampler.classes), "{} classes")):
        if n < 2 * size:  # of each class two, since deviations are those within a class
            raise UsageError(f"{n} samples are too few for {what.format(size)}: give -n {10 * size} or more")


def _not_linear(direction: Direction) -> str:
    return f"hardly linear in z (R2 {direction.r2:.2f}); a larger -n may help"


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
    predicted = z[probes] @ weights + offset
    slope = float(np.linalg.norm(weights))
    return Direction(
        name=one.name,
        unit=one.unit,
        vector=tuple((weights / slope).tolist()),
        length=1 / slope,
        r2=r_squared(target[probes], predicted),
        mean=standard.origin,
        deviation=standard.deviation,
    )


def r_squared(values: Floats64, predicted: Floats64) -> float:
    """1 - mean squared error / variance: negative where the mean predicts better; 0 where nothing varies."""
    if not len(values) or not (variance := values.var()):
        return 0.0
    return float(1 - np.square(values - predicted).mean() / variance)


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


def _row(moved: Sequence[Floats64], directions: Sequence[Direction], place: int) -> tuple[float, ...]:
    """A row of `Fit.changes`: pictures that lost a property do not count, and only `place` keeps its sign."""
    there = [each[np.isfinite(each)] / one.deviation for each, one in zip(moved, directions, strict=True)]
    return tuple(_mean(each if column == place else np.abs(each)) for column, each in enumerate(there))


def _mean(values: Floats64) -> float:
    return float(values.mean()) if len(values) else 0.0
