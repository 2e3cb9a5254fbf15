"""Luma and chroma: split a photo, shrink its luma, turn predicted ab into chroma, join the two at full size.

The network sees a small picture; the photo's own luma Y' (BT.601, as in JPEG) never leaves full size. Only
chroma is enlarged, in strips of rows that fit the processor's cache. A colour that Y' leaves no room for is
scaled toward grey, all of it by one factor: clipping R, G and B one by one would move the luma. All numbers are
taken as sRGB's, whatever RGB profile the photo keeps.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.lab import BT601, Floats, gamma, lab_to_linear, lightness, luminance
from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels, as_8_bit, in_strips, strips

_RED, _GREEN, _BLUE = BT601
RED_CR, BLUE_CB = 1.402, 1.772
"""R = Y' + 1.402 Cr and B = Y' + 1.772 Cb, with Cb and Cr around 0."""
GREEN_CB, GREEN_CR = _BLUE * BLUE_CB / _GREEN, _RED * RED_CR / _GREEN
"""G = Y' - 0.344 Cb - 0.714 Cr."""
_OF_65536 = [round(65536 * weight) for weight in BT601]
_LONGEST_AB = 1000  # sRGB ends at 134; the cubes in Lab's formulas must leave digits for what is next to them
_ROUNDING = 0.4  # a whole-step Cb moves B by up to 0.886, of which rounding B forgives 0.5


def luma(photo: Photo) -> Pixels:
    """The photo's Y' (H, W): the pixels themselves when it is grey, no copy."""
    pixels = photo.pixels
    if photo.space == "L":
        return pixels
    if photo.space == "YCbCr":
        return np.ascontiguousarray(pixels[..., 0])
    grey = np.empty(pixels.shape[:2], pixels.dtype)
    of_red, of_green, of_blue = _OF_65536
    for rows in strips(photo.height, photo.width):
        red, green, blue = np.moveaxis(pixels[rows].astype(np.uint32), 2, 0)
        grey[rows] = (of_red * red + of_green * green + of_blue * blue + 32768) >> 16
    return grey


