"""Pairs opened by what names them: items of both sides, or items of pictures that hold both side by side."""

from collections.abc import Iterator, Mapping, Sequence

from img2img.data.data_item import DataItem, Words, data_item
from img2img.data.image_sets import weighted_sets
from img2img.data.image_source import ImageSource, JoinedSource
from img2img.data.open_source import open_source
from img2img.data.pairs.matching import Matching, items_of_both, matched
from img2img.data.pairs.pair_source import HalvedPairs, MatchedPairs, Pairs, PairSide
from img2img.errors import DataError, UsageError

SIDE_BY_SIDE = ("ab", "ba")
"""Domains of pictures that hold both sides, named for what they show from left to right."""
_NAMED = 3


def open_pairs(domains: Mapping[str, Words]) -> dict[str, ImageSource]:
    """Under "a" and "b" two sources of one length and order, from items under "a" and "b", or under "ab" or "ba".

    The n-th item of a goes with the n-th of b; a pattern is one item. Within an item, pictures go together by their
    paths without suffix. Raises UsageError or SettingError for items that cannot go together, DataError as
    `open_source`, and with the names of pictures that have no other side.
    """
    opened = list(_side_by_side(domains) if domains.keys() & set(SIDE_BY_SIDE) else _by_name(domains))
    sets = weighted_sets([item for item, _ in opened], [len(pairs) for _, pairs in opened])
    sides = {name: [PairSide(pairs, side) for _, pairs in opened] for side, name in enumerate("ab")}
    return {name: some[0] if len(some) == 1 else JoinedSource(some, sets) for name, some in sides.items()}


def _side_by_side(domains: Mapping[str, Words]) -> Iterator[tuple[DataItem, Pairs]]:
    ((domain, words),) = domains.items()
    for word in words:
        yield data_item(word), HalvedPairs(open_source([word]), first_is_left=domain == "ab")


def _by_name(domains: Mapping[str, Words]) -> Iterator[tuple[DataItem, Pairs]]:
    for word_a, word_b in items_of_both(domains["a"], domains["b"]):
        item = _weighed(data_item(word_a), data_item(word_b))
        a, b = open_source([word_a]), open_source([word_b])
        matching = matched(_insides(a), _insides(b))
        if problem := "; ".join(_unmatched(matching, a, b)):
            raise DataError(f"{word_a} and {word_b}: {problem}; pairs have one name, but for its suffix")
        yield item, MatchedPairs(a, b, matching.pairs)


def _weighed(a: DataItem, b: DataItem) -> DataItem:
    """The first, with the weight that either has."""
    if None not in (a.weight, b.weight) and a.weight != b.weight:
        raise UsageError(f"{a.name}={a.weight:g} and {b.name}={b.weight:g}: pairs have one weight; give it with --a")
    return DataItem(a.name, b.weight if a.weight is None else a.weight)


def _insides(source: ImageSource) -> list[str]:
    return [source.inside(index) for index in range(len(source))]


def _unmatched(matching: Matching, a: ImageSource, b: ImageSource) -> Iterator[str]:
    for side, source, alone, other in (("a", a, matching.only_a, "b"), ("b", b, matching.only_b, "a")):
        if alone:
            yield f"{len(alone):,} of {side} without {other}: {_first(source, alone)}"
    for side, source, repeated in (("a", a, matching.repeated_a), ("b", b, matching.repeated_b)):
        if repeated:
            places = [place for both in repeated for place in reversed(both)]
            yield f"of one name in {side}: {_first(source, list(dict.fromkeys(places)))}"


def _first(source: ImageSource, places: Sequence[int]) -> str:
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    return ", ".join(source.name(place) for place in places[:_NAMED]) + more
