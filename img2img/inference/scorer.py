"""A score for each photo: how much it is like the pictures that a translator learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from img2img.errors import ModelError
from img2img.inference.opened_model import OpenedModel, find_critic
from img2img.inference.runtimes.execution import Execution
from img2img.inference.translator import Translator, as_input, grey_or_rgb, small_image
from img2img.lab import Floats
from img2img.machine import usable_cores
from img2img.photo import Photo

LOG_LIKELIHOOD = "log_likelihood"
"""The name of a critic's output."""
UNLIKE_BELOW = 0.02
"""A photo with a lower score is unlike the training pictures: 2 of 100 held-out horses, 337 of 500 other photos."""
QUANTILES = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


class Scorer:
    """Scores photos for a translator whose card names a critic; ModelError when something is missing.

    The critic gives the log-likelihood of a small copy's ImageNet features among those of the training pictures (Lee et
    al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples, arXiv 1807.03888). The score is the
    share of training pictures that are less likely when a Gaussian of the others judges them: at 0.02, 98% of them look
    less strange. Threads may share one.
    """

    def __init__(self, translator: Translator, execution: Execution = Execution()) -> None:
        path = find_critic(translator.source)
        # "cuda" where ONNX Runtime has it: a critic has no weights for PyTorch, and is small enough for any CPU
        place = "cpu" if execution.device == "cpu" else "auto"
        where = replace(execution, device=place, threads=execution.threads or usable_cores())
        self._critic = OpenedModel(path, task="critic", doing="scoring", execution=where)
        card = self._critic.card
        if translator.card.name not in card.classes:
            raise ModelError(
                f"{path}: judges what is given to {' and '.join(card.classes)}, not to {translator.card.name}: export "
                "all of them again, in one go"
            )
        if translator.card.score is None:
            raise ModelError(
                f"{translator.source}: its card has no quantiles of a score: `img2img export --critic` measures them "
                "where the run's data is"
            )
        if [spec.name for spec in card.outputs] != [LOG_LIKELIHOOD] or not known_score(translator.card.score):
            raise ModelError(f"{path}: a critic of an earlier kind: `img2img export --critic` makes a new one")
        self._known = translator.card.score
        self._column = card.classes.index(translator.card.name)

    def score(self, photo: Photo) -> float:
        """From 0, stranger than all of the training pictures, to 1; between two known quantiles on a line."""
        return self.share(self.log_likelihood(photo))

    def share(self, log_likelihood: float) -> float:
        """The score of a photo whose log-likelihood is known."""
        return share_below(log_likelihood, self._known)

    def log_likelihood(self, photo: Photo) -> float:
        """Up to a constant: what `score` compares."""
        card = self._critic.card
        values = self._critic.run(as_seen(photo, card.native_size, card.size_multiple))
        if values.shape != (1, len(card.classes)) or not np.isfinite(values).all():
            raise ModelError(f"{self._critic.source}: gives no numbers (an output of {values.shape}): export it again")
        return float(values[0, self._column])


def as_seen(photo: Photo, size: int, multiple: int) -> Floats:
    """(1, 3, h, w) in [-1, 1]: the photo at about size x size pixels, sides multiples of `multiple`."""
    picture = small_image(grey_or_rgb(photo), size, multiple).convert("RGB")
    return np.ascontiguousarray(np.moveaxis(as_input(np.asarray(picture)), 2, 0)[None])


def is_unlike(score: float) -> bool:
    """Whether a photo of this score is one that the model was not made for."""
    return score < UNLIKE_BELOW


def share_below(value: float, score: dict[str, float]) -> float:
    """The share of training pictures with a lower value: on a line between quantiles, 0 or 1 outside of them."""
    return float(np.interp(value, [score[quantile_name(q)] for q in QUANTILES], QUANTILES, left=0, right=1))


def quantiles_of(log_likelihoods: Sequence[float]) -> dict[str, float]:
    """What a translator's card has under `score`, of its training pictures' values."""
    quantiles = np.quantile(log_likelihoods, QUANTILES)
    names = map(quantile_name, QUANTILES)
    return {"pictures": len(log_likelihoods), **dict(zip(names, map(float, quantiles), strict=True))}


def known_score(score: dict[str, float]) -> bool:
    """Whether a card has every quantile that a score is made of."""
    return all(quantile_name(q) in score for q in QUANTILES)


def quantile_name(share: float) -> str:
    """q05 for 0.05."""
    return f"q{round(100 * share):02}"
