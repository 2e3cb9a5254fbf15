"""How long a film's file says that its pictures last, and how much of that may be missing unnoticed."""

from __future__ import annotations

import re
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from img2img.video.reading.place import Place

_TAGGED = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")  # Matroska's duration, 00:01:02.500000000
_SAY_THEIR_END = ("matroska", "flv", "asf")  # containers whose duration is the time at which they end
_MISSING = Fraction(1, 2), Fraction(1, 50)  # seconds, and share of the film, that may be missing at its end unnoticed
_MISSING_OF_EVEN = Fraction(3, 2)  # frames, likewise, where all come at the same step


def is_of(container: InputContainer, *formats: str) -> bool:
    """Whether it is of one of FFmpeg's formats; what reads MP4 is called "mov", among other names."""
    return any(each in container.format.name.split(",") for each in formats)


def start_of(stream: VideoStream) -> Fraction:
    """In seconds."""
    return (stream.start_time or 0) * (stream.time_base or Fraction(0))


def seconds_said(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """How long the pictures last, as the file says; None where it says it for all streams together only."""
    start = start_of(stream)
    if stream.duration and stream.time_base:
        said = stream.duration * stream.time_base
        return said - start if is_of(container, "asf") else said
    if tagged := _TAGGED.fullmatch(stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = map(Fraction, tagged.groups())
        said = 3600 * hours + 60 * minutes + seconds
        # The end, as FFmpeg writes it; mkvmerge, which writes statistics, says how long.
        return said if "_STATISTICS_TAGS" in stream.metadata else said - start
    if container.duration and len(container.streams) == 1:
        said = Fraction(container.duration, av.time_base)
        return said - start if is_of(container, *_SAY_THEIR_END) else said
    return None


def may_be_missing(container: InputContainer, stream: VideoStream, place: Place, rate: Fraction) -> Fraction:
    """Seconds: a file says roughly how long it is, but for a Matroska file whose frames all last equally long."""
    usual = max(_MISSING[0], _MISSING[1] * (seconds_said(container, stream) or 0))
    exact = place.even and place.orderly and not stream.duration and is_of(container, "matroska")
    return min(usual, _MISSING_OF_EVEN / rate) if exact else usual
