"""Drawn scenes of a coloured region before a background: outlines, luma and chroma known to the pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from img2img.lab import Floats
from img2img.photo.pixels import Pixels

SIDE = 512  # pixels
GRAIN = 3.0  # standard deviation of the luma, in grey levels
Mask = NDArray[np.bool_]
SKIN, LEAF, SKY, GREY = (-14.0, 20.0), (-22.0, -18.0), (24.0, -14.0), (0.0, 0.0)  # Cb and Cr


@dataclass(frozen=True, eq=False)
class Scene:
    """A region (H, W), the picture's luma (H, W), and the Cb and Cr of the region and of what is behind it."""

    mask: Mask
    luma: NDArray[np.uint8]
    colour: tuple[float, float]
    behind: tuple[float, float]

    def chroma(self) -> Floats:
        """The true Cb and Cr (2, H, W)."""
        planes = [np.where(self.mask, *pair) for pair in zip(self.colour, self.behind, strict=True)]
        return np.stack(planes).astype(np.float32)

    def mix(self, joined: Pixels) -> Floats:
        """How much of each pixel's chroma (H, W, YCbCr) is the region's: 0 for what is behind, 1 for the region."""
        blue, red = (own - other for own, other in zip(self.colour, self.behind, strict=True))
        cb, cr = (joined[..., 1 + place] - np.float32(128 + self.behind[place]) for place in (0, 1))
        return np.asarray((blue * cb + red * cr) / (blue * blue + red * red), np.float32)


def face() -> Scene:
    return _scene(_disc(256, 256, 200), (180, 90), SKIN, GREY)


def group() -> Scene:
    """Eight faces of 12 to 40 px."""
    mask = np.zeros((SIDE, SIDE), bool)
    for number, diameter in enumerate(range(12, 41, 4)):
        mask |= _disc(64 + number % 4 * 128, 160 + number // 4 * 190, diameter)
    return _scene(mask, (170, 70), SKIN, GREY)


def stripes() -> Scene:
    """As wide as what is between them, 24 px; aslant, so that they lie anyhow to the network's pixels."""
    down, across = np.mgrid[:SIDE, :SIDE] + 0.5
    return _scene((across + 0.3 * down) % 48 < 24, (150, 90), SKIN, GREY)


def leaves() -> Scene:
    """A tree's ragged edge, and gaps in it: noise of equal strength at every scale, against the sky."""
    rng, noise = np.random.default_rng(0), np.zeros((SIDE, SIDE), np.float32)
    for cells in (4, 8, 16, 32, 64, 128):
        octave = Image.fromarray(rng.normal(0, cells**-0.5, (cells, cells)).astype(np.float32))
        noise += np.asarray(octave.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    height = np.linspace(-1, 1, SIDE, dtype=np.float32)[:, None]
    return _scene(noise + height > 0, (70, 190), LEAF, SKY)


SCENES = {
    "a face of 200 px": face,
    "eight faces of 12 to 40 px": group,
    "stripes of 24 px": stripes,
    "leaves against the sky": leaves,
}


def _scene(mask: Mask, levels: tuple[int, int], colour: tuple[float, float], behind: tuple[float, float]) -> Scene:
    luma = np.where(mask, *levels) + np.random.default_rng(1).normal(0, GRAIN, mask.shape)
    return Scene(mask, np.rint(luma).astype(np.uint8), colour, behind)


def _disc(across: float, down: float, diameter: float) -> Mask:
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    disc: Mask = np.hypot(x - across, y - down) < diameter / 2
    return disc
