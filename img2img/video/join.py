"""A converted film put together: the new pictures, and the source's sound, subtitles and chapters packet by packet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.container import OutputContainer
from av.container.core import Flags
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from img2img.video.encoding import Encoding
from img2img.video.film_file import FilmFile
from img2img.video.look import Look
from img2img.video.work_folder import Segment

_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "DURATION", "ENCODER"}
_BITEXACT = cast(int, Flags.bitexact.value)  # no random identifiers: the same film, the same bytes
_WITH_COVERS = ("mp4", "mov")  # elsewhere a cover would be a second film
_SIMULTANEOUS = Fraction(0)


def join_segments(
    film: FilmFile, segments: Iterable[Segment], end: int, look: Look, encoding: Encoding, to: BinaryIO
) -> None:
    """Writes the film whose pictures are `segments`; `end` is where the last of them ends, in the film's time base.

    `film` is the source, opened anew.
    """
    with av.open(to, "w", format=encoding.container, metadata_errors="surrogateescape", buffer_size=1 << 20) as output:
        output.flags |= _BITEXACT
        output.metadata.update(_kept(film.container.metadata))
        output.set_chapters(film.container.chapters())
        copies: dict[int, Stream] = {}
        pictures: VideoStream | None = None
        for stream in film.container.streams:
            if stream.index == film.stream.index:
                pictures = _add_pictures(output, film, look, encoding)
            elif can_copy(stream, encoding):
                copies[stream.index] = _add_copy(output, stream)
        assert pictures is not None
        output.start_encoding()
        packets = _timed(segments, end, encoding.reorder)
        _mux(output, _of_stream(packets, pictures, film.time_base), film, copies)


def can_copy(stream: Stream, encoding: Encoding) -> bool:
    """Whether the container takes the stream as it is: it is asked with nothing else in it."""
    if _is_cover(stream) and encoding.container not in _WITH_COVERS:
        return False
    try:
        with av.open(io.BytesIO(), "w", format=encoding.container) as trial:
            _add_copy(trial, stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def _add_pictures(output: OutputContainer, film: FilmFile, look: Look, encoding: Encoding) -> VideoStream:
    """A stream with an encoder that never encodes: opened as those of the segments were, it has their header."""
    pictures = output.add_stream(encoding.codec, rate=film.rate)
    assert isinstance(pictures, VideoStream)
    encoding.prepare(pictures.codec_context, look, time_base=film.time_base, rate=film.rate)
    pictures.time_base = film.time_base
    pictures.metadata.update(_kept(film.stream.metadata))
    pictures.disposition = film.stream.disposition
    if look.rotation:
        pictures.set_display_matrix(look.rotation)
    return pictures


def _add_copy(output: OutputContainer, stream: Stream) -> Stream:
    copy: Stream = output.add_stream_from_template(stream, opaque=True)
    copy.metadata.update(_kept(stream.metadata))
    copy.disposition = stream.disposition
    return copy


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Titles, languages, dates; not what describes the old file."""
    return {key: value for key, value in metadata.items() if key not in _OF_THE_FILE and not key.startswith("_STAT")}


def _timed(segments: Iterable[Segment], end: int, reorder: int) -> Iterator[Packet[Any]]:
    """All segments' packets with presentation and decoding times and durations.

    Each segment's encoder began anew, so its decoding times would go back where frames' durations vary. The n-th packet
    is decoded when the n-th frame less `reorder` is shown.
    """
    waiting: list[int] = []
    for segment, next_stamp in _with_next(segments, end):
        shown = np.sort(segment.stamps).tolist()
        following = dict(zip(shown, [*shown[1:], next_stamp], strict=True))
        if not waiting:
            step = following[shown[0]] - shown[0]
            waiting = [shown[0] - step * back for back in range(reorder, 0, -1)]
        waiting += shown
        for stamp, key, content in zip(segment.stamps.tolist(), segment.keys, segment.packets, strict=True):
            packet: Packet[Any] = Packet(content)
            packet.pts, packet.dts, packet.duration = stamp, waiting.pop(0), following[stamp] - stamp
            packet.is_keyframe = bool(key)
            yield packet


def _with_next(segments: Iterable[Segment], end: int) -> Iterator[tuple[Segment, int]]:
    """Each segment, and the time stamp at which the one after it begins."""
    before: Segment | None = None
    for segment in segments:
        if before is not None:
            yield before, int(segment.stamps.min())
        before = segment
    if before is not None:
        yield before, end


def _of_stream(packets: Iterable[Packet[Any]], stream: VideoStream, time_base: Fraction) -> Iterator[Packet[Any]]:
    for packet in packets:
        packet.stream, packet.time_base = stream, time_base
        yield packet


def _mux(output: OutputContainer, pictures: Iterator[Packet[Any]], film: FilmFile, copies: dict[int, Stream]) -> None:
    """In the order of time, so that nothing has to wait in memory."""
    picture = next(pictures, None)
    for packet in _copied(film, copies):
        while picture is not None and _time(picture) <= _time(packet):
            output.mux(picture)
            picture = next(pictures, None)
        packet.stream = copies[packet.stream.index]
        output.mux(packet)
    while picture is not None:
        output.mux(picture)
        picture = next(pictures, None)


def _copied(film: FilmFile, copies: dict[int, Stream]) -> Iterator[Packet[Any]]:
    streams = [stream for stream in film.others if stream.index in copies]
    if not streams:
        return
    with suppress(FFmpegError):  # a damaged film: what can be read is there, and reported
        for packet in film.container.demux(streams):
            if packet.size and _is_cover(packet.stream):
                packet.pts = packet.dts = 0
            if packet.size and packet.dts is not None:
                yield packet


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _time(packet: Packet[Any]) -> Fraction:
    return packet.dts * packet.time_base if packet.dts is not None else _SIMULTANEOUS
