"""How a film's frames are stored and shown: size, depth, range, colour matrix, aspect, rotation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import atan2, pi
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from img2img.lab import BT601, BT709
from img2img.video.reading.side_data import display_matrix

_BT709, _UNSPECIFIED = 1, 2  # of all of FFmpeg's colour tags
_BT601 = 6
_FULL = 2  # of AVColorRange
_HD_WIDTH, _SD_HEIGHT = 1280, 576
# What H.264, VP9 and their containers have numbers for (ITU-T H.273), but for RGB: our frames are Y'CbCr.
_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
_TRANSFERS = frozenset({1, *range(4, 19)})
# Of red and blue in Y', by AVColorSpace: BT.709, FCC, BT.470BG, SMPTE 170M, SMPTE 240M, BT.2020.
_LUMA_WEIGHTS = {
    1: (BT709[0], BT709[2]),
    4: (0.3, 0.11),
    5: (BT601[0], BT601[2]),
    6: (BT601[0], BT601[2]),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}


@dataclass(frozen=True)
class Look:
    """What the frames of a converted film have in common, most of it the source's own.

    width, height: even, as H.264 needs them for 4:2:0; an odd film gets its last column or row twice.
    pixels: "yuv420p", or "yuv420p10le" for a source of more than 8 bits.
    matrix, primaries, transfer, full_range: FFmpeg's tags, 2 where the source leaves it to the player, or says what
        does not hold for Y'CbCr, as grey pictures do that are marked as RGB.
    aspect: of one pixel. mirrored, turns: whether a frame as stored is to be mirrored, left to right, and then how many
        quarter turns, anticlockwise, make it upright; `rotation`, the display matrix, is what says so.
    """

    width: int
    height: int
    pixels: str
    matrix: int
    primaries: int
    transfer: int
    full_range: bool
    aspect: Fraction | None
    turns: int = 0
    mirrored: bool = False
    rotation: tuple[int, ...] | None = None

    @property
    def deep(self) -> bool:
        return self.pixels == "yuv420p10le"

    @property
    def luma_weights(self) -> tuple[float, float]:
        """Of red and blue in Y'; where the film does not say, by its size, as players do."""
        if self.matrix in _LUMA_WEIGHTS:
            return _LUMA_WEIGHTS[self.matrix]
        return _LUMA_WEIGHTS[_BT709 if self.width >= _HD_WIDTH or self.height > _SD_HEIGHT else _BT601]

    @property
    def scaler_matrix(self) -> int:
        """The same as `sws_getCoefficients` numbers it."""
        weights = self.luma_weights
        return next(number for number in (1, 4, 5, 7, 9) if _LUMA_WEIGHTS[number] == weights)

    def upright(self, values: NDArray[Any]) -> NDArray[Any]:
        """Of values (H, W, ...) as they are stored."""
        return np.rot90(values[:, ::-1] if self.mirrored else values, self.turns)

    def stored(self, values: NDArray[Any]) -> NDArray[Any]:
        """The other way round."""
        turned = np.rot90(values, -self.turns)
        return turned[:, ::-1] if self.mirrored else turned


def look_of(frame: VideoFrame, aspect: Fraction | None) -> Look:
    """The look of a film whose first frame this is."""
    deep = max(component.bits for component in frame.format.components) > 8
    rotation = display_matrix(frame)
    mirrored, turns = _orientation(rotation)
    return Look(
        width=frame.width + frame.width % 2,
        height=frame.height + frame.height % 2,
        pixels="yuv420p10le" if deep else "yuv420p",
        matrix=_matrix(frame),
        primaries=frame.color_primaries if frame.color_primaries in _PRIMARIES else _UNSPECIFIED,
        transfer=frame.color_trc if frame.color_trc in _TRANSFERS else _UNSPECIFIED,
        full_range=not has_rgb(frame) and is_full_range(frame),
        aspect=aspect,
        turns=turns,
        mirrored=mirrored,
        rotation=rotation,
    )


def _matrix(frame: VideoFrame) -> int:
    """One that frames can be drawn in. Others, YCgCo or ICtCp, are left to the player, which then shows their luma."""
    if has_rgb(frame):
        return _BT709
    return frame.colorspace if frame.colorspace in _LUMA_WEIGHTS else _UNSPECIFIED


def _orientation(matrix: tuple[int, ...] | None) -> tuple[bool, int]:
    """Whether to mirror a frame, and by how many quarter turns, anticlockwise, to turn it then.

    What is at (x, y) is shown at (a x + c y, b x + d y), y downward.
    """
    if matrix is None:
        return False, 0
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return mirrored, round(atan2(-b, a) / (pi / 2)) % 4


def has_rgb(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def is_full_range(frame: VideoFrame) -> bool:
    """Whether its luma goes from 0 to 255: greys that do not say are pictures', and black and white is that."""
    name = frame.format.name
    grey = name.startswith(("gray", "ya", "mono"))
    return frame.color_range == _FULL or name.startswith("yuvj") or (grey and not frame.color_range)
