"""From a request to pictures: which latents, with which labels and condition."""

from __future__ import annotations

import math

import numpy as np

from img2img.errors import UsageError
from img2img.generation.directions_file import Directions, stored_directions
from img2img.generation.request import DrawingRequest
from img2img.generation.walk import sweep, walk
from img2img.inference.grid import MOST_CLASS_COLUMNS
from img2img.inference.sampler import Pictures, Sampler, condition_of
from img2img.lab import Floats

PICTURES, VIDEOS, SWEPT, WALKS = 64, 16, 8, 1  # how many where nobody says
STRIP_FRAMES, ANIMATION_FRAMES = 9, 24  # odd, so that a strip's middle is half-way
MOST_MEGAPIXELS = 200  # of all pictures and frames together


def draw_sequences(request: DrawingRequest, sampler: Sampler, *, animated: bool) -> Pictures:
    """(K, T, S, S, C): walks of T steps, a video model's videos of T frames, or single pictures, T = 1."""
    z = _latents(request, sampler, _steps(request, animated=animated))
    labels = _labels(request, sampler, len(z))
    condition = condition_of(request.like, sampler.size) if request.like else None
    drawn = sampler.sample(
        z.reshape(-1, sampler.latent_size), None if labels is None else np.repeat(labels, z.shape[1]), condition
    )
    return drawn if sampler.frames else drawn.reshape(*z.shape[:2], *drawn.shape[1:])


def check_drawing_size(request: DrawingRequest, sampler: Sampler, *, animated: bool) -> None:
    """Refuse, before anything is drawn, more pixels than memory and viewers take."""
    frames = max(1, sampler.frames) * (_steps(request, animated=animated) if request.is_path else 1)
    megapixels = sample_count(request, sampler) * frames * (sampler.size * request.scale) ** 2 / 1e6
    if megapixels > MOST_MEGAPIXELS:
        smaller = "-n, --frames or --scale" if request.is_path else "-n or --scale"
        raise UsageError(
            f"{megapixels:,.0f} megapixels are too many, {MOST_MEGAPIXELS} are the most: give a smaller {smaller}"
        )


def offset_of(request: DrawingRequest, sampler: Sampler) -> Floats:
    """(latent_size,): how far the request's moves shift every latent."""
    offset = np.zeros(sampler.latent_size, np.float32)
    if request.moves:
        directions = _directions(request, sampler)
        for name, amount in request.moves.items():
            offset += np.float32(amount) * directions.step(name)
    return offset


def _directions(request: DrawingRequest, sampler: Sampler) -> Directions:
    return stored_directions(request.model, request.directions, sampler.card)


def _steps(request: DrawingRequest, *, animated: bool) -> int:
    """How long a walk is."""
    return request.frames or (ANIMATION_FRAMES if animated else STRIP_FRAMES)


def _latents(request: DrawingRequest, sampler: Sampler, steps: int) -> Floats:
    """(K, T, latent_size); the moves' offset comes after a walk, so that every frame is shifted alike."""

    def drawn(seed: int) -> Floats:
        return sampler.latents(sample_count(request, sampler), seed, truncation=request.truncation)

    offset = offset_of(request, sampler)
    if request.interpolate is not None:
        start, end = request.interpolate
        return walk(drawn(start), drawn(end), steps) + offset
    if request.sweep is not None:
        amounts = np.linspace(request.sweep.first, request.sweep.last, steps)
        step = _directions(request, sampler).step(request.sweep.name)
        return sweep(drawn(request.seed or 0) + offset, step, list(amounts))
    return (drawn(request.seed or 0) + offset)[:, None]


def sample_count(request: DrawingRequest, sampler: Sampler) -> int:
    """How many pictures, videos or walks: as many as were asked for, else what shows a model well."""
    if request.count is not None:
        return request.count
    if request.is_path:
        return WALKS if request.sweep is None else SWEPT
    count = VIDEOS if sampler.frames else PICTURES
    classes = len(sampler.classes)
    fills_rows = request.label is None and 0 < classes <= MOST_CLASS_COLUMNS
    return classes * math.ceil(count / classes) if fills_rows else count


def _labels(request: DrawingRequest, sampler: Sampler, count: int) -> np.typing.NDArray[np.int64] | None:
    """Of each sequence: the one that was asked for, else every class in turn; None for a model without classes."""
    if request.label is not None:
        return np.full(count, sampler.label_index(request.label))
    return np.arange(count) % len(sampler.classes) if sampler.classes else None


def check_condition(request: DrawingRequest, sampler: Sampler) -> None:
    if sampler.takes_condition and request.like is None:
        raise UsageError(f"{sampler.source}: draws after a photo: give one with --like PHOTO")
    if request.like is not None and not sampler.takes_condition:
        raise UsageError(f"{sampler.source}: draws without a photo: leave --like out")
