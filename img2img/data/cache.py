"""A whole source decoded once and kept as uint8, in memory or on the device."""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from img2img.choices import one_of
from img2img.data import Caching
from img2img.data.framing import middle, short_side_to
from img2img.data.image_source import ImageSource
from img2img.errors import SettingError

_log = logging.getLogger(__name__)

CACHES = get_args(Caching)
PHOTO_MARGIN = 1.5
"""Short side of a stored photo over the side of the training crops.

The smallest crops are 0.55 of it and are enlarged by a fifth at most, so that they hardly look softer than the photo;
the largest are shrunk by a third, which bilinear sampling does without visible aliasing.
"""
CROP_MARGIN = 286 / 256
"""The same for "crop": what CycleGAN's authors shrink to, and cut squares of their full size from (1703.10593)."""
MARGINS = {"crop": CROP_MARGIN, "light": CROP_MARGIN, "photo": PHOTO_MARGIN, "aged": PHOTO_MARGIN}
LONGEST = 2
"""Long side of a stored photo over its short side, at most."""
SMALL = 2**30
"""Bytes that a set may take of anybody's memory without asking."""
DEVICE_SHARE = 0.4
"""Share of the device's free memory that a set may take; the rest is for the training itself."""
TELL_EVERY = 5.0
"""Seconds between two lines on how far the decoding has come."""


class Padded(NamedTuple):
    """Pictures of one short side, lying: what is taller than wide is stored transposed, so that all pad one side."""

    pixels: Tensor
    """(N, 3, short, longest) uint8 RGB; what lies beyond a picture's own length is 0."""
    lengths: Tensor
    """(N,) int64: the pictures' own long sides in pixels."""
    upright: Tensor
    """(N,) bool: whether the picture was taller than wide."""


class Cache:
    """All images of a source, and their labels where it has classes."""

    def __init__(
        self,
        source: ImageSource,
        *,
        image_size: int,
        augment: str,
        on: torch.device,
        images: list[NDArray[np.uint8]] | None = None,
    ) -> None:
        """Decodes everything into `on`, but for `images` that are `shrunk` already, which this empties.

        Raises DataError with the name of an image that cannot be read.
        """
        self.image_size, self.augment = image_size, augment
        if images is None:
            (images,) = _stored_images([source], image_size, augment)
        self._all = assembled(images, on)
        labels = [source.label(index) for index in range(len(source))] if source.classes else None
        self._labels = None if labels is None else torch.tensor(labels, device=on)

    def take(self, images: Sequence[int], device: torch.device) -> tuple[Padded, Tensor | None]:
        """The images of these indices and their labels, on the device, without waiting for it."""
        kept_on = self._all.pixels.device
        places = sent(torch.tensor(images), kept_on)
        taken = Padded(*(sent(part.index_select(0, places), device) for part in self._all))
        return taken, None if self._labels is None else sent(self._labels.index_select(0, places), device)


def filled_caches(
    sources: Mapping[str, ImageSource], *, image_size: int, augment: str, on: torch.device, paired: bool
) -> dict[str, Cache]:
    """A cache of each source. The sides of a pair may lie in one file: those are decoded together."""
    if not paired:
        return {name: Cache(one, image_size=image_size, augment=augment, on=on) for name, one in sources.items()}
    decoded = _stored_images(list(sources.values()), image_size, augment)
    return {
        name: Cache(source, image_size=image_size, augment=augment, on=on, images=images)
        for (name, source), images in zip(sources.items(), decoded, strict=True)
    }


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device; from page-locked memory, where the copy needs no waiting for."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def settled_cache(
    cache: str, sources: Collection[ImageSource], *, image_size: int, augment: str, samples: int, device: torch.device
) -> str:
    """`cache` itself, or for "auto" which of device, memory and none is the fastest for a run of `samples` in all.

    A run settles once: "photo" and "aged" draw other crops from a cache. Raises SettingError for another word.
    """
    if cache not in CACHES:
        raise SettingError(f"--cache {cache}: must be {one_of(cache, CACHES)}")
    if cache != "auto":
        return cache
    if samples < max(map(len, sources)):
        return "none"  # decoding everything first would be more work than the run itself needs
    size = sum(_bytes_at_most(source, image_size, augment) for source in sources)
    if device.type == "cuda" and size <= DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
        return "device"
    # On the CPU a photo from the cache takes the training's own thread 0.7 ms at 64 px and 2.0 ms at 128 px to crop and
    # tone, a third of that where it is only cropped; decoding it anew with albumentations takes about 1.2 ms at either
    # size, and loader processes take that over.
    if device.type == "cpu" and augment in ("photo", "aged"):
        return "none"
    return "memory" if size <= SMALL else "none"


def _stored_size(image_size: int, augment: str) -> tuple[int, int]:
    """The stored pictures' short side, and their long side at most."""
    if augment not in MARGINS:
        return image_size, image_size
    short = ceil(MARGINS[augment] * image_size)
    return short, LONGEST * short


def _bytes_at_most(source: ImageSource, image_size: int, augment: str) -> int:
    short, longest = _stored_size(image_size, augment)
    return len(source) * 3 * short * longest


def shrunk(image: NDArray[np.uint8], image_size: int, augment: str) -> NDArray[np.uint8]:
    """The (H, W, 3) to keep of an image; without random crops that is the very square that is trained on."""
    short, longest = _stored_size(image_size, augment)
    return middle(short_side_to(image, short), longest, longest).copy()


def _stored_images(sources: Sequence[ImageSource], image_size: int, augment: str) -> list[list[NDArray[np.uint8]]]:
    """Of each source; image n of all is decoded by one thread."""

    def decode(index: int) -> list[NDArray[np.uint8]]:
        return [shrunk(source.rgb(index), image_size, augment) for source in sources]

    # Threads suffice: Pillow decodes outside of Python's lock.
    total = len(sources[0])
    with ThreadPoolExecutor() as pool:
        decoded = list(_told(pool.map(decode, range(total)), total))
    return [list(images) for images in zip(*decoded, strict=True)]


def _told(decoded: Iterable[list[NDArray[np.uint8]]], total: int) -> Iterable[list[NDArray[np.uint8]]]:
    """The same images, with a line in the log now and then when they take their time."""
    last = time.monotonic()
    for done, images in enumerate(decoded, 1):
        yield images
        if time.monotonic() - last >= TELL_EVERY:
            _log.info("decoded %s of %s images", f"{done:,}", f"{total:,}")
            last = time.monotonic()


def assembled(images: list[NDArray[np.uint8]], on: torch.device) -> Padded:
    """Pictures (H, W, 3) of one short side as one; empties `images`, so that the set is never in memory twice."""
    sizes = np.array([image.shape[:2] for image in images])
    lengths = torch.from_numpy(sizes.max(1))
    upright = torch.from_numpy(sizes[:, 0] > sizes[:, 1])
    pixels = torch.zeros(len(images), 3, int(sizes.min()), int(sizes.max()), dtype=torch.uint8, device=on)
    for place in reversed(range(len(images))):
        image = images.pop()
        channels_first = image.transpose(2, 1, 0) if upright[place] else image.transpose(2, 0, 1)
        pixels[place, :, :, : lengths[place]] = torch.from_numpy(np.ascontiguousarray(channels_first))
    return Padded(pixels, lengths.to(on), upright.to(on))
