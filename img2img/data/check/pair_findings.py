"""What is wrong with pairs: what is wrong with their images, and with what the two sides are to each other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from img2img.data.check.duplicates import exact_groups, near_groups
from img2img.data.check.findings import DataFinding, DataReport, image_findings, report_of
from img2img.data.check.look import Content, ImageLook
from img2img.data.check.pair_listing import PairListing
from img2img.data.check.pair_look import PairLook

PARTS = {"train", "val", "test"}
"""Folders into which a published set is divided."""


def summarise_pairs(listing: PairListing, looks: Iterable[PairLook], *, min_size: int) -> DataReport:
    """The report on pairs whose images' short sides should be at least `min_size` pixels.

    A grey side is no finding: in many a set it is outlines or masks.
    """
    pairs = list(looks)
    images = [look for pair in pairs for look in (pair.a, pair.b)]
    single = {
        kind: list(dict.fromkeys(found))  # halves of one file say the same of it
        for kind, found in image_findings(images, listing.others, min_size=min_size).items()
        if kind != "grey"
    }
    of_pairs = {
        "alone": [DataFinding(image.name, why) for image, why in listing.alone],
        "misfits": [DataFinding(pair.a.image.name, pair.misfit) for pair in pairs if pair.misfit],
        "sizes": [DataFinding(pair.a.image.name, pair.sizes) for pair in pairs if pair.sizes],
        "shifted": [DataFinding(pair.a.image.name, pair.shift) for pair in pairs if pair.shift],
        "repeated": _repeated(pairs),
    }
    return report_of(listing.images, images, single | of_pairs, pairs=len(pairs))


def _repeated(pairs: Sequence[PairLook]) -> list[DataFinding]:
    """Images that are in an earlier pair as well, and pairs both of whose sides are like those of another."""
    found: dict[str, DataFinding] = {}
    for one, other, how in (*_same(pairs), *_alike(pairs)):
        found.setdefault(other.image.name, DataFinding(other.image.name, how + _across(one, other)))
    return list(found.values())


def _same(pairs: Sequence[PairLook]) -> Iterator[tuple[ImageLook, ImageLook, str]]:
    """Of one colour, many a mask is the same, and says nothing."""
    sides = [
        (place, look, look.content)
        for place, pair in enumerate(pairs)
        for look in (pair.a, pair.b)
        if look.content and np.ptp(look.content.thumbnail)
    ]
    for group in exact_groups([content for _, _, content in sides]):
        (first, one, _), *others = (sides[index] for index in group)
        for place, other, _ in others:
            if place != first:
                yield one, other, f"the same as in {one.image.name}"


def _alike(pairs: Sequence[PairLook]) -> Iterator[tuple[ImageLook, ImageLook, str]]:
    whole = [(pair, pair.a.content, pair.b.content) for pair in pairs if pair.a.content and pair.b.content]
    groups_a = _group_of_each([a for _, a, _ in whole])
    groups_b = _group_of_each([b for _, _, b in whole])
    alike: dict[tuple[int, int], list[ImageLook]] = defaultdict(list)
    for place, (pair, _, _) in enumerate(whole):
        if place in groups_a and place in groups_b:
            alike[groups_a[place], groups_b[place]].append(pair.a)
    for one, *others in alike.values():
        for other in others:
            yield one, other, f"like {one.image.name}, and so is the other side"


def _group_of_each(contents: Sequence[Content]) -> dict[int, int]:
    """By place, for those that are like another."""
    return {place: number for number, group in enumerate(near_groups(contents)) for place in group}


def _across(one: ImageLook, other: ImageLook) -> str:
    parts = one.image.group, other.image.group
    return f"; one is in {parts[0]}, one in {parts[1]}" if set(parts) <= PARTS and parts[0] != parts[1] else ""