def small_size(height: int, width: int, native_size: int, multiple: int) -> tuple[int, int]:
    """The (h, w) at which a network sees a photo: of about native_size squared pixels, in the photo's aspect.

    Both are multiples of `multiple`, and the area stays bounded however long a panorama is.
    """
    longest = max(native_size * native_size // multiple, multiple)
    stretch = (height / width) ** 0.5
    sides = (native_size * stretch, native_size / stretch)
    h, w = (round(min(max(side, multiple), longest) / multiple) * multiple for side in sides)
    return h, w


def shrink(luma: Pixels, native_size: int, multiple: int) -> npt.NDArray[np.uint8]:
    """Y' at `small_size`, 8 bit."""
    height, width = luma.shape
    h, w = small_size(height, width, native_size, multiple)
    whole = Image.frombuffer("L", (width, height), np.ascontiguousarray(as_8_bit(luma)), "raw", "L", 0, 1)
    return np.asarray(whole.resize((w, h), Image.Resampling.BILINEAR, reducing_gap=2.0))


def chroma_planes(grey: npt.NDArray[np.uint8], ab: Floats) -> Floats:
    """Cb and Cr (2, h, w), around 0 in steps of an 8-bit value, of predicted ab (2, h, w) on greys (h, w).

    Colours outside sRGB are mixed, in linear light, with the grey of the same L until they fit: L stays.
    """
    neutral = luminance(grey)
    tint = lab_to_linear(np.stack([lightness(grey), *ab])) - neutral
    tint *= _room(neutral, tint, low=0, high=1)
    red, green, blue = 255 * gamma(np.clip(neutral + tint, 0, 1))
    y = _RED * red + _GREEN * green + _BLUE * blue
    return np.stack([(blue - y) / BLUE_CB, (red - y) / RED_CR])


def strengthened(ab: Floats, strength: float) -> Floats:
    """ab (2, h, w) times any strength from 0 up, in its own direction, up to a length that `chroma_planes` can take."""
    factor: np.float32 | Floats = np.float32(min(strength, 1e9))
    if not factor * np.abs(ab).max() * 1.5 < _LONGEST_AB:  # 1.5: of both, a and b
        factor = np.minimum(factor, np.float32(_LONGEST_AB) / np.maximum(np.hypot(*ab), np.float32(1e-6)))
    stronger: Floats = ab * factor
    return stronger


def join(luma: Pixels, chroma: Floats, *, threads: int = 1) -> Pixels:
    """The coloured photo (H, W, 3): its Y' (H, W) and, enlarged, the chroma (2, h, w) of `chroma_planes`.

    8 bit gives YCbCr as in JPEG, with Y' untouched; 16 bit gives RGB. No pixel leaves RGB, so luma moves by
    rounding only.
    """
    height, width = luma.shape
    joined = np.empty((height, width, 3), luma.dtype)
    enlarged = _Enlarged(chroma, height, width)
    join_strip = _join_8_bit if luma.dtype == np.uint8 else _join_16_bit

    def join_rows(rows: slice) -> None:
        join_strip(luma[rows], enlarged, rows, joined[rows])

    in_strips(join_rows, height, width, threads=threads)
    return joined


class _Enlarged:
    """Chroma enlarged bilinearly: at once in width, for any run of rows in height.

    Whole numbers throughout: after the width in half steps of chroma, and 64 weights between two rows.
    """

    def __init__(self, chroma: Floats, height: int, width: int) -> None:
        chroma = np.clip(chroma, -127, 127)  # what a byte around 128 can hold
        h, w = min(chroma.shape[1], height), min(chroma.shape[2], width)
        if (h, w) != chroma.shape[1:]:  # a photo smaller than what the network saw: average, do not skip
            chroma = np.stack([_resized(plane, h, w) for plane in chroma])
        column, across = _neighbours(w, width)
        self._row, down = _neighbours(h, height)
        self._weight = np.rint(64 * down).astype(np.int16)[:, None]
        wide = np.stack([_widened(plane, column, across) for plane in chroma])
        self._base = 64 * wide + np.int16(64)
        self._step = np.diff(wide, axis=1, append=wide[:, -1:])
        lowest, highest = _luma_range(chroma)
        self._lowest, self._highest = lowest.take(column, axis=1), highest.take(column, axis=1)

    def rows(self, rows: slice) -> npt.NDArray[np.int16]:
        """Cb and Cr (2, n, W) in steps of 1/128, plus one half step for rounding."""
        step = self._step.take(self._row[rows], axis=1)
        step *= self._weight[rows]
        step += self._base.take(self._row[rows], axis=1)
        return step

    def crowded(self, luma: npt.NDArray[np.uint8], rows: slice) -> npt.NDArray[np.intp]:
        """Flat indices of a strip's pixels whose luma may leave too little room for their chroma."""
        row = self._row[rows]
        below = luma < self._lowest.take(row, axis=0)
        return np.flatnonzero(below | (luma > self._highest.take(row, axis=0)))


def _join_8_bit(luma: npt.NDArray[np.uint8], enlarged: _Enlarged, rows: slice, joined: Pixels) -> None:
    chroma = enlarged.rows(rows)
    chroma >>= 7
    crowded = enlarged.crowded(luma, rows)
    if crowded.size:
        cb, cr = chroma.reshape(2, -1)
        y, some_cb, some_cr = (each[crowded].astype(np.float32) for each in (luma.reshape(-1), cb, cr))
        scale = _room(y, _tint(some_cb, some_cr), low=_ROUNDING, high=255 - _ROUNDING)
        cb[crowded] = np.rint(scale * some_cb)
        cr[crowded] = np.rint(scale * some_cr)
    joined[..., 0] = luma
    np.add(chroma[0], 128, out=joined[..., 1], casting="unsafe")
    np.add(chroma[1], 128, out=joined[..., 2], casting="unsafe")


def _join_16_bit(luma: npt.NDArray[np.uint16], enlarged: _Enlarged, rows: slice, joined: Pixels) -> None:
    y = luma.astype(np.float32)
    cb, cr = (enlarged.rows(rows).astype(np.float32) - 64) * (257 / 128)
    tint = _tint(cb, cr)
    scale = _room(y, tint, low=0, high=65535)
    for channel, color in enumerate(tint):
        joined[..., channel] = np.clip(np.rint(y + scale * color), 0, 65535)


def _tint(cb: Floats, cr: Floats) -> tuple[Floats, Floats, Floats]:
    """How far R, G and B lie from Y'."""
    return RED_CR * cr, -GREEN_CB * cb - GREEN_CR * cr, BLUE_CB * cb


def _room(grey: Floats, tint: Iterable[Floats], *, low: float, high: float) -> Floats:
    """The share, 0 to 1, of its tint in R, G and B that each grey can take, all three staying in [low, high]."""
    red, green, blue = tint
    rise = np.maximum(np.maximum(red, green), blue)
    fall = -np.minimum(np.minimum(red, green), blue)
    room = np.minimum((high - grey) / np.maximum(rise, 1e-6), (grey - low) / np.maximum(fall, 1e-6))
    return np.asarray(np.clip(room, 0, 1), np.float32)


def _luma_range(chroma: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The lowest and highest Y' (h, w) that leave room for all chroma between a pixel's and its neighbours'.

    Those to the right and below: R, G and B are linear in chroma, so the corners bound what is inside.
    """
    levels = np.floor((np.rint(2 * chroma) + 1) / 2)  # rounded as the enlarged chroma will be
    cb_low, cr_low = _over_neighbours(np.minimum, levels)
    cb_high, cr_high = _over_neighbours(np.maximum, levels)
    red_fall, green_rise, blue_fall = _tint(cb_low, cr_low)
    red_rise, green_fall, blue_rise = _tint(cb_high, cr_high)
    lowest = np.ceil(-np.minimum(np.minimum(red_fall, green_fall), blue_fall) - 0.5)
    highest = np.floor(255.5 - np.maximum(np.maximum(red_rise, green_rise), blue_rise))
    return np.clip(lowest, 0, 255).astype(np.uint8), np.clip(highest, 0, 255).astype(np.uint8)


def _over_neighbours(extreme: np.ufunc, planes: Floats) -> Floats:
    """Each value's minimum or maximum with those to its right, below, and below right."""
    result = planes.copy()
    extreme(result[..., :-1], planes[..., 1:], out=result[..., :-1])
    extreme(result[:, :-1], result[:, 1:].copy(), out=result[:, :-1])
    return result


def _neighbours(small: int, large: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """For each of `large` places, the one before it among `small` places, and how far it is to the next."""
    place = np.clip((np.arange(large) + 0.5) * (small / large) - 0.5, 0, small - 1)
    before = place.astype(np.intp)
    return before, (place - before).astype(np.float32)


def _widened(plane: Floats, column: npt.NDArray[np.intp], across: Floats) -> npt.NDArray[np.int16]:
    """A plane (h, w) enlarged in width, in half steps; gathered as rows of its transpose, which is fast."""
    halves = 2 * plane.T
    step = np.diff(halves, axis=0, append=halves[-1:])
    wide = step.take(column, axis=0)
    wide *= across[:, None]
    wide += halves.take(column, axis=0)
    return np.ascontiguousarray(np.rint(wide, out=wide).astype(np.int16).T)


def _resized(plane: Floats, h: int, w: int) -> Floats:
    return np.asarray(Image.fromarray(plane).resize((w, h), Image.Resampling.BILINEAR))
