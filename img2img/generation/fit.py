"""`img2img directions fit`: a model's directions, fitted and stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from img2img.errors import ModelError
from img2img.generation.directions import check_fit, fit_directions
from img2img.generation.directions_file import Directions, directions_path
from img2img.generation.properties import Property, properties_of
from img2img.generation.run_model import model_file
from img2img.generation.target import check_target
from img2img.inference.sampler import Sampler


def fit_model(
    model: str, *, n: int, seed: int, data: Sequence[str] = (), target: Path | None = None, device: str = "auto"
) -> tuple[Directions, Path]:
    """Fit the directions of a model's file or a run, store them beside it (or in `target`), return both.

    `data`, labelled pictures, adds a property for each of their classes: how likely a classifier that was trained on
    them finds it. That needs the training extra. What cannot be fitted or stored is refused before the work.
    """
    path = target or directions_path(model)
    check_target(path, overwrite=True, error=ModelError)
    sampler = Sampler(model_file(model), device=device)
    check_fit(sampler, n)
    properties, notes = properties_of(sampler.channels), []
    if data:
        recognised, accuracy = _class_properties(data, sampler.size)
        properties += recognised
        notes.append(f"classes as a classifier sees them that is right on {accuracy:.1%} of data it was not trained on")
    fit = fit_directions(sampler, properties, n=n, seed=seed)
    directions = Directions(sampler.card.name, sampler.card.sha256, seed, n, fit, tuple(notes))
    directions.save(path)
    return directions, path


def _class_properties(data: Sequence[str], size: int) -> tuple[list[Property], float]:
    from img2img.evaluation.picture_classifier import PictureClassifier
    from img2img.training.image_source import open_source

    classifier = PictureClassifier(open_source(data), size)
    return [
        Property(name, "probability", classifier.probability_of(index))
        for index, name in enumerate(_property_names(classifier.classes))
    ], classifier.accuracy


def _property_names(classes: Sequence[str]) -> list[str]:
    """digit-7, or class-zebra: no class's name can then hide another property."""
    word = "digit" if all(name.isdigit() for name in classes) else "class"
    return [f"{word}-{name}" for name in classes]
