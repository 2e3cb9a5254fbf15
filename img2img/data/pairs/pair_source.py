"""Pairs of training pictures, and each of their two sides as a source of its own: image n of both is pair n."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import get_ident

import cv2
import numpy as np
from numpy.typing import NDArray

from img2img.data.image_source import ImageSource
from img2img.data.pairs.matching import halves, misfit
from img2img.errors import DataError

Rgb = NDArray[np.uint8]


class Pairs(ABC):
    """Numbered pairs of pictures (H, W, 3) uint8 RGB, which `PairSide` hands out side by side."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, int, Rgb]] = {}

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def image(self, index: int, side: int) -> tuple[ImageSource, int]:
        """The file that a pair's first (0) or second side is in: a source, and its place there."""

    @abstractmethod
    def both(self, index: int) -> tuple[Rgb, Rgb]:
        """The pair, both of one size; raises DataError with the name of a file that cannot be read or does not fit."""

    def rgb(self, index: int, side: int) -> Rgb:
        """One side of a pair. The other waits for the same thread to ask for it next, which costs no decoding."""
        waiting = self._waiting.pop(get_ident(), None)
        if waiting and waiting[:2] == (index, side):
            return waiting[2]
        pair = self.both(index)
        self._waiting[get_ident()] = index, 1 - side, pair[1 - side]
        return pair[side]

    @abstractmethod
    def encoded(self, index: int, side: int) -> bytes:
        """One side as a file's content."""


class MatchedPairs(Pairs):
    """Pairs of two sources. Of two sizes the smaller is enlarged, so that nothing is lost."""

    def __init__(self, a: ImageSource, b: ImageSource, places: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self._sources = a, b
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def image(self, index: int, side: int) -> tuple[ImageSource, int]:
        return self._sources[side], self._places[index][side]

    def both(self, index: int) -> tuple[Rgb, Rgb]:
        a, b = (source.rgb(place) for source, place in zip(self._sources, self._places[index], strict=True))
        if apart := misfit(_size(a), _size(b)):
            names = " and ".join(source.name(place) for source, place in (self.image(index, side) for side in (0, 1)))
            raise DataError(
                f"{names}: {apart}, which are no two sides of one picture; crop one to the shape of the other, or "
                "remove both"
            )
        larger = max(_size(a), _size(b), key=lambda size: size[0] * size[1])
        return _resized(a, larger), _resized(b, larger)

    def encoded(self, index: int, side: int) -> bytes:
        source, place = self.image(index, side)
        return source.encoded(place)


class HalvedPairs(Pairs):
    """Pairs of one source, whose pictures hold both: the first in the left half, or in the right one."""

    def __init__(self, source: ImageSource, *, first_is_left: bool) -> None:
        super().__init__()
        self._source, self._first_is_left = source, first_is_left

    def __len__(self) -> int:
        return len(self._source)

    def image(self, index: int, side: int) -> tuple[ImageSource, int]:
        return self._source, index

    def both(self, index: int) -> tuple[Rgb, Rgb]:
        whole = self._source.rgb(index)
        try:
            left, right = halves(whole)
        except DataError as error:
            raise DataError(
                f"{self._source.name(index)}: {error}; pictures side by side have an even width: mend it, or remove it"
            ) from error
        return (left, right) if self._first_is_left else (right, left)

    def encoded(self, index: int, side: int) -> bytes:
        """As a PNG, since no file holds it alone."""
        return cv2.imencode(".png", self.both(index)[side][..., ::-1])[1].tobytes()


class PairSide(ImageSource):
    """The first (0) or the second (1) pictures of pairs."""

    def __init__(self, pairs: Pairs, side: int) -> None:
        self._pairs, self._side = pairs, side

    def __len__(self) -> int:
        return len(self._pairs)

    def name(self, index: int) -> str:
        source, place = self._pairs.image(index, self._side)
        return source.name(place)

    def inside(self, index: int) -> str:
        source, place = self._pairs.image(index, self._side)
        return source.inside(place)

    def encoded(self, index: int) -> bytes:
        return self._pairs.encoded(index, self._side)

    def rgb(self, index: int) -> Rgb:
        return self._pairs.rgb(index, self._side)


def _size(image: Rgb) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _resized(image: Rgb, size: tuple[int, int]) -> Rgb:
    """To a size that is larger along one side at least."""
    if _size(image) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
