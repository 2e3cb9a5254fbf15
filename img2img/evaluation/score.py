"""How well a translator's score tells the pictures that it was made for from others."""

from typing import Any

from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.evaluation.sets.pictures import looked_at
from img2img.inference.scorer import Scorer, is_unlike
from img2img.photo import Photo

FEWEST = 10
"""Pictures of a kind below which a share of pairs says nothing."""


def evaluate_score(scorer: Scorer, own: ImageSource, strangers: ImageSource) -> dict[str, Any]:
    """AUC: in which share of the pairs the picture of the own kind is the likelier one; and how many are called unlike.

    Ties count half. Sharpness is no clue where all pictures have more pixels than the critic's small copies. Raises
    DataError for fewer than FEWEST pictures of a kind.
    """
    fewest = min(len(own), len(strangers))
    if fewest < FEWEST:
        raise DataError(f"{fewest} pictures are too few to tell a score by; give {FEWEST} or more of both kinds")
    ours, others = _log_likelihoods(scorer, own), _log_likelihoods(scorer, strangers)
    return {
        "auc": auc(ours, others),
        "called_unlike": _share_unlike(scorer, ours),
        "strangers_called_unlike": _share_unlike(scorer, others),
        "pictures": len(ours),
        "strangers": len(others),
    }


def auc(ours: list[float], others: list[float]) -> float:
    """Area under the ROC curve, rounded to three digits: 1 when all of ours are higher, 0.5 by chance."""
    from sklearn.metrics import roc_auc_score

    return round(float(roc_auc_score([1] * len(ours) + [0] * len(others), [*ours, *others])), 3)


def _log_likelihoods(scorer: Scorer, source: ImageSource) -> list[float]:
    return [scorer.log_likelihood(Photo(source.rgb(index), "RGB")) for index in looked_at(source)]


def _share_unlike(scorer: Scorer, log_likelihoods: list[float]) -> float:
    return round(sum(is_unlike(scorer.share(value)) for value in log_likelihoods) / len(log_likelihoods), 3)
