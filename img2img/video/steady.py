"""Colours that hold still: what a network says of each frame, smoothed in time along the film's own motion.

A network that sees one frame at a time changes its mind from frame to frame, most of all where it is not sure. The
frame before, moved to where the film's motion takes it, says what it said of the same things. As in the blind
temporal consistency of Bonneel et al. (2015, "Blind Video Temporal Consistency") and the network of Lai et al. (2018,
"Learning Blind Video Temporal Consistency"), nothing needs to be known of the first network, motion comes from the
unprocessed film, and the past counts where the moved frame looks like the new one. Ours: a running mean in place of a
Poisson equation or a second network, on the small copy that the network saw, which costs a few milliseconds; and trust
in the past that neither grain nor the flicker of old film takes away.

Motion is dense inverse search (Kroeger et al. 2016), OpenCV's DIS.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from img2img.lab import Floats

Bytes = NDArray[np.uint8]

WEIGHT = 0.85  # of the past where it is fully trusted: a mean over about 1 / (1 - 0.85) = 7 frames
ALIKE = 12.0  # grey levels, of 255, by which a thing may differ and still be trusted by 1/e
ASTRAY = 4.0  # squared pixels, by which there and back again may miss, likewise; 5% of the way are added
NEIGHBOURHOOD = (5, 5)  # grain is averaged over it
CUT = 0.1
"""Mean trust below which a new scene begins. Pans and zooms over photos lay above 0.24, with strong flicker above 0.15;
994 of 996 cuts between photos below, two between nearly blank ones at 0.10 and 0.11."""


class Steadier:
    """Smooths the field of each frame in turn; a `Steady` for `Colorizer.convert` and `Translator.convert`."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # DIS depends on how many share the work; resumed elsewhere, a film must be the same
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._flow.setFinestScale(1)  # at half size: at a quarter, the preset's own, the field drifts and blurs
        self._check = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # a quarter is enough for the way back
        self._before: tuple[Bytes, Floats] | None = None

    def __call__(self, small: Bytes, field: Floats) -> Floats:
        """The field (c, h, w) of the next frame, smoothed; `small` (h, w) is the luma that it belongs to.

        The first frame's field, and the first one's after a cut, come back as they are.
        """
        small = np.ascontiguousarray(small)
        steadied = field.astype(np.float32)
        if self._before is not None and self._before[1].shape == field.shape:
            luma, past = self._before
            moved = _Moved(_motion(self._flow, small, luma))
            trust = self._trust(small, luma, moved)
            if trust.mean() >= CUT:
                steadied += WEIGHT * trust * (moved.planes(past) - steadied)
        self._before = small, steadied
        return steadied.copy()

    def reset(self) -> None:
        """Forgets the frame before, as at a cut."""
        self._before = None

    def state(self) -> dict[str, NDArray[np.generic]]:
        """All that the next frame depends on, to be saved."""
        return {} if self._before is None else {"luma": self._before[0], "field": self._before[1]}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Goes on exactly from where `state` was taken."""
        self._before = None
        if state:
            self._before = np.asarray(state["luma"], np.uint8), np.asarray(state["field"], np.float32)

    def _trust(self, small: Bytes, before: Bytes, moved: _Moved) -> Floats:
        """(h, w), 0 to 1: whether the moved frame shows the same things, and motion there and back agree."""
        change = small - moved.plane(before.astype(np.float32))
        change -= np.median(change)  # all of the picture brighter: old film flickers
        unlike = cv2.blur(np.abs(change), NEIGHBOURHOOD) / ALIKE
        back = moved.planes(np.moveaxis(_motion(self._check, before, small), 2, 0))
        there = np.moveaxis(moved.motion, 2, 0)
        missed = ((there + back) ** 2).sum(0) / (ASTRAY + 0.05 * ((there**2).sum(0) + (back**2).sum(0)))
        trust: Floats = np.exp(-(unlike**2) - missed, dtype=np.float32) * moved.inside
        return trust


def _motion(flow: cv2.DISOpticalFlow, start: Bytes, end: Bytes) -> Floats:
    """(h, w, 2), in pixels, across and down: what is at p in `start` is at p + motion in `end`."""
    return np.asarray(flow.calc(start, end, None), np.float32)  # type: ignore[call-overload]


class _Moved:
    """Planes of the frame before, taken to where the new frame has the same things."""

    def __init__(self, motion: Floats) -> None:
        height, width = motion.shape[:2]
        self.motion = motion
        self._across = motion[..., 0] + np.arange(width, dtype=np.float32)
        self._down = motion[..., 1] + np.arange(height, dtype=np.float32)[:, None]
        across, down = (
            (place >= -0.5) & (place <= length - 0.5) for place, length in ((self._across, width), (self._down, height))
        )
        self.inside = across & down

    def plane(self, plane: Floats) -> Floats:
        """(h, w), between pixels cubic: a linear mean would blur a little more with every frame."""
        moved = cv2.remap(plane, self._across, self._down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    def planes(self, planes: Floats) -> Floats:
        """(c, h, w)."""
        return np.stack([self.plane(np.ascontiguousarray(plane)) for plane in planes])
