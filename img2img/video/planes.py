"""A frame's planes: its own luma, untouched, new chroma beside it; or all of it as RGB and back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from img2img.lab import BT601, Floats
from img2img.photo.pixels import Pixels
from img2img.video.look import Look, has_rgb, is_full_range

_LIMITED, _FULL = 1, 2  # AVColorRange


def own_frame(frame: VideoFrame, look: Look) -> VideoFrame:
    """The frame in the look's pixel format and size, safe to be drawn into: luma as decoded, to the last bit."""
    full = has_rgb(frame) or is_full_range(frame)
    if has_rgb(frame):
        frame = frame.reformat(
            format=look.pixels,
            dst_colorspace=look.scaler_matrix,
            src_color_range=_FULL,
            dst_color_range=_range(look.full_range),
            interpolation=_between_yuv_and_rgb(look),
        )
    elif full != look.full_range:  # a frame unlike the first one
        frame = frame.reformat(
            format=look.pixels, src_color_range=_range(full), dst_color_range=_range(look.full_range)
        )
    elif frame.format.name != look.pixels:  # the same range on both sides: values stay as they are
        frame = frame.reformat(format=look.pixels, src_color_range=_FULL, dst_color_range=_FULL)
    if (frame.width, frame.height) == (look.width, look.height):
        frame.make_writable()
    else:
        frame = _resized(frame, look)
    return _tagged(frame, look)


def full_range_luma(frame: VideoFrame, look: Look) -> NDArray[np.uint8]:
    """Y' (H, W), 8 bit, 0 to 255, upright, of an `own_frame`."""
    values = _plane(frame, 0)
    if look.deep:
        values = _table(look).take(values)
    elif not look.full_range:  # OpenCV's own table: a fifth of the time, outside Python's lock
        values = np.asarray(cv2.LUT(np.ascontiguousarray(values), _table(look)))
    return np.ascontiguousarray(look.upright(values))


def put_chroma(frame: VideoFrame, look: Look, luma: NDArray[np.uint8], chroma: Floats) -> None:
    """Draws Cb and Cr (2, h, w), as JPEG has them, enlarged, into an `own_frame` of this full-range luma.

    They become those of the film's own matrix, with R - G and B - G kept. Where R, G or B would leave its range
    beside the frame's luma, the colour is scaled toward grey.
    """
    size = luma.shape[1] // 2, luma.shape[0] // 2
    cb, cr = _in_matrix(chroma[0], chroma[1], look)  # while they are small: enlarging is linear, and so is all of this
    tint = [_enlarged(plane, size) for plane in _tint(cb, cr, *look.luma_weights)]
    room = _room(np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32), *tint)
    for index, plane in ((1, cb), (2, cr)):
        _plane(frame, index)[:] = _chroma_levels(look.stored(_enlarged(plane, size) * room), look)


def to_rgb(frame: VideoFrame, look: Look) -> Pixels:
    """(H, W, 3), 8 bit, or 16 of a deep film, upright."""
    pixels = frame.reformat(
        format="rgb48le" if look.deep else "rgb24",
        src_colorspace=look.scaler_matrix,
        src_color_range=_range(look.full_range),
        dst_color_range=_FULL,
        interpolation=_between_yuv_and_rgb(look),
    ).to_ndarray()
    return np.ascontiguousarray(look.upright(pixels))


def from_rgb(pixels: Pixels, frame: VideoFrame, look: Look) -> VideoFrame:
    """The frame that shows `pixels`, as `to_rgb` gives them, when `frame` was to be shown."""
    stored = np.ascontiguousarray(look.stored(pixels))
    drawn = VideoFrame.from_ndarray(stored, format="rgb48le" if look.deep else "rgb24").reformat(
        format=look.pixels,
        dst_colorspace=look.scaler_matrix,
        src_color_range=_FULL,
        dst_color_range=_range(look.full_range),
        interpolation=_between_yuv_and_rgb(look),
    )
    drawn.pts, drawn.time_base = frame.pts, frame.time_base
    return _tagged(drawn, look)


