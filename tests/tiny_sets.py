"""Sets of training images small enough for a test: folders, shards, pictures of one colour; and how batches compare."""

import shutil
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from img2img.data.image_source import ImageSource


def assert_equal_batches(some: Iterable[Mapping[str, Tensor]], others: Iterable[Mapping[str, Tensor]]) -> None:
    for one, other in zip(some, others, strict=True):
        assert one.keys() == other.keys()
        for name, tensor in one.items():
            assert torch.equal(tensor, other[name]), name


def tree(folder: Path, photo: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, folder / name)
    return folder


def shard(path: Path, photo: Path, *names: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.add(photo, name)
    return path


class Named(ImageSource):
    """Pictures of one colour a piece, under names in no order."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]

    def encoded(self, index: int) -> bytes:
        return self.names[index].encode()

    def rgb(self, index: int) -> np.ndarray:
        return np.full((40, 40, 3), index, np.uint8)
