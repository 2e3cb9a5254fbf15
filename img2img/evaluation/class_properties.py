"""Which class a drawn picture is of, as properties that directions can be fitted for."""

from __future__ import annotations

from collections.abc import Sequence

from img2img.data.open_source import open_source
from img2img.evaluation.picture_classifier import PictureClassifier
from img2img.generation.properties import Property
from img2img.inference.sampler import Sampler


def class_properties(data: Sequence[str], sampler: Sampler) -> tuple[list[Property], str]:
    """For each class of labelled pictures how likely a classifier that was trained on them finds it; and a note on it.

    Raises DataError for pictures without labels.
    """
    classifier = PictureClassifier(open_source(data), sampler.size)
    properties = [
        Property(name, "probability", classifier.probability_of(index))
        for index, name in enumerate(_property_names(classifier.classes))
    ]
    right = f"{classifier.accuracy:.1%}"
    return properties, f"classes as a classifier sees them that is right on {right} of data it was not trained on"


def _property_names(classes: Sequence[str]) -> list[str]:
    """digit-7, or class-zebra: no class's name can then hide another property."""
    word = "digit" if all(name.isdigit() for name in classes) else "class"
    return [f"{word}-{name}" for name in classes]
