"""A score for each photo: how much it is like the pictures that a translator learnt from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from img2img.errors import ModelError
from img2img.inference.opened_model import OpenedModel, find_critic
from img2img.inference.runtimes.execution import Execution
from img2img.inference.translator import Translator, as_input, grey_or_rgb, small_image
from img2img.lab import Floats
from img2img.machine import usable_cores
from img2img.photo import Photo

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
CYCLE_WEIGHT = 0.5
"""Of the cycle's z-score beside the critic's."""
GRAIN_POWER = 0.5
"""A cycle loses fine detail first, so that its bare error says how busy a picture is: it is divided by a power of the
picture's grain. Of weights and powers from 0 to 1 in quarters these two told held-out horses, and zebras, best from
other photos, at 128 px: AUC 0.84 and 0.96; the critic alone 0.81 and 0.94, with the bare error and a weight of 1, as in
the paper, 0.79 and 0.88."""
GREY_LEVEL = 1 / 127.5


@dataclass(frozen=True)
class Parts:
    """What a score is made of."""

    critic: float
    """Logit of the discriminator of the pictures that the translator was made for: more is more like them."""
    cycle: float
    """What the way there and back loses, for a picture of its grain: less is more like them."""


class PhotoJudge:
    """Measures what a score is made of, for a translator whose card names a critic; ModelError when a part is missing.

    On a copy of the critic's native size, whatever size is translated. Threads may share one.
    """

    def __init__(self, translator: Translator, execution: Execution = Execution()) -> None:
        path = find_critic(translator.source)
        self._there, self._back = translator, translator.reverse()
        # "cuda" where ONNX Runtime has it: a critic has no weights for PyTorch, and is small enough for any CPU
        place = "cpu" if execution.device == "cpu" else "auto"
        where = replace(execution, device=place, threads=execution.threads or usable_cores())
        self._critic = OpenedModel(path, task="critic", doing="scoring", execution=where)
        judged = self._critic.card.classes
        if translator.card.name not in judged:
            raise ModelError(
                f"{path}: judges what is given to {' and '.join(judged)}, not to {translator.card.name}: export all of "
                "them again, in one go"
            )
        self._column = judged.index(translator.card.name)

    def parts(self, photo: Photo) -> Parts:
        picture = self._seen(photo)
        pixels = as_input(np.asarray(picture))
        back = self._back(self._there(picture, size="native"), size="native")
        lost = float(np.abs(as_input(np.asarray(back)) - pixels).mean())
        logits = self._critic.run(np.ascontiguousarray(np.moveaxis(pixels, 2, 0)[None]))
        if logits.shape != (1, len(self._critic.card.classes)) or not np.isfinite(logits).all():
            raise ModelError(f"{self._critic.source}: gives no logits (an output of {logits.shape}): export it again")
        return Parts(float(logits[0, self._column]), lost / max(grain(pixels), GREY_LEVEL) ** GRAIN_POWER)

    def _seen(self, photo: Photo) -> Image.Image:
        """RGB, 8 bit, of about the critic's native size."""
        card = self._critic.card
        return small_image(grey_or_rgb(photo), card.native_size, card.size_multiple).convert("RGB")


class Scorer:
    """Scores photos as TadGAN does series of measurements (Geiger et al. 2020, arXiv 2009.07769, section IV).

    From the critic's logit and the error of the cycle, each as a z-score among the training pictures:

        z = (critic - mean) / std - CYCLE_WEIGHT * (cycle - mean) / std,    cycle = mean |back - x| / grain**GRAIN_POWER

    where a picture's grain is the mean difference between neighbouring pixels. The score is the share of the training
    pictures whose z is lower: at 0.02, 98% of them look less strange. ModelError when something is missing.
    """

    def __init__(self, translator: Translator, execution: Execution = Execution()) -> None:
        self._judge = PhotoJudge(translator, execution)
        if translator.card.score is None:
            raise ModelError(
                f"{translator.source}: its card has no quantiles of a score: `img2img export --critic` measures them "
                "where the run's data is"
            )
        self._known = translator.card.score

    def score(self, photo: Photo) -> float:
        """From 0, stranger than all of the training pictures, to 1; between two known quantiles on a line."""
        return self.share(self.parts(photo))

    def parts(self, photo: Photo) -> Parts:
        """What `share` makes a score of."""
        return self._judge.parts(photo)

    def share(self, parts: Parts) -> float:
        return share_below(combined(parts, self._known), self._known)


def grain(pixels: Floats) -> float:
    """Mean absolute difference between neighbours down plus that between neighbours across, of (H, W, 3)."""
    return float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean())


def combined(parts: Parts, score: dict[str, float]) -> float:
    """z of the class's formula, by the means and deviations on a translator's card."""
    critic = (parts.critic - score["critic_mean"]) / score["critic_std"]
    cycle = (parts.cycle - score["cycle_mean"]) / score["cycle_std"]
    return critic - CYCLE_WEIGHT * cycle


def share_below(z: float, score: dict[str, float]) -> float:
    """The share of training pictures with a lower z: on a line between quantiles, 0 or 1 outside of them."""
    return float(np.interp(z, [score[quantile_name(q)] for q in QUANTILES], QUANTILES, left=0, right=1))


def quantiles_of(pictures: list[Parts]) -> dict[str, float]:
    """What a translator's card has under `score`, of the parts of its training pictures; at least two of them."""
    both = {"critic": [one.critic for one in pictures], "cycle": [one.cycle for one in pictures]}
    score: dict[str, float] = {"pictures": len(pictures)}
    for name, values in both.items():
        score[f"{name}_mean"] = float(np.mean(values))
        score[f"{name}_std"] = max(float(np.std(values)), 1e-6)
    found = np.quantile([combined(parts, score) for parts in pictures], QUANTILES)
    return score | {quantile_name(q): float(value) for q, value in zip(QUANTILES, found, strict=True)}


def quantile_name(share: float) -> str:
    """q05 for 0.05."""
    return f"q{round(100 * share):02}"
