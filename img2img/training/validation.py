"""How good a translator is while it trains, measured now and then on images that no step sees."""

import logging
from collections.abc import Callable, Mapping
from math import inf
from typing import Protocol

import torch
from torch import nn

from img2img.data.training_data import TrainingData
from img2img.recipes.recipe import Recipe
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_records import badness
from img2img.runs.state import load_best
from img2img.saved_states import best_file

_log = logging.getLogger(__name__)

FEWEST, FEWEST_PAIRS = 20, 10
"""Held-out images of each domain below which a distance between distributions says nothing; of pairs, which are also
measured one by one, fewer do."""


class QualityMeasure(Protocol):
    """What `TranslationQuality` and `PairQuality` of the evaluation are."""

    @property
    def reference(self) -> Mapping[str, float]: ...

    @property
    def measure(self) -> Callable[..., dict[str, float]]: ...


class Validation:
    """Measures a run's averaged generators, and knows the best that the run has had in all its sessions."""

    def __init__(self, quality: QualityMeasure, folder: RunFolder) -> None:
        self._quality = quality
        self._best = badness(load_best(folder.path).quality) if best_file(folder.path).exists() else inf

    def measure(self, recipe: Recipe, averages: nn.ModuleDict) -> dict[str, float]:
        """KID (times 1,000) and Frechet distance of both ways: `kid_ab`, `fd_ab`, `kid_ba` and `fd_ba`.

        Of a recipe that learns from pairs `psnr`, `ssim` and `fd`.
        """
        return self._quality.measure(*(averages[name] for name in (recipe.exported, recipe.way_back) if name))

    @property
    def reference(self) -> Mapping[str, float]:
        """What each figure lies between: under NAME_floor real images, under NAME_ceiling untouched ones."""
        return self._quality.reference

    def is_best(self, figures: Mapping[str, float]) -> bool:
        """Whether nothing before was as good; from then on it is what others must be better than."""
        better = badness(figures) < self._best
        if better:
            self._best = badness(figures)
        return better


def validation(recipe: Recipe, data: TrainingData, folder: RunFolder, device: torch.device) -> Validation | None:
    """For a recipe that translates; None, which is logged, where too few images are held out."""
    fewest = min(len(data.held_out.get(domain, ())) for domain in recipe.domains)
    needed = FEWEST_PAIRS if recipe.paired else FEWEST
    if fewest < needed:
        _log.info(
            "quality is not measured: it takes %d held-out %s there are %d (a tenth of a set at most, see held_out)",
            needed,
            "pairs, and" if recipe.paired else "images of each domain, and of one",
            fewest,
        )
        return None
    measure = _pair_quality if recipe.paired else _translation_quality
    return Validation(measure(recipe, data, folder, device), folder)


def _pair_quality(recipe: Recipe, data: TrainingData, folder: RunFolder, device: torch.device) -> QualityMeasure:
    from img2img.evaluation.pairs.pair_quality import PairQuality

    inputs, targets = (data.held_out[domain] for domain in recipe.domains)
    return PairQuality(inputs, targets, image_size=recipe.config.image_size, device=device)


def _translation_quality(recipe: Recipe, data: TrainingData, folder: RunFolder, device: torch.device) -> QualityMeasure:
    from img2img.evaluation.sets.translation import TranslationQuality

    return TranslationQuality(
        *(images[domain] for images in (data.train, data.held_out) for domain in recipe.domains),
        image_size=recipe.config.image_size,
        device=device,
        cache_dir=folder.path / "features",
    )
