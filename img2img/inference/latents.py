"""Latents of a sampler: the i-th depends on the seed and on i alone, so that more of them begin with the same ones."""

from __future__ import annotations

import math

import numpy as np

from img2img.errors import UsageError
from img2img.lab import Floats

SMALLEST_TRUNCATION = 0.01  # below, nearly every value is drawn again and again


def draw_latents(n: int, size: int, seed: int, *, truncation: float | None = None, stream: int = 0) -> Floats:
    """(n, size) from N(0, 1); each `stream` of a seed is a series of its own.

    `truncation` draws values again whose size is above it: the truncation trick of BigGAN (arXiv 1809.11096,
    section 3.1), which trades variety for likeness. 2 is mild; below 1 many models fade, since they were never trained
    on such latents ("not amenable" there). Raises UsageError for one that no value passes.
    """
    if seed < 0:
        raise UsageError(f"seed {seed}: give 0 or more")
    if truncation is not None and not (math.isfinite(truncation) and truncation >= SMALLEST_TRUNCATION):
        raise UsageError(
            f"truncation {truncation}: give {SMALLEST_TRUNCATION} or more; 2 is mild, below 1 many models fade"
        )
    latents = [_draw(size, np.random.default_rng((seed, index, stream)), truncation) for index in range(n)]
    return np.stack(latents) if latents else np.zeros((0, size), np.float32)


def _draw(size: int, generator: np.random.Generator, truncation: float | None) -> Floats:
    latent = generator.standard_normal(size, np.float32)
    while truncation is not None and (beyond := np.abs(latent) > truncation).any():
        latent[beyond] = generator.standard_normal(int(beyond.sum()), np.float32)
    return latent
