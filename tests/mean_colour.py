"""The smallest feature network and pictures to go with it: what a set's features are is known by hand."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from img2img.evaluation.sets.feature_network import PooledFeatures


class Untouched(nn.Conv2d):
    """Values as they are; a convolution for its parameters alone, which say where it runs."""

    def __init__(self) -> None:
        super().__init__(3, 3, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)  # one such network is like another

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def mean_colour() -> PooledFeatures:
    """(N, 3): a picture's mean red, green and blue, in [-1, 1]."""
    return PooledFeatures(Untouched(), side=8, name="mean colour")


def draw_colours(folder: Path, count: int, colour: tuple[int, int, int], seed: int = 0, side: int = 24) -> Path:
    """Pictures about a colour, each with a fine texture."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for index in range(count):
        pixels = np.asarray(colour) + rng.normal(0, 12, 3) + rng.normal(0, 20, (side, side, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03}.png")
    return folder
