"""Masks of the subject in pictures: seeds where its classes are active, grown by features that all pictures share."""

from collections.abc import Sequence

import torch
from torch import Tensor

from img2img.networks.imagenet.subject_encoder import of_side

SURE, SURELY_NOT = 2.6, 0.4
"""Log odds gained, from which a place is a seed of the subject, and below which one of its surroundings."""
FOUND = 2.0
"""A picture with no place above it has no such subject."""
RIDGE = 0.03
ROUNDS = 2
_TENTH = 0.1


def subject_masks(features: Sequence[Tensor], log_odds: Sequence[Tensor], side: int) -> list[Tensor | None]:
    """Masks (side, side) bool of features (F, h, w) and log odds (h, w); None for a picture without the subject.

    Two rounds of a linear classifier, subject or surroundings, over the places of all pictures: an activation alone
    ends at the parts that tell a class, the head or the back, while pictures differ in which ones these are.
    """
    found = [index for index, odds in enumerate(log_odds) if float(odds.max()) > FOUND]
    masks: list[Tensor | None] = [None] * len(features)
    if not found:
        return masks
    places = [features[index].float().flatten(1).T for index in found]
    stacked = torch.cat(places)
    mean, spread = stacked.mean(0), stacked.std(0).clamp_min(1e-6)
    places = [(some - mean) / spread for some in places]
    first = [log_odds[index].float().flatten() for index in found]
    scores = first
    for _ in range(ROUNDS):
        weights = _fitted(places, scores)
        grown = [_with_one(some) @ weights for some in places]
        # back to log odds: -1 and 1 are the classifier's own seeds
        scores = [(odds + SURE * score.clamp(-1, 1)) / 2 for odds, score in zip(first, grown, strict=True)]
    for index, score in zip(found, grown, strict=True):
        masks[index] = of_side(score.reshape(1, 1, *features[index].shape[1:]), side)[0, 0] > 0
    return masks


def _fitted(places: Sequence[Tensor], scores: Sequence[Tensor]) -> Tensor:
    """Ridge regression of 1 and -1 at the seeds, both kinds of the same weight."""
    subject, around = zip(*(_seeds(score) for score in scores), strict=True)
    inside = torch.cat([some[seeds] for some, seeds in zip(places, subject, strict=True)])
    outside = torch.cat([some[seeds] for some, seeds in zip(places, around, strict=True)])
    square = torch.zeros(inside.shape[1] + 1, inside.shape[1] + 1)
    moment = torch.zeros(inside.shape[1] + 1)
    for some, target in ((_with_one(inside), 1.0), (_with_one(outside), -1.0)):
        square += some.T @ some / (2 * len(some))
        moment += target * some.mean(0) / 2
    penalty = RIDGE * torch.eye(len(square))
    penalty[-1, -1] = 0
    fitted: Tensor = torch.linalg.solve(square + penalty, moment)
    return fitted


def _seeds(score: Tensor) -> tuple[Tensor, Tensor]:
    """Where the subject surely is, and where not: a tenth of the picture or more each; of a small subject less."""
    high = min(SURE, float(score.max()), max(SURELY_NOT, float(score.quantile(1 - _TENTH))))
    low = max(SURELY_NOT, float(score.quantile(_TENTH)))
    return score >= high, (score <= low) & (score < high)


def _with_one(places: Tensor) -> Tensor:
    return torch.cat([places, torch.ones(len(places), 1)], 1)
