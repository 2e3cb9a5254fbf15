"""A film as a file: its main pictures one by one, in order and in time, and what there is to know before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from img2img.atomic_file import reason_for
from img2img.errors import FilmError

_USUAL_RATE = Fraction(25)
_TAGGED = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")  # Matroska's duration, 00:01:02.500000000
_BEFORE = 2  # seconds that are read again before the place to go on from: a frame may lean on ones before its key frame
_LATEST = 16  # frames, by which a decoder may hold back the first one
_MISSING = Fraction(1, 2), Fraction(1, 50)  # seconds, and share of the film, that may be missing at its end unnoticed
NOTHING_READ = "none of its pictures can be read; copy it again from where it came from"


@dataclass(frozen=True)
class Place:
    """How far a film is read: frames, the last one's time stamp and its end, in the stream's time base.

    orderly: all time stamps were there and rose. broken: packets that could not be decoded, frames with errors.
    """

    frames: int = 0
    last: int | None = None
    end: int = 0
    orderly: bool = True
    broken: int = 0
    broken_at_end: bool = False


class FilmFile:
    """An opened film; a context manager. Raises FilmError with the file's name, what is wrong and what to do."""

    def __init__(
        self,
        path: Path,
        *,
        url: str | None = None,
        format: str | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        """`url`, `format` and `options` are FFmpeg's, for what does not say itself where and what it is."""
        self.path = path
        self._reopened = partial(
            av.open, f"file:{url or path}", "r", format=format, options=options, metadata_errors="surrogateescape"
        )
        self._open()
        self.time_base = self.stream.time_base or Fraction(1, 90000)
        self.rate = self.stream.average_rate or self.stream.guessed_rate or _USUAL_RATE
        self.aspect = self.stream.sample_aspect_ratio or None

    def _open(self) -> None:
        try:
            self.container: InputContainer = self._reopened()
        except (FFmpegError, OSError, ValueError) as error:
            raise FilmError(f"{self.path}: {why_film_not(error)}") from error
        try:
            self.stream = self._main_stream()
        except FilmError:
            self.container.close()
            raise
        self.stream.thread_type = "AUTO"

    def _rewind(self) -> None:
        """Opens the film anew: not every file lets itself be searched for its first frame."""
        self.container.close()
        self._open()

    def __enter__(self) -> FilmFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()

    @property
    def others(self) -> list[Stream]:
        """Sound, subtitles, chapters' data, covers: all streams but the main pictures."""
        return [stream for stream in self.container.streams if stream.index != self.stream.index]

    @property
    def seconds(self) -> Fraction | None:
        """How long the pictures last, as the file says; None where it says it for all streams together only."""
        if self.stream.duration:
            return self.stream.duration * self.time_base
        if tagged := _TAGGED.fullmatch(self.stream.metadata.get("DURATION", "")):
            hours, minutes, seconds = map(Fraction, tagged.groups())
            return 3600 * hours + 60 * minutes + seconds
        if self.container.duration and not self.others:
            return Fraction(self.container.duration, av.time_base)
        return None

    @property
    def expected_frames(self) -> int:
        """About how many frames there are; 0 where nothing tells."""
        seconds = self.seconds or Fraction(self.container.duration or 0, av.time_base)
        return self.stream.frames or round(seconds * self.rate)

    def frames(self, place: Place = Place()) -> Iterator[tuple[VideoFrame, Place]]:
        """Each frame after `place`, and the place after it. Time stamps are whole steps of `time_base`, and rise."""
        start, late = place, self._late()
        if not place.orderly:
            place = Place()  # nothing to find it by but counting
        for frame, broken in self._decoded_from(place.last):
            if frame.pts is not None:
                frame.pts -= late
            if place.frames and place is start and frame.pts is not None and frame.pts <= (place.last or 0):
                continue
            place = self._after(place, frame, broken)
            frame.pts, frame.time_base = place.last, self.time_base
            if place.frames > start.frames:
                yield frame, place

    def damage(self, place: Place) -> str | None:
        """What was wrong with a film that was read up to `place`, its end; None for nothing."""
        end = place.end * self.time_base
        start = (self.stream.start_time or 0) * self.time_base
        missing = (self.seconds or 0) - (end - start)
        if missing > max(_MISSING[0], _MISSING[1] * (self.seconds or 0)) or place.broken_at_end:
            return f"damaged or incomplete: its pictures break off after {float(end - start):.1f} s"
        return f"damaged: {place.broken} of its pictures cannot be read, or not well" if place.broken else None

    @property
    def _is_avi(self) -> bool:
        return self.container.format.name == "avi"

    @property
    def _step(self) -> int:
        """From frame to frame, as a rule."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def _main_stream(self) -> VideoStream:
        pictures = [each for each in self.container.streams.video if not each.disposition & Disposition.attached_pic]
        if not pictures:
            raise FilmError(f"{self.path}: there are no moving pictures in this file; name a film")
        if pictures[0].codec_context is None:
            raise FilmError(f"{self.path}: its pictures are in a format that FFmpeg does not know; convert it first")
        return pictures[0]

    def _decoded_from(self, stamp: int | None) -> Iterator[tuple[VideoFrame, int]]:
        """As `_decoded`, from some frame at or before the one with this time stamp."""
        if stamp is None:
            return self._decoded()
        earliest = self.stream.start_time or 0
        self.container.seek(max(stamp - int(_BEFORE / self.time_base), earliest), stream=self.stream)
        decoded = self._decoded()
        first = next(decoded, None)
        if first is None or first[0].pts is None or first[0].pts > stamp:  # a file without a usable index
            self._rewind()
            return self._decoded()
        return chain([first], decoded)

    def _late(self) -> int:
        """By how much time stamps lag behind: in AVI by the frames that the decoder holds back to bring into order."""
        if not self._is_avi:
            return 0
        first = next(self._decoded(), None)
        self._rewind()
        late = (first[0].pts or 0) - (self.stream.start_time or 0) if first else 0
        return late if 0 < late <= _LATEST * self._step else 0

    def _decoded(self) -> Iterator[tuple[VideoFrame, int]]:
        """Each frame, and how many packets since the one before could not be decoded."""
        return self._in_order(self._as_decoded()) if self._is_avi else self._as_decoded()

    def _in_order(self, decoded: Iterator[tuple[VideoFrame, int]]) -> Iterator[tuple[VideoFrame, int]]:
        """With rising time stamps: AVI has none of when a frame is shown, and FFmpeg gives it that of another one."""
        stamp = 0
        for frame, broken in decoded:
            stamp = frame.dts if frame.dts is not None else stamp + self._step
            frame.pts = stamp
            yield frame, broken

    def _as_decoded(self) -> Iterator[tuple[VideoFrame, int]]:
        broken = 0
        for packet in self._packets():
            try:
                frames = self.stream.decode(packet)
            except FFmpegError:
                broken += 1
                continue
            for frame in frames:
                yield frame, broken
                broken = 0

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The main pictures' packets, at last one that flushes the decoder."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.has_sidedata("encryption_info"):
                    raise FilmError(f"{self.path}: the film is encrypted; give a copy without protection")
                yield packet
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise FilmError(f"{self.path}: {why_film_not(error)}") from error
            yield None

    def _after(self, place: Place, frame: VideoFrame, broken: int) -> Place:
        step = frame.duration or self._step
        in_order = frame.pts is not None and (place.last is None or frame.pts > place.last)
        stamp = frame.pts if in_order and frame.pts is not None else place.end if place.last is not None else 0
        poor = frame.is_corrupt and place.frames > 0  # a recording may begin in the middle of things
        return replace(
            place,
            frames=place.frames + 1,
            last=stamp,
            end=stamp + step,
            orderly=place.orderly and in_order,
            broken=place.broken + broken + poor,
            broken_at_end=poor,
        )


def why_film_not(error: BaseException) -> str:
    """One line for a film that cannot be read."""
    if isinstance(error, FFmpegError) and not isinstance(error, OSError):
        return reason_for(ValueError(error.strerror), "read")
    return reason_for(error, "read")
