"""Numbered pictures, `frame_%05d.png`: as what is converted, or as what a film becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame

from img2img.atomic_file import reason_for
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError, PhotoError
from img2img.photo import Photo, read_photo, write_photo
from img2img.video.ahead import ahead
from img2img.video.film import FilmResult, FrameProgress, made_by
from img2img.video.kinds import Numbered, gaps
from img2img.video.look import Look, has_alpha, look_of
from img2img.video.planes import own_frame, to_rgb
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.picture_row import numbers_of
from img2img.video.reading.place import Place
from img2img.video.reading.side_data import left_out
from img2img.video.steady import Steadier
from img2img.video.work_folder import Segment, WorkFolder

_KEPT_EVERY = 50  # frames, after which the steadier's state is kept
_AHEAD = 4
_SHORT_FOR = 0.005


@dataclass(frozen=True)
class _Frame:
    """One picture, or None where it cannot be read, its number, and the place after it."""

    number: int
    photo: Photo | None
    place: Place


def convert_sequence(
    source: Numbered,
    target: Numbered,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: FrameProgress,
    *,
    overwrite: bool,
) -> FilmResult:
    """Each picture under its own number, with all that is not colour kept. One that cannot be read is left out."""
    numbers = numbers_of(source)
    unread: list[str] = []

    def frames(place: Place) -> Iterator[_Frame]:
        for index in range(place.frames, len(numbers)):
            photo, path = None, source.path(numbers[index])
            try:
                photo = read_photo(path)
            except PhotoError as error:
                place = replace(place, broken=place.broken.and_more(path.name))
                unread.append(str(error))
            place = replace(place, frames=index + 1)
            yield _Frame(numbers[index], photo, place)

    result, end = _convert(frames, len(numbers), target, converter, settings, progress, overwrite=overwrite)
    if end.broken.count:  # an earlier call that was interrupted may have met them
        reason = f"; the first: {unread[0]}" if unread else ""
        result = _with(result, f"{end.broken.count} pictures cannot be read{end.broken}{reason}")
    missing = gaps(numbers)
    return result if missing is None else _with(result, f"missing pictures: {missing}")


def film_to_sequence(
    open_film: Callable[[], FilmFile],
    target: Numbered,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: FrameProgress,
    *,
    overwrite: bool,
) -> FilmResult:
    """A film's frames, upright, as pictures numbered from 1; its sound and time stamps are lost."""
    with open_film() as film:
        first = next(film.frames(), None)
        if first is None:
            raise FilmError(f"{film.path}: {film.why_nothing()}")
        look = look_of(first[0], film.aspect)
        lost = (*_without(film, first[0], look), *left_out(first[0]))
    with open_film() as film:

        def frames(place: Place) -> Iterator[_Frame]:
            for frame, after in film.frames(place):
                pixels = to_rgb(own_frame(frame, look), look)
                yield _Frame(after.frames, Photo(pixels, "RGB"), after)

        result, end = _convert(frames, film.expected_frames, target, converter, settings, progress, overwrite=overwrite)
        damage = film.damage(end)
    result = replace(result, lost=lost)
    return result if damage is None else _with(result, damage)


def _without(film: FilmFile, frame: VideoFrame, look: Look) -> list[str]:
    """What of the film pictures do not have, but for their times."""
    kinds = dict.fromkeys("sound" if stream.type == "audio" else f"its {stream.type} streams" for stream in film.others)
    shape = [f"the shape of its pixels, {look.aspect}"] if look.aspect not in (None, 1) else []
    return [*kinds, *shape, *(["transparency"] if has_alpha(frame) else [])]


def exact_rate(rate: float) -> Fraction:
    """23.976 and 29.97 are short for the rates of American television, 24000/1001 and 30000/1001."""
    televised = Fraction(round(rate) * 1000, 1001)
    is_short = not rate.is_integer() and abs(rate - televised) < _SHORT_FOR
    return televised if is_short else Fraction(rate).limit_denominator(1001)


def fingerprint(source: Numbered) -> str:
    """Changes when any picture of a sequence does."""
    known = sha256()
    for number in source.numbers():
        stat = source.path(number).stat()
        known.update(f"{number} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return known.hexdigest()


def all_there(source: Numbered, target: Numbered) -> bool:
    numbers = source.numbers()
    return bool(numbers) and all(target.path(number).is_file() for number in numbers)


def _convert(
    frames: Callable[[Place], Iterable[_Frame]],
    total: int,
    target: Numbered,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: FrameProgress,
    *,
    overwrite: bool,
) -> tuple[FilmResult, Place]:
    """The result, and the place at the end."""
    size, lost = (0, 0), dict[str, None]()
    with WorkFolder(Path(str(target)), {**settings, **made_by()}, replace=overwrite) as folder:
        place, state = folder.last()
        steadier = Steadier()
        steadier.restore(state)
        with ahead(frames(place), _AHEAD) as coming:
            for frame in coming:
                if frame.photo:
                    size = frame.photo.width, frame.photo.height
                    # Converted also where it is there already: what comes after leans on it.
                    converted = converter.convert(frame.photo, steadier)
                    if folder.replaces or not target.path(frame.number).is_file():
                        converted = replace(converted, provenance=converter.provenance)
                        lost |= dict.fromkeys((*converted.lost, *_write(converted, target.path(frame.number))))
                place = frame.place
                progress(place.frames, total)
                if place.frames % _KEPT_EVERY == 0:
                    folder.add(Segment.of([]), place, steadier.state())
        folder.remove()
    return FilmResult(*size, frames=place.frames, lost=tuple(lost)), place


def _write(photo: Photo, path: Path) -> tuple[str, ...]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_photo(photo, path)
    except PhotoError as error:
        raise FilmError(str(error)) from error
    except OSError as error:
        raise FilmError(f"{path.parent}: this folder cannot be made: {reason_for(error, 'written')}") from error


def _with(result: FilmResult, damage: str) -> FilmResult:
    both = damage if result.damage is None else f"{result.damage}; {damage}"
    return replace(result, damage=both)
