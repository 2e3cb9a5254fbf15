"""Training batches: which image is the n-th, and how it is cropped, flipped and toned.

The n-th sample of a run depends on (seed, n) alone: worker processes, prefetching, a resume and the number of
processes that share the run change nothing. Nor does a cache, but for "photo" and "aged": without one albumentations
draws the crops and tones in the worker processes, with one augment.py draws others like them on the device. Where two
domains are the sides of pairs, sample n is one pair, cropped and flipped alike; else each has an order and crops of its
own.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from img2img.data.augment import seen
from img2img.data.cache import Cache, filled_caches, sent, settled_cache
from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.data.loading import EndlessSamples, loaded, to_tensor
from img2img.data.moving import moving
from img2img.data.sample_order import StepSamples, domain_seed, order_of, sample_keys
from img2img.randomness import derive_seed
from img2img.recipes.recipe import Batch


def training_batches(
    sources: Mapping[str, ImageSource],
    *,
    image_size: int,
    batch_size: int,
    batches_per_step: int = 1,
    augment: str,
    frames: int = 1,
    paired: bool = False,
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

    A batch holds for each domain, under its name in `sources`, images (N, 3, size, size) in [-1, 1]; "key" (N,); and
    where a single source has classes, "label" (N,). With frames > 1 "video" (N, 3, frames, size, size) takes the place
    of "image". N is batches_per_step * batch_size / world. Of two sources that are `paired` image n of one belongs to
    image n of the other, and both are of one size. A source that is cached is decoded by this call; close what
    it returns, which ends the workers. Raises SettingError when the batch cannot be shared equally, DataError when an
    image cannot be read.
    """
    steps = StepSamples(first, stop, batch_size, batches_per_step, rank, world)
    kept = settled_cache(cache, sources.values(), image_size=image_size, augment=augment, samples=stop, device=device)
    if kept == "none":
        samples = EndlessSamples(sources, image_size=image_size, augment=augment, seed=seed, paired=paired)
        batches = loaded(samples, steps, workers, device)
    else:
        home = device if kept == "device" else torch.device("cpu")
        caches = filled_caches(sources, image_size=image_size, augment=augment, on=home, paired=paired)
        domains = {
            domain: CachedDomain(source, domain_seed(seed, domain, sources, paired=paired), caches[domain])
            for domain, source in sources.items()
        }
        batches = _cached(domains, steps, seed, device)
    return _filmed_batches(batches, frames)


class CachedDomain:
    """The images of one domain in the order of a run's samples, decoded already."""

    def __init__(self, source: ImageSource, seed: int, cache: Cache) -> None:
        self._cache = cache
        self._order, self._seed = order_of(source, seed), seed

    def take(self, samples: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Their pictures (N, 3, image_size, image_size) in [-1, 1] and, where the source has classes, labels (N,)."""
        stored, labels = self._cache.take([self._order.image(sample) for sample in samples], device)
        key = sent(sample_keys(self._seed, samples), device)
        return seen(stored, key, self._cache.image_size, self._cache.augment), labels


def _cached(
    domains: Mapping[str, CachedDomain], steps: StepSamples, seed: int, device: torch.device
) -> Generator[Batch]:
    for samples in steps:
        batch = {"key": sent(sample_keys(seed, samples), device)}
        for name, domain in domains.items():
            batch[name], labels = domain.take(samples, device)
            if labels is not None and len(domains) == 1:
                batch["label"] = labels
        yield batch


def _filmed_batches(batches: Generator[Batch], frames: int) -> Generator[Batch]:
    with closing(batches):
        for batch in batches:
            yield _filmed(batch, frames)


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


def shown_batch(
    sources: Mapping[str, ImageSource],
    *,
    image_size: int,
    count: int,
    seed: int,
    frames: int = 1,
    paired: bool = False,
) -> Batch:
    """As `preview_batch`; of several domains each under its own name, as many as the smallest has."""
    if len(sources) == 1:
        (source,) = sources.values()
        return preview_batch(source, image_size=image_size, count=count, seed=seed, frames=frames)
    count = min(count, *map(len, sources.values()))
    chosen = {
        domain: preview_batch(
            source, image_size=image_size, count=count, seed=domain_seed(seed, domain, sources, paired=paired)
        )
        for domain, source in sources.items()
    }
    key = torch.tensor([derive_seed(seed, "preview", place) for place in range(count)])
    return {"key": key, **{domain: batch["image"] for domain, batch in chosen.items()}}
