"""How a film's frames are stored and shown: size, depth, range, colour matrix, aspect, rotation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame

from img2img.lab import BT601, BT709

_BT709, _UNSPECIFIED = 1, 2  # of all of FFmpeg's colour tags
_BT601 = 6
_FULL = 2  # of AVColorRange
_HD_WIDTH, _SD_HEIGHT = 1280, 576
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
    matrix, primaries, transfer, full_range: FFmpeg's tags, 2 where the source leaves it to the player.
    aspect: of one pixel. turns: quarter turns, anticlockwise, that make a frame upright; `rotation` is what says so.
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


def look_of(frame: VideoFrame, aspect: Fraction | None) -> Look:
    """The look of a film whose first frame this is."""
    rgb = has_rgb(frame)
    deep = max(component.bits for component in frame.format.components) > 8
    rotation = rotation_of(frame)
    return Look(
        width=frame.width + frame.width % 2,
        height=frame.height + frame.height % 2,
        pixels="yuv420p10le" if deep else "yuv420p",
        matrix=_BT709 if rgb else frame.colorspace,
        primaries=frame.color_primaries,
        transfer=frame.color_trc,
        full_range=not rgb and _is_full(frame),
        aspect=aspect,
        turns=round(frame.rotation / 90) % 4 if rotation else 0,
        rotation=rotation,
    )


def has_rgb(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def _is_full(frame: VideoFrame) -> bool:
    name = frame.format.name
    return frame.color_range == _FULL or name.startswith("yuvj") or (name.startswith("gray") and not frame.color_range)


def rotation_of(frame: VideoFrame) -> tuple[int, ...] | None:
    """The film's display matrix."""
    side_data = cast(SideDataContainer, frame.side_data)
    found = [data for data in side_data if data.type is Type.DISPLAYMATRIX]
    return tuple(np.frombuffer(memoryview(found[0]), np.int32).tolist()) if found else None
