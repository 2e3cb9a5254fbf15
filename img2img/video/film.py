"""One film converted: read, converted and encoded by threads side by side, in segments that survive an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import av
import cv2
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from img2img.atomic_file import reason_for, remove_leftovers, written_at_once
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.inference.callables import Steady
from img2img.inference.translator import grey_or_rgb
from img2img.photo import Photo
from img2img.photo.metadata.marked_xmp import marked_xmp
from img2img.photo.metadata.provenance import Provenance
from img2img.version import __version__
from img2img.video.ahead import ahead
from img2img.video.copies import can_copy, in_words, is_said_elsewhere, streams_of_result
from img2img.video.encoding import ENCODINGS, SEGMENT, Encoding
from img2img.video.film_xmp import film_xmp
from img2img.video.join import join_segments
from img2img.video.kept_metadata import not_kept
from img2img.video.look import Look, has_alpha, look_of
from img2img.video.planes import from_rgb, full_range_luma, own_frame, put_chroma, to_rgb
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.picture_row import PictureRow
from img2img.video.reading.place import Place
from img2img.video.reading.side_data import has_alpha_beside, left_out
from img2img.video.steady import Steadier
from img2img.video.work_folder import Arrays, Segment, WorkFolder

_LAYOUT = 2  # of what the work folder keeps
_AHEAD = 8  # frames: 1.4 MB each at 1280 x 720
_AHEAD_PIXELS = 8 * 1280 * 720  # larger frames are fewer
Film = FilmFile | PictureRow
FrameProgress = Callable[[int, int], None]
"""Called with the frames that are done, and about how many there are: 0 for unknown."""


@dataclass(frozen=True)
class FilmResult:
    """width, height: of the frames, as stored. damage: what was wrong with the source. lost: what could not be kept."""

    width: int
    height: int
    frames: int
    damage: str | None = None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Step:
    """A converted frame, the place after it, and where a segment ends the steadier's state."""

    frame: VideoFrame
    place: Place
    state: Arrays | None


def convert_film(
    open_film: Callable[[], Film],
    target: Path,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: FrameProgress = lambda done, total: None,
) -> FilmResult:
    """Converts a film into `target`, whose suffix chooses the encoding; a film that is there is replaced at the end.

    `settings` are all that the result depends on beside the film's content: its name, size and date among them. What an
    interrupted call with the same settings did is gone on from, and the film is byte for byte that of one call. Raises
    FilmError for a film of which nothing can be read, or a target that cannot be written.
    """
    encoding = ENCODINGS[target.suffix.lower()]
    with open_film() as film:
        first = next(film.frames(), None)
        if first is None:
            raise FilmError(f"{film.path}: {film.why_nothing()}")
        look = look_of(first[0], film.aspect)
        lost = _lost(film, first[0], encoding, target.suffix)
        if not encoding.takes(look.pixels):
            look, lost = replace(look, pixels="yuv420p"), (*lost, "more than 8 bits")
    with WorkFolder(target, {**settings, **made_by(), "encoding": asdict(encoding)}) as folder:
        with open_film() as film:
            place = _convert(film, folder, look, converter, encoding, progress)
            damage = film.damage(place)
        with open_film() as film:
            provenance = converter.provenance
            if damage and provenance:
                provenance = provenance.of_damaged_source()
            xmp, unsaid = _record(film, provenance)
            lost += unsaid
            _write(film, folder, place, look, encoding, target, xmp)
            with suppress(FileNotFoundError):  # somebody took it away already
                lost += not_kept(film, streams_of_result(film, encoding), target)
        folder.remove()
    return FilmResult(look.width, look.height, place.frames, damage, (*lost, *place.without))


