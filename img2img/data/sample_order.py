"""Which image is the n-th of a run, and which samples make up a process's part of each step."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor

import numpy as np
import torch
from torch import Tensor

from img2img.data.image_sets import WeightedSet, ranges, shares
from img2img.data.image_source import ImageSource
from img2img.errors import SettingError
from img2img.randomness import derive_seed

SHORTEST_BLOCK = 256
"""Samples that weights share out at a time, at least: so drawing their order costs little beside drawing their keys."""


class SampleOrder:
    """Sample n of an endless run: every epoch visits each image once, in an order of its own."""

    def __init__(self, images: int, seed: int) -> None:
        self._images, self._seed = images, seed
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def image(self, sample: int) -> int:
        """Index of the image that sample number `sample` shows."""
        epoch, place = divmod(sample, self._images)
        if epoch != self._epoch:
            rng = np.random.default_rng(derive_seed(self._seed, "order", epoch))
            self._epoch, self._order = epoch, rng.permutation(self._images)
        return int(self._order[place])


class WeightedOrder:
    """Sample n of an endless run over sets of images that have their shares of the samples, whatever their sizes.

    The samples come in blocks, each in a random order of sets. Before block b the first k sets together have had
    floor(b * block * P) of them, where P is their share of all, a fraction: so at the end of a block each set has had
    its share but for less than one sample, however long the run is. Within a set, its own samples go by `SampleOrder`.
    """

    def __init__(self, sets: Sequence[WeightedSet], seed: int) -> None:
        parts = shares(sets)
        self._ends = list(accumulate(parts, initial=Fraction(0)))
        self._length = max(SHORTEST_BLOCK, ceil(1 / min(parts)))  # 1 of each or more: rounding makes no count negative
        self._images = ranges(one.images for one in sets)
        self._orders = [SampleOrder(one.images, derive_seed(seed, "set", place)) for place, one in enumerate(sets)]
        self._seed = seed
        self._block = -1
        self._which: list[int] = []
        self._numbers: list[int] = []

    def image(self, sample: int) -> int:
        """Index of the image that sample number `sample` shows."""
        block, place = divmod(sample, self._length)
        if block != self._block:
            self._lay_out(block)
        which = self._which[place]
        return self._images[which][self._orders[which].image(self._numbers[place])]

    def _lay_out(self, block: int) -> None:
        """For each sample of the block, whose it is, and how many that set has had before."""
        before, after = self._had(block), self._had(block + 1)
        counts = [end - first for first, end in zip(before, after, strict=True)]
        rng = np.random.default_rng(derive_seed(self._seed, "sets", block))
        which = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        numbers = np.empty_like(which)
        numbers[np.argsort(which, kind="stable")] = np.concatenate(list(map(np.arange, before, after)))
        self._block, self._which, self._numbers = block, which.tolist(), numbers.tolist()

    def _had(self, blocks: int) -> list[int]:
        """How many samples each set has had after so many blocks."""
        return [end - first for first, end in pairwise(floor(blocks * self._length * end) for end in self._ends)]


def order_of(source: ImageSource, seed: int) -> SampleOrder | WeightedOrder:
    """In what order a run goes through the images of a source."""
    return WeightedOrder(source.sets, seed) if source.sets else SampleOrder(len(source), seed)


def sample_keys(seed: int, samples: Sequence[int]) -> Tensor:
    """(N,) int64: the keys from which all randomness of these samples is drawn."""
    return torch.tensor([derive_seed(seed, "sample", sample) for sample in samples])


def domain_seed(seed: int, domain: str, domains: Collection[str], *, paired: bool = False) -> int:
    """What fixes the order and the crops of one domain's images: for one alone, and for pairs, the run's own seed."""
    return seed if paired or len(domains) == 1 else derive_seed(seed, f"domain {domain}")


@dataclass(frozen=True)
class StepSamples:
    """The numbers of the samples that one process takes, step by step.

    A step takes `batches_per_step` batches, one after the other; of each, process `rank` of `world` takes its own
    consecutive part. An incomplete last step is left out.
    """

    first: int
    stop: int
    batch_size: int
    batches_per_step: int = 1
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if self.batch_size % self.world:
            raise SettingError(
                f"batch_size={self.batch_size}: cannot be shared equally by {self.world} processes; "
                f"take a multiple of {self.world}"
            )

    def __len__(self) -> int:
        return max(0, self.stop - self.first) // (self.batch_size * self.batches_per_step)

    def __iter__(self) -> Iterator[list[int]]:
        share = self.batch_size // self.world
        for step in range(len(self)):
            batches = range(step * self.batches_per_step, (step + 1) * self.batches_per_step)
            starts = [self.first + batch * self.batch_size + self.rank * share for batch in batches]
            yield [start + place for start in starts for place in range(share)]
