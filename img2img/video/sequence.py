"""Numbered pictures, `frame_%05d.png`: as what is converted, or as what a film becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from img2img.atomic_file import reason_for
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError, PhotoError
from img2img.photo import Photo, read_photo, write_photo
from img2img.video.ahead import ahead
from img2img.video.film import FilmResult, Progress, made_by
from img2img.video.film_file import NOTHING_READ, FilmFile, Place
from img2img.video.kinds import Numbered, gaps
from img2img.video.look import look_of
from img2img.video.planes import own_frame, to_rgb
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
    progress: Progress,
    *,
    overwrite: bool,
) -> FilmResult:
    """Each picture under its own number, with all that is not colour kept. One that cannot be read is left out."""
    numbers = _numbers(source)
    unread: list[str] = []

    def frames(place: Place) -> Iterator[_Frame]:
        broken = place.broken
        for index in range(place.frames, len(numbers)):
            photo = None
            try:
                photo = read_photo(source.path(numbers[index]))
            except PhotoError as error:
                broken += 1
                unread.append(str(error))
            yield _Frame(numbers[index], photo, Place(frames=index + 1, broken=broken))

    result, end = _convert(frames, len(numbers), target, converter, settings, progress, overwrite=overwrite)
    if end.broken:  # an earlier call that was interrupted may have met them
        result = _with(result, ": ".join([f"{end.broken} pictures cannot be read", *unread[:1]]))
    missing = gaps(numbers)
    return result if missing is None else _with(result, f"missing pictures: {missing}")


def film_to_sequence(
    open_film: Callable[[], FilmFile],
    target: Numbered,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: Progress,
    *,
    overwrite: bool,
) -> FilmResult:
    """A film's frames, upright, as pictures numbered from 1; its sound and time stamps are lost."""
    with open_film() as film:

        def frames(place: Place) -> Iterator[_Frame]:
            look = None
            for frame, after in film.frames(place):
                look = look or look_of(frame, film.aspect)
                pixels = to_rgb(own_frame(frame, look), look)
                yield _Frame(after.frames, Photo(pixels, "RGB"), after)

        result, end = _convert(frames, film.expected_frames, target, converter, settings, progress, overwrite=overwrite)
        if not end.frames:
            raise FilmError(f"{film.path}: {NOTHING_READ}")
        damage = film.damage(end)
    return result if damage is None else _with(result, damage)


@contextmanager
def sequence_as_film(source: Numbered, rate: float) -> Iterator[FilmFile]:
    """Numbered pictures opened as a film of so many frames a second."""
    numbers = _numbers(source)
    if missing := gaps(numbers):
        raise FilmError(f"{source}: missing pictures: {missing}; a film needs all: number them anew")
    options = {"framerate": str(exact_rate(rate)), "start_number": str(numbers[0])}
    plain = str(source.folder).replace("%", "%%")  # the pattern is to be found in the name only
    with FilmFile(Path(str(source)), url=f"{plain}/{source.name}", format="image2", options=options) as film:
        yield film


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


def _numbers(source: Numbered) -> list[int]:
    numbers = source.numbers()
    if not numbers:
        raise FilmError(f"{source}: there is no picture with such a name, such as {source.path(1)}; check the name")
    return numbers


def _convert(
    frames: Callable[[Place], Iterable[_Frame]],
    total: int,
    target: Numbered,
    converter: FilmConverter,
    settings: Mapping[str, Any],
    progress: Progress,
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
    return FilmResult(result.width, result.height, result.frames, both, result.lost)