def _convert(
    film: Film, folder: WorkFolder, look: Look, converter: FilmConverter, encoding: Encoding, progress: FrameProgress
) -> Place:
    """Adds the segments that the folder has not got; the place at the film's end."""
    place, state = folder.last()
    steadier = Steadier()
    steadier.restore(state)
    expected = film.expected_frames

    def converted(frames: Iterator[tuple[VideoFrame, Place]]) -> Iterator[_Step]:
        for frame, after in frames:
            drawn = _drawn(frame, look, converter, steadier)
            yield _Step(drawn, after, steadier.state() if after.frames % SEGMENT == 0 else None)

    size = max(1, min(_AHEAD, _AHEAD_PIXELS // (look.width * look.height)))
    with ahead(film.frames(place), size) as frames, ahead(converted(frames), size) as steps:
        for step in steps:
            encoder = _Encoder(film, look, encoding)
            last = step
            encoder.add(step.frame)
            progress(step.place.frames, expected)
            while last.state is None and (following := next(steps, None)) is not None:
                last = following
                encoder.add(last.frame)
                progress(last.place.frames, expected)
            place = last.place
            folder.add(encoder.finish(), place, last.state or {})
    return place


def _drawn(frame: VideoFrame, look: Look, converter: FilmConverter, steady: Steady) -> VideoFrame:
    """The converted frame. Where only colours are made, the film's own luma stays as it is."""
    frame = own_frame(frame, look)
    if converter.chroma:
        luma = full_range_luma(frame, look)
        put_chroma(frame, look, luma, converter.chroma(luma, steady))
        return frame
    return from_rgb(grey_or_rgb(converter.convert(Photo(to_rgb(frame, look), "RGB"), steady)), frame, look)


class _Encoder:
    """Compresses one segment."""

    def __init__(self, film: Film, look: Look, encoding: Encoding) -> None:
        context = av.CodecContext.create(encoding.codec, "w")
        assert isinstance(context, VideoCodecContext)
        encoding.prepare(context, look, time_base=film.time_base, rate=film.rate)
        context.flags |= av.codec.context.Flags.global_header.value  # the header goes into the film's own
        self._context = context
        self._packets: list[Packet[Any]] = []

    def add(self, frame: VideoFrame) -> None:
        self._packets += self._context.encode(frame)

    def finish(self) -> Segment:
        self._packets += self._context.encode(None)
        return Segment.of(self._packets)


def _record(film: Film, provenance: Provenance | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The source's XMP with how the film was made, and what of that cannot be said."""
    xmp = film_xmp(film.path) if isinstance(film, FilmFile) else None
    if provenance is None:
        return xmp, ()
    try:
        return marked_xmp(xmp, provenance), ()
    except ValueError as error:
        return xmp, (f"provenance ({error})",)


def _write(
    film: Film, folder: WorkFolder, place: Place, look: Look, encoding: Encoding, target: Path, xmp: bytes | None
) -> None:
    remove_leftovers(target.parent, [target.name])
    try:
        with written_at_once(target) as stream:
            join_segments(film, folder.segments(), place.end, look, encoding, stream, xmp)
    except OSError as error:
        raise FilmError(f"{target}: {reason_for(error, 'written')}") from error
    except FFmpegError as error:
        reason = f"FFmpeg cannot put it together ({error.strerror}); choose a name that ends in .mkv, which takes more"
        raise FilmError(f"{target}: {reason}") from error


def _lost(film: Film, frame: VideoFrame, encoding: Encoding, suffix: str) -> tuple[str, ...]:
    """What of the source the result cannot hold."""
    streams = [
        f"{in_words(stream)}, which does not go into {suffix}"
        for stream in film.others
        if not is_said_elsewhere(film, stream) and not can_copy(stream, encoding)
    ]
    clear = has_alpha(frame) or any(stream.index == film.main and has_alpha_beside(stream) for stream in film.streams)
    return (*streams, *(["transparency"] if clear else ()), *left_out(frame))


def made_by() -> dict[str, Any]:
    """Another encoder's segments do not fit together with this one's."""
    return {
        "layout": _LAYOUT,
        "versions": {"img2img": __version__, "av": av.__version__, "opencv": cv2.__version__},
    }
