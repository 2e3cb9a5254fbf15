"""Paths through the latents: from one to another along the sphere, and back and forth along a direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from img2img.lab import Floats

_NEARLY_ONE_LINE = 1e-6  # the sine of the angle below which a great circle is not defined


def slerp(start: Floats, end: Floats, share: float) -> Floats:
    """(D,): `start` at share 0, `end` at 1, between them along the great circle at constant speed.

    Shoemake 1985, "Animating rotation with quaternion curves". A straight line would pass nearer to 0 than any
    latent from N(0, 1) lies, where the generator was never trained.
    """
    start, end = start.astype(np.float64), end.astype(np.float64)  # near opposite ends float32 loses the angle
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < _NEARLY_ONE_LINE:
        return np.asarray((1 - share) * start + share * end, np.float32)
    weights = np.sin([(1 - share) * angle, share * angle]) / np.sin(angle)
    return np.asarray(weights[0] * start + weights[1] * end, np.float32)


def walk(starts: Floats, ends: Floats, frames: int) -> Floats:
    """(K, frames, D): from each of (K, D) to its partner, both ends included."""
    shares = np.linspace(0, 1, frames)
    paths = [[slerp(start, end, share) for share in shares] for start, end in zip(starts, ends, strict=True)]
    return np.array(paths, np.float32)


def sweep(z: Floats, step: Floats, amounts: Sequence[float]) -> Floats:
    """(K, len(amounts), D): each of (K, D) moved by every amount of a step (D,)."""
    return np.asarray(z[:, None] + np.asarray(amounts, np.float32)[:, None] * step, np.float32)


def loop_order(frames: int) -> list[int]:
    """The order in which a path's frames make a loop: 0 ... last ... 1, without showing an end twice."""
    return [*range(frames), *range(frames - 2, 0, -1)]
