"""Which data a training on pairs takes, from what was named, or its own set when nothing was."""

import logging
from collections.abc import Mapping

from img2img.data import PairDirection
from img2img.data.data_choice import ChosenData, chosen_data
from img2img.data.data_item import Words
from img2img.data.pairs.matching import trained_part
from img2img.data.pairs.open_pairs import SIDE_BY_SIDE
from img2img.errors import UsageError

_log = logging.getLogger(__name__)

DOMAINS = ("a", "b")
_SWAPPED = {"a": "b", "b": "a", "ab": "ba", "ba": "ab"}


def chosen_pairs(
    recipe: str, data: Words, by_domain: Mapping[str, Words], *, direction: PairDirection | None, announce: bool
) -> ChosenData:
    """As `chosen_data`; `by_domain` may be "ab" alone. "b2a" makes b of what is named as a.

    Of a published set that is named as a whole, its folder `train` is taken.
    """
    if by_domain.keys() & set(SIDE_BY_SIDE):
        chosen = ChosenData(_alone(recipe, data, by_domain), by_domain)
    else:
        chosen = chosen_data(recipe, DOMAINS, data, by_domain, announce=announce, side_by_side=True)
    domains = {domain: _trained(words, announce=announce) for domain, words in chosen.domains.items()}
    if direction == "b2a":
        domains = {_SWAPPED[domain]: words for domain, words in domains.items()}
    return ChosenData(chosen.named, dict(sorted(domains.items())))


def _alone(recipe: str, data: Words, by_domain: Mapping[str, Words]) -> Words:
    if data or len(by_domain) > 1:
        others = "--data" if data else " and ".join(f"--{name}" for name in DOMAINS if name in by_domain)
        raise UsageError(f"--ab and {others}: {recipe} takes pictures side by side, or both sides apart, not both")
    (words,) = by_domain.values()
    return words


def _trained(words: Words, *, announce: bool) -> Words:
    parts = [trained_part(word) for word in words]
    for word, part in zip(words, parts, strict=True):
        if announce and part != word:
            _log.info("data: %s; what lies beside it is not trained on", part)
    return parts
