"""The images of a run, by domain: those that it trains on, and those that are kept from it to judge it by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from img2img.data.image_sets import ranges
from img2img.data.image_source import ImageSource, Subset
from img2img.data.open_source import open_source
from img2img.data.pairs.open_pairs import open_pairs

LARGEST_SHARE = 10
"""At most one image of so many is held out, so that a small set keeps enough to train on."""


@dataclass(frozen=True)
class TrainingData:
    """Sources by the names that the recipe gives to its domains."""

    train: Mapping[str, ImageSource]
    held_out: Mapping[str, ImageSource]
    """Only of domains of which something is held out."""

    @property
    def shown(self) -> dict[str, ImageSource]:
        """What previews show: images that were not trained on, where there are some."""
        return {**self.train, **self.held_out}

    @property
    def epoch(self) -> int:
        """Samples after which each image that is trained on was seen at least once; as many where weights share them.

        So weights change what is seen, never how long a training of so many epochs takes.
        """
        return max(map(len, self.train.values()))

    @property
    def images(self) -> int:
        """In all domains together, held out or not."""
        return sum(map(len, [*self.train.values(), *self.held_out.values()]))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels; two domains have none."""
        (first, *others) = self.train.values()
        return () if others else first.classes


def open_data(domains: Mapping[str, Sequence[str | Path]], *, held_out: int = 0, paired: bool = False) -> TrainingData:
    """Open the sources of each domain and hold the last `held_out` images out, by name; DataError as open_source.

    Paired, as `open_pairs`, which raises more: the last pairs, by the names of their a.
    """
    if paired:
        return _pairs_apart(open_pairs(domains), held_out)
    train, kept = {}, {}
    for domain, data in domains.items():
        train[domain], last = split_off_last(open_source(data), held_out)
        if last:
            kept[domain] = last
    return TrainingData(train, kept)


def _pairs_apart(sides: Mapping[str, ImageSource], held_out: int) -> TrainingData:
    last = _last_by_name(sides["a"], held_out)
    train = {domain: _without(source, last) for domain, source in sides.items()}
    return TrainingData(train, {domain: Subset(source, last) for domain, source in sides.items() if last})


def split_off_last(source: ImageSource, count: int) -> tuple[ImageSource, Subset]:
    """The source without its last `count` images by name, at most a tenth of them; and those.

    Of sets with weights each gives its last ones, in proportion to its size and rounded down: none is ever used up.
    """
    last = _last_by_name(source, count)
    return _without(source, last), Subset(source, last)


def _last_by_name(source: ImageSource, count: int) -> list[int]:
    count = min(count, len(source) // LARGEST_SHARE)
    sets = ranges(one.images for one in source.sets) or [range(len(source))]
    return [index for images in sets for index in _last(source, images, count * len(images) // len(source))]


def _without(source: ImageSource, last: Sequence[int]) -> ImageSource:
    rest = set(range(len(source))).difference(last)
    return Subset(source, sorted(rest)) if last else source


def _last(source: ImageSource, images: range, count: int) -> list[int]:
    return sorted(images, key=source.name)[len(images) - count :]
