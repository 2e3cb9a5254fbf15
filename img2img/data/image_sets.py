"""Sets of images that share the samples of a run by weight, whatever their sizes."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

from img2img.data.data_item import DataItem
from img2img.errors import DataError, SettingError

LEAST_SHARE = Fraction(1, 10**6)
"""Of all samples. A set with less would hardly be seen, and the order is drawn in blocks as long as 1 / the least."""


class WeightedSet(NamedTuple):
    """Consecutive images of a source, and their weight."""

    images: int
    weight: float


def weighted_sets(items: Sequence[DataItem], sizes: Sequence[int]) -> tuple[WeightedSet, ...]:
    """A set for each item, which counts 1 without a weight; none when no item has one, or there is one item alone.

    Raises DataError for an item without images, SettingError for a weight beside which others are a million times it.
    """
    if len(items) == 1 or all(item.weight is None for item in items):
        return ()
    sets = tuple(
        WeightedSet(size, 1.0 if item.weight is None else item.weight) for item, size in zip(items, sizes, strict=True)
    )
    for item, one, share in zip(items, sets, shares(sets), strict=True):
        if not one.images:
            raise DataError(f"{item.name}: no images in there, so it cannot have a part of the samples; leave it out")
        if share < LEAST_SHARE:
            raise SettingError(
                f"{item.name}: its weight {one.weight:g} is less than a millionth of all weights together; "
                "give it more, or leave it out"
            )
    return sets


def shares(sets: Sequence[WeightedSet]) -> list[Fraction]:
    """Of all samples: the weights over their sum, without rounding."""
    weights = [Fraction(one.weight) for one in sets]
    return [weight / sum(weights) for weight in weights]


def ranges(sizes: Iterable[int]) -> list[range]:
    """The indices of consecutive parts of these sizes."""
    return [range(first, stop) for first, stop in pairwise(accumulate(sizes, initial=0))]
