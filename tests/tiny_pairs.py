"""Pairs small enough for a test, drawn by code."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def scene(seed: int, width: int = 56, height: int = 48) -> np.ndarray:
    """(H, W, 3): soft colours that no other seed has."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC))


def saved(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def folder_of(folder: Path, pictures: Mapping[str, np.ndarray]) -> Path:
    for name, pixels in pictures.items():
        saved(folder / name, pixels)
    return folder


def beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.concatenate([left, right], 1)
