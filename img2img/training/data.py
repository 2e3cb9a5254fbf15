"""Training batches: which image is the n-th, and how it is cropped, flipped and toned.

The n-th sample of a run depends on (seed, n) alone: worker processes, prefetching, a resume and the number of
processes that share the run change nothing. Nor does a cache, but for "photo": without one albumentations draws the
crops and tones in the worker processes, with one augment.py draws others like them on the device.
"""

import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from img2img.errors import DataError
from img2img.randomness import derive_seed
from img2img.recipes.recipe import Batch
from img2img.training.augment import flipped, photo_augmented, squares
from img2img.training.cache import Cache, sent, settled_cache
from img2img.training.framing import centre_square
from img2img.training.image_source import ImageSource
from img2img.training.moving import moving
from img2img.training.sample_order import SampleOrder, StepSamples, sample_keys

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or its import asks the network for a newer version
import albumentations as A


class Augmentation(Protocol):
    """What albumentations' Compose is: called with one image, random by its own seed alone."""

    def set_random_seed(self, seed: int) -> None: ...

    def __call__(self, *, image: NDArray[np.uint8]) -> dict[str, Any]: ...


def photo_augmentation(size: int) -> A.Compose:
    """Square crops of `size` pixels, mirrored half of the time, with the tones, grain and softness of old prints."""
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


class CentreSquare:
    """The augmentation that is none: the middle of the image, its short side brought to `size`."""

    def __init__(self, size: int) -> None:
        self._size = size

    def set_random_seed(self, seed: int) -> None:
        pass

    def __call__(self, *, image: NDArray[np.uint8]) -> dict[str, Any]:
        return {"image": centre_square(image, self._size)}


def to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 127.5 - 1


class EndlessSamples(Dataset[Batch]):
    """Sample n of an endless run, decoded when it is asked for."""

    def __init__(self, source: ImageSource, augmentation: Augmentation, seed: int) -> None:
        self._source, self._augmentation, self._seed = source, augmentation, seed
        self._order = SampleOrder(len(source), seed)

    def __getitem__(self, sample: int) -> Batch:
        index = self._order.image(sample)
        self._augmentation.set_random_seed(derive_seed(self._seed, "augmentation", sample) % 2**32)
        image = self._augmentation(image=self._source.rgb(index))["image"]
        label = self._source.label(index)
        return {
            "image": to_tensor(image),
            "key": sample_keys(self._seed, [sample])[0],
            **({} if label is None else {"label": torch.tensor(label)}),
        }


def training_batches(
    source: ImageSource,
    *,
    image_size: int,
    batch_size: int,
    batches_per_step: int = 1,
    augment: str,
    frames: int = 1,
    first: int,
    stop: int,
    seed: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
    cache: str = "auto",
    device: torch.device,
) -> Generator[Batch]:
    """This process's part of samples `first` to `stop`, a step at a time, on the device.

    A batch holds "image" (N, 3, size, size) in [-1, 1], or with frames > 1 "video" (N, 3, frames, size, size), "key"
    (N,) and, where the source has classes, "label" (N,); N is batches_per_step * batch_size / world. A source that is
    cached is decoded by this call; close what it returns, which ends the workers. Raises SettingError when the batch
    cannot be shared equally, DataError when an image cannot be read.
    """
    steps = StepSamples(first, stop, batch_size, batches_per_step, rank, world)
    kept = settled_cache(cache, source, image_size=image_size, augment=augment, samples=stop, device=device)
    if kept == "none":
        augmentation = photo_augmentation(image_size) if augment == "photo" else CentreSquare(image_size)
        batches = _loaded(EndlessSamples(source, augmentation, seed), steps, workers, device)
    else:
        images = Cache(source, image_size=image_size, augment=augment, on=_home(kept, device))
        batches = _cached(images, SampleOrder(len(source), seed), steps, seed, augment, image_size, device)
    return _finished(batches, augment, frames)


def _finished(batches: Generator[Batch], augment: str, frames: int) -> Generator[Batch]:
    with closing(batches):
        for batch in batches:
            yield _filmed(_mirrored(batch) if augment == "flip" else batch, frames)


def _home(kept: str, device: torch.device) -> torch.device:
    return device if kept == "device" else torch.device("cpu")


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


def _loaded(samples: EndlessSamples, steps: StepSamples, workers: int, device: torch.device) -> Generator[Batch]:
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
    finally:
        for worker in workers:
            worker.kill()


def _cached(
    images: Cache,
    order: SampleOrder,
    steps: StepSamples,
    seed: int,
    augment: str,
    image_size: int,
    device: torch.device,
) -> Generator[Batch]:
    for samples in steps:
        stored, labels = images.take([order.image(sample) for sample in samples], device)
        key = sent(sample_keys(seed, samples), device)
        image = photo_augmented(stored, key, image_size) if augment == "photo" else squares(stored)
        yield {"image": image, "key": key, **({} if labels is None else {"label": labels})}


def _mirrored(batch: Batch) -> Batch:
    return {**batch, "image": flipped(batch["image"], batch["key"])}


def _filmed(batch: Batch, frames: int) -> Batch:
    """With "video" in the place of "image" when a sample has several frames."""
    if frames == 1:
        return batch
    return {"video": moving(batch.pop("image"), batch["key"], frames), **batch}


def preview_batch(source: ImageSource, *, image_size: int, count: int, seed: int, frames: int = 1) -> Batch:
    """At most `count` fixed samples without augmentation, chosen by seed: as a training batch, on the CPU."""
    count = min(count, len(source))
    chosen = np.random.default_rng(derive_seed(seed, "preview")).choice(len(source), count, replace=False).tolist()
    batch = {
        "image": torch.stack([to_tensor(centre_square(source.rgb(index), image_size)) for index in chosen]),
        "key": torch.tensor([derive_seed(seed, "preview", place) for place in range(count)]),
    }
    if source.classes:
        batch["label"] = torch.tensor([source.label(index) for index in chosen])
    return _filmed(batch, frames)
