"""The data that a training is named, of one set, of two, or of pairs; nothing of it is opened."""

from collections.abc import Mapping, Sequence

from img2img.data import PairDirection
from img2img.data.data_choice import ChosenData, chosen_data
from img2img.data.data_item import Words
from img2img.data.pairs.pair_choice import chosen_pairs
from img2img.errors import UsageError


def named_data(
    recipe: str,
    domains: Sequence[str],
    data: Words,
    by_domain: Mapping[str, Words],
    *,
    paired: bool,
    direction: PairDirection | None,
    announce: bool,
) -> ChosenData:
    """As `chosen_data`, or `chosen_pairs` where the recipe learns from pairs. UsageError for a direction of others."""
    if paired:
        return chosen_pairs(recipe, data, by_domain, direction=direction, announce=announce)
    if direction:
        raise UsageError(f"--direction {direction}: {recipe} does not learn from pairs; leave it out")
    return chosen_data(recipe, domains, data, by_domain, announce=announce)
