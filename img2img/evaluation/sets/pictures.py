"""The pictures of a source as squares, in batches, and their features, which a folder may keep for another time."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from img2img.atomic_file import written_at_once
from img2img.data.framing import centre_square
from img2img.data.image_source import ImageSource
from img2img.data.training_data import split_off_last
from img2img.errors import DataError
from img2img.evaluation.sets.feature_network import PooledFeatures
from img2img.inference.translator import Translator

PICTURE_SIDE = 256
"""Side in pixels of the squares that are compared."""
MOST = 3_000
"""Pictures of a source that are looked at; of more, so many at equal steps."""

Change = Callable[[Image.Image], Image.Image]


def at_size(translator: Translator, size: int | None) -> Change:
    """The translator, its network at about size x size pixels; at its own size for None."""
    return lambda picture: translator(picture, size=size or "card")


def measured_part(source: ImageSource, held_out: int) -> ImageSource:
    """All of a source, or its last `held_out` by name, at most a tenth, as training holds them out.

    Raises DataError when a tenth is none.
    """
    if not held_out:
        return source
    last = split_off_last(source, held_out)[1]
    if not len(last):
        raise DataError(
            f"{source.name(0)}: {len(source)} pictures in all, too few to hold any out; leave out --held-out"
        )
    return last


def looked_at(source: ImageSource, most: int = MOST) -> list[int]:
    """The indices of the pictures that stand for a source."""
    return [round(place) for place in np.linspace(0, len(source) - 1, min(len(source), most)).tolist()]


def squares(source: ImageSource, *, batch: int, change: Change | None = None) -> Iterator[Tensor]:
    """(N, 3, 256, 256) uint8, N at most `batch`: the middle of each picture, its short side brought to 256 px.

    With `change`, of what that makes of the whole picture. DataError for one that cannot be read.
    """

    def square(index: int) -> NDArray[np.uint8]:
        pixels = source.rgb(index)
        if change:
            pixels = np.asarray(change(Image.fromarray(pixels)).convert("RGB"))
        return centre_square(pixels, PICTURE_SIDE)

    indices = looked_at(source)
    # OpenCV decodes outside of Python's lock; a change is a model, which takes all cores for one picture already.
    with ThreadPoolExecutor(1 if change else None) as pool:
        for first in range(0, len(indices), batch):
            found = list(pool.map(square, indices[first : first + batch]))
            yield torch.from_numpy(np.stack(found).transpose(0, 3, 1, 2))


def features_of(pictures: Iterable[Tensor], features: PooledFeatures) -> Tensor:
    """(N, F) float32 on the CPU, of batches of pictures (n, 3, H, W)."""
    return torch.cat([features(some).cpu() for some in pictures])


def source_features(source: ImageSource, features: PooledFeatures, *, cache_dir: Path | None = None) -> Tensor:
    """(N, F) float32 on the CPU, of the source's `squares`; from the folder when they are in there already."""
    if cache_dir is None:
        return features_of(squares(source, batch=features.batch), features)
    kept = cache_dir / f"features-{_fingerprint(source, features)}.npy"
    with suppress(OSError, ValueError, EOFError):  # there is none yet, or none that can be read
        return torch.from_numpy(np.load(kept, allow_pickle=False))
    found = source_features(source, features)
    with suppress(OSError):  # a full disk costs time, nothing else
        cache_dir.mkdir(parents=True, exist_ok=True)
        with written_at_once(kept) as stream:
            np.save(stream, found.numpy())
    return found


def _fingerprint(source: ImageSource, features: PooledFeatures) -> str:
    """Of the pictures' files and of the network: not of what it says, whose last digits a GPU rolls anew each time."""
    seen = hashlib.sha256(features.identity())
    for index in looked_at(source):
        seen.update(hashlib.sha256(source.encoded(index)).digest())
    return seen.hexdigest()[:16]
