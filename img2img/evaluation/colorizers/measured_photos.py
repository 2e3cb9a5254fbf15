"""What is measured of each photo and of its colours, in as many ways of colouring it as there are, in one pass."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from img2img.color import small_size
from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.evaluation.colorizers.metrics import Picture, colourfulness, psnr
from img2img.evaluation.colorizers.similarity import Lpips, ssim
from img2img.evaluation.sets.comparison import FEWEST
from img2img.evaluation.sets.distances import frechet_distance
from img2img.evaluation.sets.feature_network import PooledFeatures
from img2img.machine import return_freed_memory, usable_cores

Colorize = Callable[[Image.Image], Image.Image]
Advance = Callable[[int, int], None]
"""Takes how many photos are done, and of how many."""
Values = NDArray[np.float64]

TIDIED = 32
"""Photos after which freed memory goes back: 1,000 photos in ten ways would hold 2 GB more."""
TRUTH, GREY, COLOURED = 0, 1, 2
"""The columns of all figures: coloured the first way; the other ways follow."""


@dataclass(frozen=True)
class MeasuredPhotos:
    """Photos with colour, a row each; the columns are TRUTH, GREY, COLOURED, COLOURED + 1 ..."""

    size: int
    places: NDArray[np.int64]
    """Of each photo, its number in the source."""
    psnr: Values
    colourfulness: Values
    ssim: Values
    """Ends with COLOURED: it takes as long as the decoding does, and says little of colours."""
    lpips: Values | None
    features: Tensor | None
    """(N, columns, F)."""

    def __len__(self) -> int:
        return len(self.places)

    def between(self, first: int, end: int) -> "MeasuredPhotos":
        """Those whose numbers in the source are at least `first` and below `end`."""
        rows = slice(*np.searchsorted(self.places, (first, end)))
        return MeasuredPhotos(
            self.size,
            self.places[rows],
            self.psnr[rows],
            self.colourfulness[rows],
            self.ssim[rows],
            None if self.lpips is None else self.lpips[rows],
            None if self.features is None else self.features[rows],
        )

    def frechet_distance(self, column: int) -> float | None:
        """From the true photos to the same ones of a column; None without features, or for fewer than FEWEST."""
        if self.features is None or len(self) < FEWEST:
            return None
        # of equal sets it is 0 but for the last digits
        return max(0.0, frechet_distance(self.features[:, column], self.features[:, TRUTH]))


@dataclass(frozen=True)
class _Photo:
    """A row of MeasuredPhotos."""

    place: int
    psnr: list[float]
    colourfulness: list[float]
    ssim: list[float]
    lpips: list[float]
    features: Tensor | None


def measure_photos(
    ways: Sequence[Colorize],
    source: ImageSource,
    *,
    size: int,
    lpips: Lpips | None = None,
    features: PooledFeatures | None = None,
    advance: Advance = lambda done, total: None,
) -> MeasuredPhotos:
    """Colour the grey of every photo, at about size x size pixels, in all ways; photos without colour are left out.

    Every photo is read once, and what is measured of it and of its grey is measured once. Photos go to as many threads
    as PyTorch may use, one thread each. Raises DataError when there is none with colour.
    """

    def measured(place: int) -> _Photo | None:
        truth = photo_at(source, place, size)
        return _measured(place, truth, ways, lpips, features) if _has_colour(truth) else None

    photos = []
    with _one_photo_a_thread() as pool:
        for done, photo in enumerate(pool.map(measured, range(len(source))), 1):
            photos += [photo] if photo else []
            if done % TIDIED == 0:  # what is kept of a photo is little, but stands in the midst of what was freed
                return_freed_memory()
            advance(done, len(source))
    if not photos:
        raise DataError(f"{source.name(0)} and the others: no photo with colour to measure on; give colour photos")
    return MeasuredPhotos(
        size,
        np.array([photo.place for photo in photos]),
        np.array([photo.psnr for photo in photos]),
        np.array([photo.colourfulness for photo in photos]),
        np.array([photo.ssim for photo in photos]),
        np.array([photo.lpips for photo in photos]) if lpips else None,
        torch.stack([photo.features for photo in photos if photo.features is not None]) if features else None,
    )


def photos_at(source: ImageSource, size: int, multiple: int = 32) -> Iterator[Image.Image]:
    """Each photo brought to about size x size pixels, aspect kept, sides multiples of `multiple`."""
    return (photo_at(source, place, size, multiple) for place in range(len(source)))


def photo_at(source: ImageSource, place: int, size: int, multiple: int = 32) -> Image.Image:
    """One of them."""
    image = Image.fromarray(source.rgb(place))
    height, width = small_size(image.height, image.width, size, multiple)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _measured(
    place: int, truth: Image.Image, ways: Sequence[Colorize], lpips: Lpips | None, features: PooledFeatures | None
) -> _Photo:
    grey = truth.convert("L")
    pictures = [_pixels(truth), _pixels(grey), *(_pixels(colorize(grey)) for colorize in ways)]
    true, *others = pictures
    return _Photo(
        place,
        [psnr(picture, true) for picture in pictures],
        [colourfulness(picture) for picture in pictures],
        [1.0, *(ssim(picture, true) for picture in others[:COLOURED])],
        [0.0, *lpips.from_truth(others, true)] if lpips else [],
        _features_of(pictures, features) if features else None,
    )


def _features_of(pictures: Sequence[Picture], features: PooledFeatures) -> Tensor:
    """(P, F) on the CPU, of the pictures' middle squares at the side that the network takes."""
    squares = np.stack([centre_square(picture, features.side) for picture in pictures]).transpose(0, 3, 1, 2)
    return torch.cat([features(some).cpu() for some in torch.split(torch.from_numpy(squares), features.batch)])


@contextmanager
def _one_photo_a_thread() -> Iterator[ThreadPoolExecutor]:
    """Photos share the cores better than the operations on one photo do; what is not begun is dropped in the end."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(min(threads, usable_cores()))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _has_colour(photo: Image.Image) -> bool:
    red, green, blue = photo.convert("RGB").split()
    return not (red.tobytes() == green.tobytes() == blue.tobytes())


def _pixels(image: Image.Image) -> Picture:
    return np.asarray(image.convert("RGB"))
