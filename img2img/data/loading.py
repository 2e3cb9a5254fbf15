"""Training samples decoded anew each time, in this process or in others beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from img2img.data.augment import seen
from img2img.data.cache import assembled, shrunk
from img2img.data.image_source import ImageSource
from img2img.data.sample_order import StepSamples, domain_seed, order_of, sample_keys
from img2img.errors import DataError
from img2img.randomness import derive_seed
from img2img.recipes.recipe import Batch

if TYPE_CHECKING:
    import albumentations as A

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or its import, a second long, asks the network for a newer one


def photo_of_whole(size: int) -> A.Compose:
    """Square crops of `size` pixels, mirrored half of the time, with the tones, grain and softness of old prints."""
    import albumentations as A

    return A.Compose(
        [
            A.RandomResizedCrop((size, size), scale=(0.3, 1.0), ratio=(0.8, 1.25), p=1.0),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(brightness_limit=0.15, contrast_limit=0.2, p=0.4),
            A.RandomGamma(gamma_limit=(75, 130), p=0.3),
            A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 1.2), p=0.15),
            A.GaussNoise(std_range=(0.01, 0.05), per_channel=False, p=0.15),
        ]
    )


def crop_of_whole(size: int) -> A.Compose:
    """The crops and the mirroring of `photo_of_whole` alone."""
    import albumentations as A

    return A.Compose(
        [
            A.RandomResizedCrop((size, size), scale=(0.3, 1.0), ratio=(0.8, 1.25), p=1.0),
            A.HorizontalFlip(p=0.5),
        ]
    )


DRAWN_ANEW = {"photo": photo_of_whole, "aged": crop_of_whole}
"""What albumentations draws from the whole photo; all else is as a cache would keep it."""


def to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 127.5 - 1


class DomainSamples:
    """The images of one domain in the order of a run's samples."""

    def __init__(self, source: ImageSource, *, image_size: int, augment: str, seed: int) -> None:
        self._source, self._image_size, self._augment, self._seed = source, image_size, augment, seed
        self._order = order_of(source, seed)
        self._drawn_anew = DRAWN_ANEW[augment](image_size) if augment in DRAWN_ANEW else None

    def take(self, sample: int) -> tuple[Tensor, int | None]:
        """The picture (3, image_size, image_size) float32 in [-1, 1], and its label where it has one."""
        index = self._order.image(sample)
        return self._picture(self._source.rgb(index), sample), self._source.label(index)

    def _picture(self, image: NDArray[np.uint8], sample: int) -> Tensor:
        if self._drawn_anew:
            self._drawn_anew.set_random_seed(derive_seed(self._seed, "augmentation", sample) % 2**32)
            return to_tensor(self._drawn_anew(image=image)["image"])
        # What a cache would keep, so that a cache changes nothing.
        alone = assembled([shrunk(image, self._image_size, self._augment)], torch.device("cpu"))
        return seen(alone, sample_keys(self._seed, [sample]), self._image_size, self._augment)[0]


class EndlessSamples(Dataset[Batch]):
    """Sample n of an endless run, decoded when it is asked for."""

    def __init__(
        self, sources: Mapping[str, ImageSource], *, image_size: int, augment: str, seed: int, paired: bool = False
    ) -> None:
        self._seed = seed
        self._domains = {
            domain: DomainSamples(
                source, image_size=image_size, augment=augment, seed=domain_seed(seed, domain, sources, paired=paired)
            )
            for domain, source in sources.items()
        }

    def __getitem__(self, sample: int) -> Batch:
        batch = {"key": sample_keys(self._seed, [sample])[0]}
        for name, domain in self._domains.items():
            batch[name], label = domain.take(sample)
            if label is not None and len(self._domains) == 1:
                batch["label"] = torch.tensor(label)
        return batch


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started meanwhile never hear of Ctrl-C or SIGTERM; this one does, when the block ends.

    A terminal sends Ctrl-C to every process, and the trainer still needs batches to finish in good order. Blocked here,
    since a worker that is still importing could not ignore them yet.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # it would unblock them when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def loaded(samples: EndlessSamples, steps: StepSamples, workers: int, device: torch.device) -> Generator[Batch]:
    """The samples of each step on the device, decoded by `workers` processes; closing this ends them."""
    loader = DataLoader(
        samples,
        batch_sampler=steps,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator(),  # or the loader draws from the global one
    )
    with _deaf_to_interrupts():
        batches = iter(loader)
    try:
        for batch in batches:
            yield {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
    except DataError as error:  # from a worker it comes with the worker's traceback, its own words last
        raise DataError(str(error).rpartition(f"{DataError.__module__}.{DataError.__name__}: ")[2].rstrip()) from None
    finally:
        _end_workers(batches)


def _end_workers(batches: object) -> None:
    """They ignore what usually ends a process, and Python waits for them at its exit."""
    workers: list[BaseProcess] = getattr(batches, "_workers", [])
    try:
        if workers:
            batches._shutdown_workers()  # type: ignore[attr-defined]
    except RuntimeError as error:  # one that aborts as it ends, which takes nothing with it any more
        if "is killed by signal" not in str(error):
            raise
    finally:
        for worker in workers:
            worker.kill()