def _plane(frame: VideoFrame, index: int) -> NDArray[Any]:
    """A view of one plane, (H, W)."""
    plane = frame.planes[index]
    values = np.frombuffer(plane, np.uint16 if frame.format.name.endswith("10le") else np.uint8)  # type: ignore[call-overload]
    return np.asarray(values).reshape(plane.height, -1)[:, : plane.width]


def _between_yuv_and_rgb(look: Look) -> Interpolation:
    """How the scaler is to compute. Left alone it makes 8 bits half a step too dark; more bits it takes only so."""
    exact = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
    return Interpolation.BILINEAR if look.deep else Interpolation.BILINEAR | exact


def _resized(frame: VideoFrame, look: Look) -> VideoFrame:
    """With an odd side's last column or row twice; of another size than the film began with, scaled."""
    if look.width - frame.width not in (0, 1) or look.height - frame.height not in (0, 1):
        return frame.reformat(width=look.width, height=look.height)
    padded = VideoFrame(look.width, look.height, look.pixels)
    padded.pts, padded.time_base = frame.pts, frame.time_base
    for index in range(3):
        target, source = _plane(padded, index), _plane(frame, index)
        more = [(0, target.shape[axis] - source.shape[axis]) for axis in (0, 1)]
        target[:] = np.pad(source, more, mode="edge")
    return padded


def _tagged(frame: VideoFrame, look: Look) -> VideoFrame:
    frame.colorspace, frame.color_range = look.matrix, _range(look.full_range)
    frame.color_primaries, frame.color_trc = look.primaries, look.transfer
    frame.pict_type = 0  # decoded, it still says what it was; the encoder would do as it says
    return frame


def _range(full: bool) -> int:
    return _FULL if full else _LIMITED


def _table(look: Look) -> NDArray[np.uint8]:
    """Full-range 8-bit luma for each stored value."""
    levels = np.arange(1024) / 4 if look.deep else np.arange(256)
    values = levels * (255 / levels[-1]) if look.full_range else (levels - 16) * (255 / 219)
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _enlarged(plane: Floats, size: tuple[int, int]) -> Floats:
    """To (width, height)."""
    return np.asarray(cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_LINEAR), np.float32)


def _in_matrix(cb: Floats, cr: Floats, look: Look) -> tuple[Floats, Floats]:
    red_weight, blue_weight = look.luma_weights
    red, green, blue = _tint(cb, cr, BT601[0], BT601[2])  # as JPEG has it
    brighter = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    return (blue - brighter) / (2 - 2 * blue_weight), (red - brighter) / (2 - 2 * red_weight)


def _room(grey: Floats, red: Floats, green: Floats, blue: Floats) -> Floats:
    """The share, 0 to 1, of its chroma that each luma can take, whose R, G and B lie so far from it."""
    rise = np.maximum(np.maximum(np.maximum(red, green), blue), np.float32(1e-6))
    fall = np.maximum(-np.minimum(np.minimum(red, green), blue), np.float32(1e-6))
    room: Floats = np.minimum(np.minimum((255 - grey) / rise, grey / fall), np.float32(1))
    return room


def _tint(cb: Floats, cr: Floats, red_weight: float, blue_weight: float) -> tuple[Floats, Floats, Floats]:
    """How far R, G and B lie from Y'."""
    red, blue = np.float32(2 - 2 * red_weight) * cr, np.float32(2 - 2 * blue_weight) * cb
    green = (np.float32(red_weight) * red + np.float32(blue_weight) * blue) / np.float32(red_weight + blue_weight - 1)
    return red, np.asarray(green, np.float32), blue


def _chroma_levels(plane: Floats, look: Look) -> Floats:
    steps = 4 if look.deep else 1
    levels = (128 + plane * np.float32(1 if look.full_range else 224 / 255)) * steps
    rounded: Floats = np.rint(levels).clip(0, 256 * steps - 1)
    return rounded
