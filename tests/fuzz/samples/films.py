"""Films of six frames, with and without sound, and one of numbered pictures."""

from __future__ import annotations

import io
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import numpy as np

from fuzz.samples.photos import saved
from fuzz.samples.sample import Sample, image, picture

FRAMES, _HEIGHT, _WIDTH = 6, 48, 64
_RATE = 24
# Name: format, suffix, how it is taken apart, codec, pixels, whether there is sound.
_KINDS = {
    "mp4": ("mp4", ".mp4", "iso", "libx264", "yuv420p", True),
    "mp4-fragments": ("mp4", ".mp4", "iso", "libx264", "yuv420p", False),
    "mov": ("mov", ".mov", "iso", "mjpeg", "yuvj422p", False),
    "mov-deep": ("mov", ".mov", "iso", "prores_ks", "yuv422p10le", False),
    "mkv": ("matroska", ".mkv", "ebml", "libx264", "yuv420p", True),
    "mkv-ffv1": ("matroska", ".mkv", "ebml", "ffv1", "gray", False),
    "webm": ("webm", ".webm", "ebml", "libvpx", "yuv420p", False),
    "avi": ("avi", ".avi", "riff", "mpeg4", "yuv420p", False),
}


def films() -> list[Sample]:
    """Of those kinds whose encoder this FFmpeg has."""
    if not find_spec("av"):
        return []
    import av

    made = []
    for name, (format, suffix, container, codec, pixels, sound) in _KINDS.items():
        if codec in av.codecs_available:
            fragments = {"movflags": "frag_keyframe+empty_moov"} if "fragments" in name else {}
            data = _film(format, codec, pixels, sound, fragments)
            made.append(Sample(f"film/{name}", suffix, container, data, ("film",)))
    return made


def _film(format: str, codec: str, pixels: str, sound: bool, options: dict[str, str]) -> bytes:
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format=format, container_options={"fflags": "+bitexact", **options}) as film:
        video: Any = film.add_stream(codec, rate=_RATE)
        video.width, video.height, video.pix_fmt = _WIDTH, _HEIGHT, pixels
        video.codec_context.thread_count = 1
        audio = film.add_stream("aac", rate=48000) if sound else None
        for number in range(FRAMES):
            shown = np.roll(picture(3, height=_HEIGHT, width=_WIDTH), number, axis=1)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            film.mux(video.encode(frame))
        film.mux(video.encode())
        if audio is not None:
            _add_silence(film, audio)
    return stream.getvalue()


def _add_silence(film: Any, audio: Any) -> None:
    import av

    for start in range(0, 48000 * FRAMES // _RATE, 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        film.mux(audio.encode(frame))
    film.mux(audio.encode())


def sequences() -> list[Sample]:
    """One picture, which the target puts between two good ones."""
    if not find_spec("av"):
        return []
    side = {"height": 48, "width": 64}
    made = {"png": (".png", "png", saved(image("L", **side), "PNG"))}
    made["jpeg"] = (".jpg", "jpeg", saved(image("RGB", **side), "JPEG"))
    return [Sample(f"sequence/{name}", *kind, ("sequence",)) for name, kind in made.items()]
