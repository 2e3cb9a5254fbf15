"""How a sampler's pictures compare with real ones: their variety, and whether they are what was asked for."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from img2img.data.batches import preview_batch
from img2img.data.image_source import ImageSource
from img2img.errors import ModelError
from img2img.evaluation.diversity import MOST, diversity_figures
from img2img.evaluation.picture_classifier import PictureClassifier
from img2img.inference.sampler import Sampler

PER_CLASS = 100


def evaluate_sampler(sampler: Sampler, source: ImageSource, *, seed: int) -> dict[str, Any]:
    """`diversity` (mean distance between samples over that between pictures) and `duplicates` (share with a twin).

    For a sampler with classes also `asked_for`: the share of samples that a classifier, trained on `source`, takes for
    the class that they were drawn as; in `classifier_accuracy` how far it can be trusted, on real pictures.
    """
    if sampler.takes_condition or sampler.frames > 1:
        raise ModelError(f"{sampler.card.name}: only samplers of single pictures, from z and a label, are measured")
    count = min(MOST, len(source))
    real = preview_batch(source, image_size=sampler.size, count=count, seed=seed)["image"]
    labels = np.arange(count) % len(sampler.classes) if sampler.classes else None
    drawn = sampler.sample(sampler.latents(count, seed), labels)
    measured = diversity_figures(_as_trained_on(drawn), _grey(real))
    found = {name: round(float(measured[name]), 4) for name in ("diversity", "duplicates") if name in measured}
    return found | (_asked_for(sampler, source, seed) if sampler.classes else {})


def _asked_for(sampler: Sampler, source: ImageSource, seed: int) -> dict[str, Any]:
    if source.classes != sampler.classes:
        raise ModelError(
            f"{sampler.card.name}: draws {', '.join(sampler.classes)}; give --data with these classes, not "
            f"{', '.join(source.classes) or 'pictures without labels'}"
        )
    classifier = PictureClassifier(source, sampler.size)
    wanted = np.repeat(np.arange(len(sampler.classes)), PER_CLASS)
    pictures = sampler.sample(sampler.latents(len(wanted), seed), wanted) / 255
    right = classifier.probabilities(pictures).argmax(1) == wanted
    shares = right.reshape(len(sampler.classes), PER_CLASS).mean(1)
    return {
        "asked_for": round(float(right.mean()), 4),
        "classifier_accuracy": round(classifier.accuracy, 4),
        "asked_for_by_class": {name: float(share) for name, share in zip(sampler.classes, shares, strict=True)},
    }


def _as_trained_on(pictures: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """(N, H, W, C) uint8 -> (N, 1, H, W) in [-1, 1], grey."""
    return _grey(torch.from_numpy(pictures).movedim(-1, 1).float() / 127.5 - 1)


def _grey(image: Tensor) -> Tensor:
    return image.mean(1, keepdim=True)
