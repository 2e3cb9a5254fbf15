"""A film's other streams, copied packet by packet: which a container takes, and when each packet is decoded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream

from img2img.video.encoding import Encoding
from img2img.video.kept_metadata import kept_of_stream
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.picture_row import PictureRow

_WITH_COVERS = ("mp4",)  # elsewhere a cover would be a second film
_WITH_ATTACHMENTS = ("matroska",)  # among which covers are
_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
_MANY = 32  # packets at a stream's beginning that may be without a time of decoding


def can_copy(stream: Stream, encoding: Encoding) -> bool:
    """Whether the container takes the stream as it is: it is asked with nothing else in it."""
    if stream.type == "attachment":
        return encoding.container in _WITH_ATTACHMENTS
    if is_cover(stream) and encoding.container not in _WITH_COVERS:
        return encoding.container in _WITH_ATTACHMENTS and _name(stream) in _COVERS
    try:
        with av.open(io.BytesIO(), "w", format=encoding.container, metadata_errors="surrogateescape") as trial:
            _from_template(trial, stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def streams_of_result(film: FilmFile | PictureRow, encoding: Encoding) -> list[Stream]:
    """The source's streams that the new film has too, the main pictures among them, in its order: attachments last."""
    kept = [stream for stream in film.streams if stream.index == film.main or is_copied(film, stream, encoding)]
    attachments = [stream for stream in kept if stream.type == "attachment" or _becomes_attachment(stream, encoding)]
    return [stream for stream in kept if stream not in attachments] + attachments


def is_copied(film: FilmFile | PictureRow, stream: Stream, encoding: Encoding) -> bool:
    return not is_said_elsewhere(film, stream) and can_copy(stream, encoding)


def is_said_elsewhere(film: FilmFile | PictureRow, stream: Stream) -> bool:
    """Whether a QuickTime data stream only repeats the chapters, or the time code: the new film gets its own."""
    if stream.type != "data":
        return False
    is_time_code = "timecode" in stream.metadata and "timecode" in film.pictures_metadata
    return is_time_code or (bool(film.chapters) and _name(stream) == "bin_data")


def in_words(stream: Stream) -> str:
    return f"{stream.type} stream {stream.index} ({_name(stream) or 'unknown'})"


class Copies:
    """The streams of a new film that are copies, and their packets, timed as they have to be written."""

    def __init__(self, film: FilmFile | PictureRow, encoding: Encoding) -> None:
        self._film, self._encoding = film, encoding
        self._clocks: dict[int, _Clock] = {}

    def add(self, stream: Stream, output: OutputContainer) -> None:
        """Makes the stream's copy, if there is to be one."""
        if not is_copied(self._film, stream, self._encoding):
            return
        if _becomes_attachment(stream, self._encoding):
            _attach(stream, self._film.covers().get(stream.index, b""), output)
        else:
            self._clocks[stream.index] = _Clock(_from_template(output, stream))

    def packets(self) -> Iterator[Packet[Any]]:
        """All of them, each with its stream in the new film, and a time of decoding that rises in it."""
        streams = [stream for stream in self._film.others if stream.index in self._clocks]
        if not streams:
            return
        for packet in self._film.packets(streams):
            if packet.size:
                if is_cover(packet.stream):
                    packet.pts = packet.dts = 0
                yield from self._clocks[packet.stream_index].timed(packet)
        for clock in self._clocks.values():
            yield from clock.rest()


class _Clock:
    """Gives each packet of a stream a time of decoding that rises, where the file has none.

    Matroska has none at all, and FFmpeg none of the first packets where later ones are shown before them.
    """

    def __init__(self, copy: Stream) -> None:
        self._copy = copy
        self._waiting: list[Packet[Any]] = []
        self._last: int | None = None
        self._strict = copy.type in ("video", "audio")

    def timed(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """Those packets that are ready, maybe none yet."""
        if self._last is None and packet.dts is None and len(self._waiting) < _MANY:
            self._waiting.append(packet)
            return []
        return [*self.rest(before=packet.dts), self._in_turn(packet)]

    def rest(self, before: int | None = None) -> list[Packet[Any]]:
        """Those that wait, counted back from the first time of decoding that is known."""
        waiting, self._waiting = self._waiting, []
        latest = before
        for packet in reversed(waiting):
            step = max(1, packet.duration or 1)
            known = [each for each in (packet.pts, latest - step if latest is not None else None) if each is not None]
            packet.dts = latest = min(known, default=0)
        return [self._in_turn(packet) for packet in waiting]

    def _in_turn(self, packet: Packet[Any]) -> Packet[Any]:
        packet.stream = self._copy
        stamp = packet.dts if packet.dts is not None else packet.pts
        if self._last is not None:
            soonest = self._last + self._strict
            stamp = soonest if stamp is None or (packet.dts is None and stamp > soonest) else max(stamp, soonest)
        packet.dts = self._last = stamp or 0
        packet.pts = max(packet.dts, packet.pts) if packet.pts is not None else packet.dts
        return packet


def is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _becomes_attachment(stream: Stream, encoding: Encoding) -> bool:
    return is_cover(stream) and encoding.container in _WITH_ATTACHMENTS


def _name(stream: Stream) -> str | None:
    return getattr(stream, "name", None)


def _from_template(output: OutputContainer, stream: Stream) -> Stream:
    copy: Stream = output.add_stream_from_template(stream, opaque=True)
    copy.metadata.clear()
    copy.metadata.update(kept_of_stream(stream.metadata))
    copy.disposition = stream.disposition
    return copy


def _attach(stream: Stream, content: bytes, output: OutputContainer) -> None:
    name, mimetype = _COVERS[_name(stream) or ""]
    output.add_attachment(stream.metadata.get("filename", name), stream.metadata.get("mimetype", mimetype), content)
