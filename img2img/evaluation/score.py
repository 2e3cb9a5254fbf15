"""How well a translator's score tells the pictures that it was made for from others."""

from collections.abc import Iterator
from typing import Any

from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.evaluation.sets.pictures import looked_at
from img2img.inference.scorer import Parts, Scorer
from img2img.photo import Photo

FEWEST = 10
"""Pictures of a kind below which a share of pairs says nothing."""


def evaluate_score(scorer: Scorer, own: ImageSource, strangers: ImageSource) -> dict[str, Any]:
    """AUC: in which share of the pairs the picture of the own kind has the higher score; of the score and of its parts.

    Ties count half. Raises DataError for fewer than FEWEST pictures of a kind.
    """
    fewest = min(len(own), len(strangers))
    if fewest < FEWEST:
        raise DataError(f"{fewest} pictures are too few to tell a score by; give {FEWEST} or more of both kinds")
    ours, others = list(_parts(scorer, own)), list(_parts(scorer, strangers))
    return {
        "auc": auc([scorer.share(one) for one in ours], [scorer.share(one) for one in others]),
        "auc_of_critic": auc([one.critic for one in ours], [one.critic for one in others]),
        "auc_of_cycle": auc([-one.cycle for one in ours], [-one.cycle for one in others]),
        "pictures": len(ours),
        "strangers": len(others),
    }


def auc(ours: list[float], others: list[float]) -> float:
    """Area under the ROC curve, rounded to three digits: 1 when all of ours are higher, 0.5 by chance."""
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score([1] * len(ours) + [0] * len(others), [*ours, *others])), 3)


def _parts(scorer: Scorer, source: ImageSource) -> Iterator[Parts]:
    return (scorer.parts(Photo(source.rgb(index), "RGB")) for index in looked_at(source))
