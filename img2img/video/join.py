"""A converted film put together: the new pictures, and the source's sound, subtitles and chapters packet by packet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from os import SEEK_END
from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.container import OutputContainer
from av.container.core import Flags
from av.packet import Packet
from av.video.stream import VideoStream

from img2img.video.copies import Copies, is_cover
from img2img.video.encoding import QUICKTIME, Encoding
from img2img.video.film_xmp import XMP_TAG, xmp_box
from img2img.video.kept_metadata import container_options, kept, kept_of_stream
from img2img.video.look import Look
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.picture_row import PictureRow
from img2img.video.work_folder import Segment

_BITEXACT = cast(int, Flags.bitexact.value)  # no random identifiers: the same film, the same bytes
_SIMULTANEOUS = Fraction(0)


def join_segments(
    film: FilmFile | PictureRow,
    segments: Iterable[Segment],
    end: int,
    look: Look,
    encoding: Encoding,
    to: BinaryIO,
    xmp: bytes | None = None,
) -> None:
    """Writes the film whose pictures are `segments`; `end` is where the last of them ends, in the film's time base.

    `film` is the source, opened anew; `xmp` is what the new one is to say of itself.
    """
    metadata = kept(film.metadata)
    in_box = encoding.container in QUICKTIME
    if xmp and not in_box:
        metadata[XMP_TAG] = xmp.decode(errors="surrogateescape")
    with av.open(
        to,
        "w",
        format=encoding.container,
        container_options=container_options(metadata, encoding, cover=any(map(is_cover, film.others))),
        metadata_errors="surrogateescape",
        buffer_size=1 << 20,
    ) as output:
        output.flags |= _BITEXACT
        output.metadata.update(metadata)
        output.set_chapters(film.chapters)
        copies = Copies(film, encoding)
        before = [stream for stream in film.others if stream.index < film.main]
        for stream in before:
            copies.add(stream, output)
        pictures = _add_pictures(output, film, look, encoding)
        for stream in film.others[len(before) :]:
            copies.add(stream, output)
        output.start_encoding()
        packets = _timed(segments, end, encoding.reorder)
        _mux(output, _of_stream(packets, pictures, film.time_base), copies.packets())
    if xmp and in_box:
        to.seek(0, SEEK_END)
        to.write(xmp_box(xmp))


def _add_pictures(output: OutputContainer, film: FilmFile | PictureRow, look: Look, encoding: Encoding) -> VideoStream:
    """A stream with an encoder that never encodes: opened as those of the segments were, it has their header."""
    pictures = output.add_stream(encoding.codec, rate=film.rate)
    assert isinstance(pictures, VideoStream)
    encoding.prepare(pictures.codec_context, look, time_base=film.time_base, rate=film.rate)
    pictures.time_base = film.time_base
    pictures.metadata.update(kept_of_stream(film.pictures_metadata))
    pictures.disposition = film.disposition
    if look.rotation:
        pictures.set_display_matrix(look.rotation)
    return pictures


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


def _mux(output: OutputContainer, pictures: Iterator[Packet[Any]], copied: Iterator[Packet[Any]]) -> None:
    """In the order of time, so that nothing has to wait in memory."""
    picture = next(pictures, None)
    for packet in copied:
        while picture is not None and _time(picture) <= _time(packet):
            output.mux(picture)
            picture = next(pictures, None)
        output.mux(packet)
    while picture is not None:
        output.mux(picture)
        picture = next(pictures, None)


def _time(packet: Packet[Any]) -> Fraction:
    return packet.dts * packet.time_base if packet.dts is not None else _SIMULTANEOUS
