"""The pairs of a data check, found by the same rules as for training, and what has no other side."""

from dataclasses import dataclass, field

from img2img.data.data_item import Words, data_paths
from img2img.data.listing import ListedImage, Listing, list_source
from img2img.data.pairs.matching import items_of_both, matched


@dataclass(frozen=True)
class ListedPair:
    """Two images that belong together and have not been read yet; one and the same where it holds both, a left."""

    a: ListedImage
    b: ListedImage

    @property
    def side_by_side(self) -> bool:
        return self.a is self.b


@dataclass
class PairListing:
    """`alone` are images without another side, and why; `others` the names of files that are no images."""

    pairs: list[ListedPair] = field(default_factory=list)
    alone: list[tuple[ListedImage, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def images(self) -> list[ListedImage]:
        """All of them, each once."""
        paired = [image for pair in self.pairs for image in ([pair.a] if pair.side_by_side else [pair.a, pair.b])]
        return paired + [image for image, _ in self.alone]


def list_pairs(a: Words, b: Words) -> PairListing:
    """Raises UsageError for another number of items in b than in a, DataError for one that is no folder and no tar."""
    listing = PairListing()
    for word_a, word_b in items_of_both(a, b):
        of_a, of_b = _listed([word_a]), _listed([word_b])
        listing.others += [*of_a.others, *of_b.others]
        _match(of_a.images, of_b.images, listing)
    return listing


def list_side_by_side(ab: Words) -> PairListing:
    """Raises DataError likewise."""
    listed = _listed(ab)
    return PairListing([ListedPair(image, image) for image in listed.images], [], listed.others)


def _listed(words: Words) -> Listing:
    listings = [list_source(path) for path in data_paths(words)]
    return Listing(
        [image for listing in listings for image in listing.images],
        [name for listing in listings for name in listing.others],
    )


def _match(a: list[ListedImage], b: list[ListedImage], listing: PairListing) -> None:
    matching = matched([image.inside for image in a], [image.inside for image in b])
    listing.pairs += [ListedPair(a[place_a], b[place_b]) for place_a, place_b in matching.pairs]
    for images, alone, repeated, other in (
        (a, matching.only_a, matching.repeated_a, "b"),
        (b, matching.only_b, matching.repeated_b, "a"),
    ):
        listing.alone += [(images[place], f"no {other} of this name") for place in alone]
        listing.alone += [(images[place], f"of one name with {images[first].name}") for place, first in repeated]
