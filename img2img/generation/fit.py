"""`img2img directions fit`: a model's directions, fitted and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from img2img.atomic_file import check_target
from img2img.errors import ModelError
from img2img.generation.directions import check_fit, fit_directions
from img2img.generation.directions_file import Directions, directions_path, holds_directions
from img2img.generation.properties import Property, properties_of
from img2img.inference.sampler import Sampler

Recognise = Callable[[Sampler], tuple[Sequence[Property], str]]
"""Further properties of what a sampler draws, and how far they can be trusted, in a sentence."""


def fit_model(
    model: str,
    *,
    n: int,
    seed: int,
    target: Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
    recognise: Recognise | None = None,
) -> tuple[Directions, Path]:
    """Fit the directions of a model's file or a run, store them beside it (or in `target`), return both.

    What cannot be fitted or stored is refused before the work, as is a `target` that holds no directions,
    unless `overwrite`.
    """
    path = target or directions_path(model)
    may_replace = overwrite or target is None or holds_directions(path)
    check_target(path, overwrite=may_replace, error=ModelError)
    sampler = Sampler(model, device=device)
    check_fit(sampler, n)
    properties, notes = properties_of(sampler.channels), []
    if recognise:
        recognised, note = recognise(sampler)
        properties += recognised
        notes.append(note)
    fit = fit_directions(sampler, properties, n=n, seed=seed)
    directions = Directions(sampler.card.name, sampler.card.sha256, seed, n, fit, tuple(notes))
    directions.save(path)
    return directions, path
