"""Numbered pictures as the film that they become: each read as a photo is, all shown equally long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame

from img2img.errors import FilmError, PhotoError
from img2img.photo import Photo, read_photo
from img2img.video.kinds import Numbered, gaps
from img2img.video.reading.place import BEGINNING, Place

_FULL = 2  # AVColorRange
_BT709, _SRGB = 1, 13  # AVColorPrimaries, AVColorTransferCharacteristic
_BT601 = 5  # AVColorSpace, as JPEG has it
_FORMATS = {("L", 8): "gray", ("L", 16): "gray16le", ("RGB", 8): "rgb24", ("RGB", 16): "rgb48le"}


class PictureRow:
    """Opened as a `FilmFile` is. A picture that cannot be read is missing: the one before is shown longer.

    Raises FilmError where numbers are missing.
    """

    aspect: Fraction | None = None
    main = 0
    disposition = Disposition(0)

    def __init__(self, source: Numbered, rate: Fraction) -> None:
        self.path = Path(str(source))
        self._source, self._numbers = source, numbers_of(source)
        if missing := gaps(self._numbers):
            raise FilmError(f"{source}: missing pictures: {missing}; a film needs all: number them anew")
        self.rate, self.time_base = rate, 1 / rate
        self.streams: list[Stream] = []
        self.others: list[Stream] = []
        self.metadata: dict[str, str] = {}
        self.pictures_metadata: dict[str, str] = {}
        self.chapters: list[Any] = []
        self._unread = ""

    def __enter__(self) -> PictureRow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def expected_frames(self) -> int:
        return len(self._numbers)

    def packets(self, streams: list[Stream]) -> Iterator[Packet[Any]]:
        """None: there are pictures only."""
        return iter(())

    def covers(self) -> dict[int, bytes]:
        """None, likewise."""
        return {}

    def frames(self, place: Place = BEGINNING) -> Iterator[tuple[VideoFrame, Place]]:
        """Each frame after `place`, and the place after it; time stamps count the pictures from 0."""
        for index in range(place.end, len(self._numbers)):
            path = self._source.path(self._numbers[index])
            try:
                photo = read_photo(path)
            except PhotoError as error:
                self._unread = self._unread or str(error)
                place = replace(place, broken=place.broken.and_more(path.name))
                continue
            place = _after(place, photo, path, index)
            frame = frame_of(photo)
            frame.pts, frame.time_base = index, self.time_base
            yield frame, place

    def damage(self, place: Place) -> str | None:
        """As `FilmFile` says it; pictures at the very end of which none can be read are among it."""
        for number in self._numbers[place.end :]:
            place = replace(place, broken=place.broken.and_more(self._source.path(number).name))
        reason = [f"the first: {self._unread}"] if self._unread else []
        return "; ".join([*place.faults(), *reason]) or None

    def why_nothing(self) -> str:
        return f"none of its pictures can be read; the first: {self._unread}"


def numbers_of(source: Numbered) -> list[int]:
    """Those of the pictures that are there, rising. FilmError for none."""
    numbers = source.numbers()
    if not numbers:
        raise FilmError(f"{source}: there is no picture with such a name, such as {source.path(1)}; check the name")
    return numbers


def frame_of(photo: Photo) -> VideoFrame:
    """The photo's pixels, and what their numbers mean."""
    bits = 8 * photo.pixels.dtype.itemsize
    if photo.space == "YCbCr":
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(photo.pixels), format="yuv444p", channel_last=True)
        frame.colorspace = _BT601
    else:
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(photo.pixels), format=_FORMATS[photo.space, bits])
    frame.color_range = _FULL
    if photo.icc is None:
        frame.color_primaries, frame.color_trc = _BT709, _SRGB
    return frame


def _after(place: Place, photo: Photo, path: Path, index: int) -> Place:
    size = place.size or (photo.width, photo.height)
    return replace(
        place,
        frames=place.frames + 1,
        last=index,
        end=index + 1,
        scaled=place.scaled.and_more(path.name, (photo.width, photo.height) != size),
        size=size,
        without=tuple(dict.fromkeys([*place.without, *_without(photo)])),
    )


def _without(photo: Photo) -> list[str]:
    """What a film has no room for."""
    had = {"transparency": photo.alpha, "EXIF": photo.exif, "XMP": photo.xmp, "colour profile": photo.icc}
    return [f"its pictures' {name}" for name, content in had.items() if content is not None]
