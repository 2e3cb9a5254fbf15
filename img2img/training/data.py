"""Training batches: which image is the n-th, and how it is cropped, flipped and toned.

The n-th sample of a run depends on (seed, n) alone: worker processes and prefetching change nothing.
"""

import os

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from img2img.randomness import derive_seed
from img2img.training.image_source import ImageSource, decode_rgb

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or its import asks the network for a newer version
import albumentations as A


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


def centre_crop(size: int) -> A.Compose:
    """The middle of the image, its short side brought to `size`: for previews."""
    return A.Compose([A.SmallestMaxSize(size), A.CenterCrop(size, size)])


def to_tensor(image: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 127.5 - 1


class EndlessSamples(Dataset[dict[str, Tensor]]):
    """Sample n of an endless run: every epoch visits each image once, in an order of its own."""

    def __init__(self, source: ImageSource, augmentation: A.Compose, seed: int) -> None:
        self._source = source
        self._augmentation = augmentation
        self._seed = seed
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def __getitem__(self, sample: int) -> dict[str, Tensor]:
        epoch, place = divmod(sample, len(self._source))
        if epoch != self._epoch:
            rng = np.random.default_rng(derive_seed(self._seed, "order", epoch))
            self._epoch, self._order = epoch, rng.permutation(len(self._source))
        image = decode_rgb(self._source, int(self._order[place]))
        self._augmentation.set_random_seed(derive_seed(self._seed, "augmentation", sample) % 2**32)
        return {
            "image": to_tensor(self._augmentation(image=image)["image"]),
            "key": torch.tensor(derive_seed(self._seed, "sample", sample)),
        }


def training_batches(
    source: ImageSource, *, image_size: int, batch_size: int, first: int, stop: int, seed: int, workers: int
) -> DataLoader[dict[str, Tensor]]:
    """Batches of samples `first` to `stop`: "image" (N, 3, size, size) in [-1, 1] and "key" (N,)."""
    return DataLoader(
        EndlessSamples(source, photo_augmentation(image_size), seed),
        batch_size=batch_size,
        sampler=range(first, stop),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        drop_last=True,
        multiprocessing_context="spawn" if workers else None,
    )


def preview_batch(source: ImageSource, *, image_size: int, count: int, seed: int) -> dict[str, Tensor]:
    """`count` fixed images without augmentation, chosen by seed."""
    count = min(count, len(source))
    chosen = np.random.default_rng(derive_seed(seed, "preview")).choice(len(source), count, replace=False)
    crop = centre_crop(image_size)
    images = [to_tensor(crop(image=decode_rgb(source, int(index)))["image"]) for index in chosen]
    return {"image": torch.stack(images)}
