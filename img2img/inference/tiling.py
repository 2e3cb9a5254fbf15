"""Cutting a large picture into tiles that a network draws one by one, each with a halo of what lies around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

TILE_SIDE = 1280  # of a tile with its halo, in pixels: a network takes 500 bytes and more for each
SMALLEST_HALO = 96
SMALLEST_CORE = 256


@dataclass(frozen=True)
class Span:
    """Of one axis: the run of pixels that a tile draws, and the longer one that the network must see for it."""

    core: slice
    window: slice

    @property
    def inner(self) -> slice:
        """The core's place in the window."""
        return slice(self.core.start - self.window.start, self.core.stop - self.window.start)


def tiles(height: int, width: int, *, halo: int, multiple: int) -> Iterator[tuple[Span, Span]]:
    """Rows and columns of each tile of a picture whose sides are multiples of `multiple`, as are all of theirs.

    The cores cover every pixel once. All windows have one size, so that ONNX Runtime can use its memory again; the
    outermost end at the picture's edge, where the network pads as it would for the whole.
    """
    margin = -(-max(halo, SMALLEST_HALO) // multiple) * multiple
    longest = max(TILE_SIDE, 2 * margin + max(SMALLEST_CORE, 2 * margin // 3))  # or far more is seen than drawn
    yield from product(spans(height, longest, margin, multiple), spans(width, longest, margin, multiple))


def spans(length: int, longest: int, halo: int, multiple: int) -> list[Span]:
    """The fewest windows of one length, at most `longest` rounded up to the multiple, that overlap by two halos."""
    if length <= longest:
        return [Span(slice(0, length), slice(0, length))]
    count = -(-(length - 2 * halo) // (longest - 2 * halo))
    window = -(-(length + 2 * halo * (count - 1)) // (count * multiple)) * multiple
    room = (length - window) // multiple
    starts = [multiple * (room * index // (count - 1)) for index in range(count)]
    cuts = [0, *(start + halo for start in starts[1:]), length]
    return [
        Span(slice(*core), slice(start, start + window)) for core, start in zip(pairwise(cuts), starts, strict=True)
    ]
