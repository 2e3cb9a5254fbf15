"""What is wrong with training data, and what to do about it: the findings behind `img2img data check`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from img2img.data.check.duplicates import exact_groups, near_groups
from img2img.data.check.look import Content, ImageLook
from img2img.data.listing import ListedImage, Listing


@dataclass(frozen=True)
class DataFindingKind:
    """A kind of finding: what one and several are called, what to do, and whether it would stop a training."""

    word: str
    words: str
    advice: str
    stops: bool = False


KINDS = {
    "unreadable": DataFindingKind(
        "unreadable",
        "unreadable",
        "training stops at them: delete them, or copy them again",
        stops=True,
    ),
    "grey": DataFindingKind(
        "grey", "grey", "a colorizer learns greyness from them: delete them for colouring; other models do not mind"
    ),
    "tiny": DataFindingKind(
        "tiny", "tiny", "training enlarges them, which blurs: delete them, or train at a smaller image_size"
    ),
    "duplicates": DataFindingKind(
        "exact duplicate",
        "exact duplicates",
        "they count twice, and one may be trained on while the other measures: delete all but one; the first is not "
        "in the list",
    ),
    "near-duplicates": DataFindingKind(
        "near duplicate",
        "near duplicates",
        "the same picture saved, scaled or cut otherwise, or the next of a series: look, and delete all but the best; "
        "the largest is not in the list",
    ),
    "odd": DataFindingKind(
        "in an odd format",
        "in odd formats",
        "training takes 8-bit RGB without transparency, and the first picture of several",
    ),
    "others": DataFindingKind(
        "file that is no image",
        "files that are no images",
        "training passes over them, by their suffix, or as thumbnails by their folder",
    ),
    "alone": DataFindingKind(
        "image without its other side",
        "images without their other side",
        "training refuses the set: pairs have one path within their folders, but for the suffix; add what is missing, "
        "or delete what is left over",
        stops=True,
    ),
    "misfits": DataFindingKind(
        "pair that does not fit",
        "pairs that do not fit",
        "training stops at them: both sides must show the same part of a picture, in one shape; crop one, or delete "
        "both",
        stops=True,
    ),
    "sizes": DataFindingKind(
        "pair of two sizes", "pairs of two sizes", "training enlarges the smaller side, which does not make it sharper"
    ),
    "shifted": DataFindingKind(
        "pair that seems shifted",
        "pairs that seem shifted",
        "a network learns to draw double where sides do not lie on each other: look, and crop both alike",
    ),
    "repeated": DataFindingKind(
        "image that is in two pairs",
        "images that are in two pairs",
        "they count twice, and one pair may be trained on while the other measures: look, and delete one pair, both "
        "sides",
    ),
}


@dataclass(frozen=True)
class DataFinding:
    """One file and what is to be said of it."""

    name: str
    note: str = ""


@dataclass(frozen=True)
class DataReport:
    """Sizes are (width, height) in pixels, sorted by area; without a readable image they are None."""

    images: int
    bytes: int
    groups: dict[str, int]
    smallest: tuple[int, int] | None
    median: tuple[int, int] | None
    largest: tuple[int, int] | None
    findings: dict[str, list[DataFinding]]
    pairs: int | None = None
    """Where the data is pairs, how many there are."""

    @property
    def usable(self) -> bool:
        """Whether a training would run through."""
        return self.images > 0 and not any(self.findings[name] for name, kind in KINDS.items() if kind.stops)


def summarise(listing: Listing, looks: Iterable[ImageLook], *, min_size: int) -> DataReport:
    """The report on images whose short side should be at least `min_size` pixels."""
    seen = list(looks)
    found = image_findings(seen, listing.others, min_size=min_size)
    readable = [(look.image.name, look.content) for look in seen if look.content]
    return report_of(listing.images, seen, found | _duplicates(readable))


def image_findings(looks: Sequence[ImageLook], others: Iterable[str], *, min_size: int) -> dict[str, list[DataFinding]]:
    """What is to be said of each image by itself, and the files that are none."""
    readable = [(look.image.name, look.content) for look in looks if look.content]
    return {
        "unreadable": [DataFinding(look.image.name, look.error) for look in looks if look.error],
        "grey": [DataFinding(name) for name, content in readable if content.grey],
        "tiny": [
            DataFinding(name, "{} x {}".format(*content.size))
            for name, content in readable
            if min(content.size) < min_size
        ],
        "odd": [DataFinding(name, content.odd) for name, content in readable if content.odd],
        "others": [DataFinding(name, PurePath(name).suffix.lower()) for name in others],
    }


def report_of(
    images: Sequence[ListedImage],
    looks: Sequence[ImageLook],
    findings: Mapping[str, list[DataFinding]],
    *,
    pairs: int | None = None,
) -> DataReport:
    """On the images, by what was seen of them and what was found; a kind that is not among it has none."""
    sizes = sorted((look.content.size for look in looks if look.content), key=lambda size: (size[0] * size[1], size))
    assert findings.keys() <= KINDS.keys()
    return DataReport(
        images=len(images),
        bytes=sum(look.bytes for look in looks),
        groups=dict(sorted(Counter(image.group for image in images).items())),
        smallest=sizes[0] if sizes else None,
        median=sizes[len(sizes) // 2] if sizes else None,
        largest=sizes[-1] if sizes else None,
        findings={kind: findings.get(kind, []) for kind in KINDS},
        pairs=pairs,
    )


def _duplicates(images: list[tuple[str, Content]]) -> dict[str, list[DataFinding]]:
    """All but one of each group. An exact duplicate is not a near one as well."""
    exact = exact_groups([content for _, content in images])
    extra = {index for group in exact for index in group[1:]}
    single = [image for index, image in enumerate(images) if index not in extra]
    return {
        "duplicates": _likenesses(images, exact),
        "near-duplicates": _likenesses(single, near_groups([content for _, content in single])),
    }


def _likenesses(images: list[tuple[str, Content]], groups: list[list[int]]) -> list[DataFinding]:
    return [
        DataFinding(images[other][0], f"like {images[kept][0]}") for kept, *others in groups for other in others
    ]  # fmt: skip
