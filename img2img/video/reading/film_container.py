"""A film as a container: its streams, what it says of itself, and which stream holds the main pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from img2img.errors import FilmError
from img2img.video.reading.length import is_of, seconds_said
from img2img.video.reading.reasons import ENCRYPTED, NO_PICTURES, unsupported, why_film_not

_USUAL_RATE = Fraction(25)
_VP8_THREADS = 4  # also where there are fewer cores: one thread would be none
_ENCRYPTED_TAGS = ("encv", "drmi")


class FilmContainer:
    """An opened film; a context manager. Raises FilmError with the file's name, what is wrong and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reopened = partial(av.open, f"file:{path}", "r", metadata_errors="surrogateescape")
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
        self._share_among_threads()

    def _share_among_threads(self) -> None:
        """VP8 picture by picture: only then FFmpeg sees that the modes of its blocks break off, before it draws one.

        With a picture a thread, or without threads, it goes on with what comes, and says nothing.
        """
        self.stream.thread_type = "AUTO"
        if self.stream.codec_context.name == "vp8":
            self.stream.codec_context.thread_type = "SLICE"
            self.stream.codec_context.thread_count = _VP8_THREADS

    def _rewind(self) -> None:
        """Opens the film anew: not every file lets itself be searched for its first frame."""
        self.container.close()
        self._open()

    def __enter__(self) -> Self:
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
    def streams(self) -> list[Stream]:
        return list(self.container.streams)

    @property
    def main(self) -> int:
        """Where among the streams the main pictures are."""
        return self.stream.index

    @property
    def metadata(self) -> dict[str, str]:
        return self.container.metadata

    @property
    def pictures_metadata(self) -> dict[str, str]:
        return self.stream.metadata

    @property
    def disposition(self) -> Disposition:
        return self.stream.disposition

    @property
    def chapters(self) -> list[Any]:
        return self.container.chapters()

    def packets(self, streams: list[Stream]) -> Iterator[Packet[Any]]:
        """Those of some of the `others`, from the first. Raises FilmError where the disk fails."""
        try:
            yield from self.container.demux(streams)
        except FFmpegError as error:  # a damaged film: what can be read is there, and reported
            if isinstance(error, OSError):
                raise FilmError(f"{self.path}: {why_film_not(error)}") from error

    def covers(self) -> dict[int, bytes]:
        """The pictures that stand for the film, by their streams' numbers; a file gives them before all else."""
        found: dict[int, bytes] = {}
        with self._reopened() as container:
            for packet in container.demux():
                if not packet.stream.disposition & Disposition.attached_pic:
                    break
                if packet.size:
                    found[packet.stream_index] = bytes(packet)
        return found

    @property
    def seconds(self) -> Fraction | None:
        """How long the pictures last, as the file says; None where it says it for all streams together only."""
        return seconds_said(self.container, self.stream)

    @property
    def expected_frames(self) -> int:
        """About how many frames there are; 0 where nothing tells."""
        seconds = self.seconds or Fraction(self.container.duration or 0, av.time_base)
        return self.stream.frames or max(0, round(seconds * self.rate))

    def _is_of(self, *formats: str) -> bool:
        return is_of(self.container, *formats)

    @property
    def _step(self) -> int:
        """From frame to frame, as a rule."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def _main_stream(self) -> VideoStream:
        pictures = [each for each in self.container.streams.video if not each.disposition & Disposition.attached_pic]
        if not pictures:
            raise FilmError(f"{self.path}: {NO_PICTURES}")
        main = pictures[0]
        if main.codec_context is None:
            raise FilmError(f"{self.path}: {unsupported(None)}")
        if "enc_key_id" in main.metadata or main.codec_context.codec_tag in _ENCRYPTED_TAGS:
            raise FilmError(f"{self.path}: {ENCRYPTED}")
        return main
