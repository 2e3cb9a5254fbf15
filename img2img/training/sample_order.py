"""Which image is the n-th of a run, and which samples make up a process's part of each step."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from img2img.errors import SettingError
from img2img.randomness import derive_seed


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


def sample_keys(seed: int, samples: Sequence[int]) -> Tensor:
    """(N,) int64: the keys from which all randomness of these samples is drawn."""
    return torch.tensor([derive_seed(seed, "sample", sample) for sample in samples])


def domain_seed(seed: int, domain: str, domains: Collection[str]) -> int:
    """What fixes the order and the crops of one domain's images: where there is but one, the run's own seed."""
    return seed if len(domains) == 1 else derive_seed(seed, f"domain {domain}")


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
