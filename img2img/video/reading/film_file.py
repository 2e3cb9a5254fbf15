"""A film's main pictures one by one, in order and in time, and what was lost of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from img2img.errors import FilmError
from img2img.video.reading.film_container import FilmContainer
from img2img.video.reading.length import may_be_missing, start_of
from img2img.video.reading.losses import Losses
from img2img.video.reading.place import BEGINNING, Place
from img2img.video.reading.reasons import ENCRYPTED, NOTHING_READ, UNSUPPORTED, unsupported, why_film_not

_BEFORE = 2  # seconds that are read again before the place to go on from: a frame may lean on ones before its key frame
_LATEST = 16  # frames, by which a decoder may hold back the first one
_UNEVEN = Fraction(1, 4)  # of a step
_PACKETS_IN_A_ROW = ("matroska", "flv", "mxf")  # containers whose packets lie in the file as they come, in one piece


class FilmFile(FilmContainer):
    """An opened film, whose frames can be read from any place on, and which knows what of them was lost."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._packets_read = self._lost_at_end = 0
        self._last_read: int | None = None
        self._why_ended: str | None = None
        self._why_undecoded: FFmpegError | None = None

    def frames(self, place: Place = BEGINNING) -> Iterator[tuple[VideoFrame, Place]]:
        """Each frame after `place`, and the place after it. Time stamps are whole steps of `time_base`, and rise."""
        start, late = place, self._late()
        if not place.orderly or self._is_of("avi"):
            place = BEGINNING  # nothing to find it, or what was lost, by but counting
        for frame, lost in self._decoded_from(place.last):
            if frame.pts is not None:
                frame.pts -= late
            if place.frames and place is start and frame.pts is not None and frame.pts <= (place.last or 0):
                continue
            place = self._after(place, frame, lost)
            frame.pts, frame.time_base = place.last, self.time_base
            if place.frames > start.frames:
                yield frame, place

    def damage(self, place: Place) -> str | None:
        """What was wrong with a film that was read up to `place`, its end; None for nothing."""
        read = place.end * self.time_base - start_of(self.stream)
        too_short = (self.seconds or 0) - read > may_be_missing(self.container, self.stream, place, self.rate)
        said = []
        if too_short or place.broken_at_end or self._lost_at_end or self._unread():
            said.append(f"damaged or incomplete: its pictures break off after {float(read):.1f} s")
        elif self._why_ended:
            said.append(f"damaged or incomplete: it can be read up to {float(read):.1f} s only ({self._why_ended})")
        said += replace(place, broken=place.broken.and_more("", self._lost_by_count(place))).faults()
        return "; ".join(said) or None

    def why_nothing(self) -> str:
        """Why there is no picture at all."""
        if self._why_undecoded:
            return unsupported(self.stream.codec_context.name)
        return NOTHING_READ

    def _unread(self) -> int:
        """Packets after the last one that was read, by the index of an MP4."""
        if not self._is_of("mov") or self._last_read is None:
            return 0
        return sum(entry.timestamp > self._last_read for entry in self.stream.index_entries if entry.size)

    def _lost_by_count(self, place: Place) -> int:
        """In AVI, whose time stamps do not tell: packets of its index, or that were read, which came to no frame."""
        if not self._is_of("avi"):
            return 0
        indexed = sum(entry.size > 0 for entry in self.stream.index_entries)
        return max(0, max(indexed, self._packets_read) - place.frames)

    def _decoded_from(self, stamp: int | None) -> Iterator[tuple[VideoFrame, int]]:
        """As `_decoded`, from some frame at or before the one with this time stamp."""
        if stamp is None:
            return self._decoded()
        earliest = self.stream.start_time or 0
        self.container.seek(max(stamp - int(_BEFORE / self.time_base), earliest), stream=self.stream)
        decoded = self._decoded(stamp)
        first = next(decoded, None)
        if first is None or first[0].pts is None or first[0].pts > stamp:  # a file without a usable index
            self._rewind()
            return self._decoded(stamp)
        return chain([first], decoded)

    def _late(self) -> int:
        """By how much time stamps lag behind: in AVI by the frames that the decoder holds back to bring into order."""
        if not self._is_of("avi"):
            return 0
        first = next(self._decoded(), None)
        self._rewind()
        late = (first[0].pts or 0) - (self.stream.start_time or 0) if first else 0
        return late if 0 < late <= _LATEST * self._step else 0

    def _decoded(self, after: int | None = None) -> Iterator[tuple[VideoFrame, int]]:
        """Each frame, and how many were lost before it; none of those up to the time stamp `after` count."""
        return self._in_order(self._as_decoded(None)) if self._is_of("avi") else self._as_decoded(after)

    def _in_order(self, decoded: Iterator[tuple[VideoFrame, int]]) -> Iterator[tuple[VideoFrame, int]]:
        """With rising time stamps: AVI has none of when a frame is shown, and FFmpeg gives it that of another one."""
        stamp = 0
        for frame, lost in decoded:
            stamp = frame.dts if frame.dts is not None else stamp + self._step
            frame.pts = stamp
            yield frame, lost

    def _as_decoded(self, after: int | None) -> Iterator[tuple[VideoFrame, int]]:
        losses = Losses(self.stream, self._step, after, timed=not self._is_of("avi"))
        self._packets_read, self._lost_at_end = 0, 0
        for packet in self._main_packets(losses):
            try:
                frames = self.stream.decode(packet)
            except UNSUPPORTED as error:
                self._why_undecoded = error
                continue
            except FFmpegError:  # the pictures of a packet that cannot be decoded are missed when later ones come
                losses.undecoded(packet)
                continue
            for frame in frames:
                yield frame, losses.frame(frame)
        self._lost_at_end = losses.rest()

    def _main_packets(self, losses: Losses) -> Iterator[Packet[Any] | None]:
        """The main pictures' packets, at last one that flushes the decoder."""
        in_a_row = self._is_of(*_PACKETS_IN_A_ROW)
        streams = list(self.container.streams) if in_a_row else [self.stream]
        torn = False
        try:
            for packet in self.container.demux(streams):
                torn |= in_a_row and losses.tears(packet)
                if packet.stream_index != self.stream.index:
                    continue
                if packet.has_sidedata("encryption_info"):
                    raise FilmError(f"{self.path}: {ENCRYPTED}")
                losses.packet(packet, torn)
                torn = False
                self._packets_read += packet.size > 0
                self._last_read = packet.dts if packet.dts is not None else self._last_read
                yield packet
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise FilmError(f"{self.path}: {why_film_not(error)}") from error
            self._why_ended = error.strerror
            yield None

    def _after(self, place: Place, frame: VideoFrame, lost: int) -> Place:
        step = frame.duration or self._step
        in_order = frame.pts is not None and (place.last is None or frame.pts > place.last)
        stamp = frame.pts if in_order and frame.pts is not None else place.end if place.last is not None else 0
        poor = frame.is_corrupt and place.frames > 0  # a recording may begin in the middle of things
        size = place.size or (frame.width, frame.height)
        name = f"at {float(stamp * self.time_base - start_of(self.stream)):.2f} s"
        return replace(
            place,
            frames=place.frames + 1,
            last=stamp,
            end=stamp + step,
            orderly=place.orderly and in_order,
            even=place.even and (bool(lost) or self._is_even(place, stamp)),
            broken=place.broken.and_more(name, lost + poor),
            broken_at_end=poor,
            scaled=place.scaled.and_more(name, (frame.width, frame.height) != size),
            size=size,
        )

    def _is_even(self, place: Place, stamp: int) -> bool:
        exact = 1 / (self.rate * self.time_base)
        return place.last is None or abs(stamp - place.last - exact) <= max(Fraction(1), _UNEVEN * exact)
