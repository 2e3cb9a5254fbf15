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
_JOINED_AT_ONCE = 1 << 18  # pixels: a small photo as a whole, since each call of numpy has a price, too
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

    in_strips(join_rows, height, width, threads=threads, pixels=_JOINED_AT_ONCE)
    return joined


class _Enlarged:
    """Chroma enlarged bilinearly: at once in width, for any run of rows in height.

    Whole numbers throughout: after the width in half steps of chroma, and 64 weights between two rows. In few calls of
    numpy: at each one a thread gives Python's lock away, and may wait for another photo's thread to have it back.
    """

    def __init__(self, chroma: Floats, height: int, width: int) -> None:
        chroma = np.clip(chroma, -127, 127)  # what a byte around 128 can hold
        h, w = min(chroma.shape[1], height), min(chroma.shape[2], width)
        if (h, w) != chroma.shape[1:]:  # a photo smaller than what the network saw: average, do not skip
            chroma = np.stack([_resized(plane, h, w) for plane in chroma])
        column, across = _neighbours(w, width)
        self._row, down = _neighbours(h, height)
        self._weight = 2 * np.rint(64 * down).astype(np.uint16)[:, None]
        wide = _widened(chroma, column, across)
        self._base = wide * np.uint16(128)
        self._base += np.uint16(32768 + 128)  # 128 of a byte, and one half for rounding
        self._step = np.zeros_like(wide)
        np.subtract(wide[:, 1:], wide[:, :-1], out=self._step[:, :-1])
        lowest, levels = _luma_range(chroma)
        self._lowest, self._levels = lowest.take(column, axis=1), levels.take(column, axis=1)

    def rows(self, rows: slice) -> npt.NDArray[np.uint16]:
        """Cb and Cr (2, n, W) around 32768 in steps of 1/256, plus one half step for rounding: bytes, and what follows.

        What is beyond 16 bits on the way is what a sum of such numbers may leave out.
        """
        row = self._row[rows]
        between = self._step.take(row, axis=1)
        between *= self._weight[rows]
        between += self._base.take(row, axis=1)
        return between

    def crowded(self, luma: npt.NDArray[np.uint8], rows: slice) -> npt.NDArray[np.intp]:
        """Flat indices of a strip's pixels whose luma may leave too little room for their chroma."""
        row = self._row[rows]
        above = luma - self._lowest.take(row, axis=0)  # what is below the lowest becomes large
        return np.flatnonzero(above >= self._levels.take(row, axis=0))


def _join_8_bit(luma: npt.NDArray[np.uint8], enlarged: _Enlarged, rows: slice, joined: Pixels) -> None:
    chroma = enlarged.rows(rows)
    crowded = enlarged.crowded(luma, rows)
    if crowded.size:
        planes = chroma.reshape(2, -1)
        y = luma.reshape(-1).take(crowded).astype(np.float32)
        some = (planes.take(crowded, axis=1) >> 8).astype(np.float32)
        some -= 128
        some *= _room(y, _tint(*some), low=_ROUNDING, high=255 - _ROUNDING)
        np.rint(some, out=some)
        some += 128
        some *= 256
        planes[0, crowded], planes[1, crowded] = some
    joined[..., 0] = luma
    chroma >>= 8
    joined[..., 1], joined[..., 2] = chroma


def _join_16_bit(luma: npt.NDArray[np.uint16], enlarged: _Enlarged, rows: slice, joined: Pixels) -> None:
    y = luma.astype(np.float32)
    cb, cr = (enlarged.rows(rows).astype(np.float32) - (32768 + 128)) * (257 / 256)
    tint = _tint(cb, cr)
    scale = _room(y, tint, low=0, high=65535)
    for channel, color in enumerate(tint):
        joined[..., channel] = np.clip(np.rint(y + scale * color), 0, 65535)


def _tint(cb: Floats, cr: Floats) -> tuple[Floats, Floats, Floats]:
    """How far R, G and B lie from Y'."""
    return RED_CR * cr, _green(cb, cr), BLUE_CB * cb


def _green(cb: Floats, cr: Floats) -> Floats:
    return -GREEN_CB * cb - GREEN_CR * cr


def _room(grey: Floats, tint: Iterable[Floats], *, low: float, high: float) -> Floats:
    """The share, 0 to 1, of its tint in R, G and B that each grey can take, all three staying in [low, high]."""
    red, green, blue = tint
    rise = np.maximum(np.maximum(red, green), blue)
    fall = -np.minimum(np.minimum(red, green), blue)
    room = np.minimum((high - grey) / np.maximum(rise, 1e-6), (grey - low) / np.maximum(fall, 1e-6))
    return np.asarray(np.clip(room, 0, 1), np.float32)


def _luma_range(chroma: Floats) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Of the Y' (h, w) that leave room for all chroma between a pixel's and its neighbours': the lowest, and how many.

    Those to the right and below: R, G and B are linear in chroma, so the corners bound what is inside. 255 stands for
    255 and for 256.
    """
    halves = np.rint(2 * chroma).astype(np.int16)
    levels = ((halves + 1) >> 1).astype(np.int8)  # rounded as the enlarged chroma will be
    cb_low, cr_low = _over_neighbours(np.minimum, levels).astype(np.float32)
    cb_high, cr_high = _over_neighbours(np.maximum, levels).astype(np.float32)
    lowest = np.minimum(_green(cb_high, cr_high), np.minimum(RED_CR * cr_low, BLUE_CB * cb_low))
    highest = np.maximum(_green(cb_low, cr_low), np.maximum(RED_CR * cr_high, BLUE_CB * cb_high))
    np.ceil(np.subtract(-0.5, lowest, out=lowest), out=lowest)
    np.floor(np.subtract(255.5, highest, out=highest), out=highest)
    lowest = np.clip(lowest, 0, 255, out=lowest)
    count = np.clip(highest, -1, 255, out=highest) - lowest + 1
    return lowest.astype(np.uint8), np.clip(count, 0, 255, out=count).astype(np.uint8)


def _over_neighbours(extreme: np.ufunc, planes: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Each value's minimum or maximum with those to its right, below, and below right."""
    result = planes.copy()
    extreme(planes[..., :-1], planes[..., 1:], out=result[..., :-1])
    extreme(result[:, :-1], result[:, 1:], out=result[:, :-1])
    return result


def _neighbours(small: int, large: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """For each of `large` places, the one before it among `small` places, and how far it is to the next."""
    place = np.clip((np.arange(large) + 0.5) * (small / large) - 0.5, 0, small - 1)
    before = place.astype(np.intp)
    return before, (place - before).astype(np.float32)


def _widened(planes: Floats, column: npt.NDArray[np.intp], across: Floats) -> npt.NDArray[np.uint16]:
    """Planes (2, h, w) enlarged in width, in half steps, those below 0 as of 65536.

    Gathered as rows of their transpose, which is fast.
    """
    count, h, w = planes.shape
    halves = np.multiply(planes.reshape(count * h, w).T, 2, order="C")
    step = np.zeros_like(halves)
    np.subtract(halves[1:], halves[:-1], out=step[:-1])
    wide = step.take(column, axis=0)
    wide *= across[:, None]
    wide += halves.take(column, axis=0)
    whole = np.rint(wide, out=wide).astype(np.int16)
    return np.ascontiguousarray(whole.T).view(np.uint16).reshape(count, h, len(column))


def _resized(plane: Floats, h: int, w: int) -> Floats:
    return np.asarray(Image.fromarray(plane).resize((w, h), Image.Resampling.BILINEAR))
