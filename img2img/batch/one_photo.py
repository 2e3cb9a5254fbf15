"""One photo from its source to its target: what every engine does with a job."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

from img2img.atomic_file import reason_for
from img2img.batch.addresses import is_stored
from img2img.batch.flags import flags_of
from img2img.batch.job import STREAM, Job
from img2img.batch.outcome import LOW_SCORE, Outcome, flags_of_losses
from img2img.batch.sources.hints_beside import hints_beside
from img2img.batch.sources.object_store import read_object, write_object
from img2img.batch.task import PhotoConverter
from img2img.errors import ModelError, PhotoError, UnwritablePhoto, UsageError
from img2img.photo import DEFAULT_MAX_PIXELS, Photo, read_photo, write_photo
from img2img.photo.formats import format_of_suffix, output_suffix

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are read and written. `format`, as in the plan, is for standard output, which has no suffix.

    `provenance`: whether results say how they were made.
    """

    format: str = "same"
    quality: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    first_frame: bool = False
    provenance: bool = True


def convert_photo(
    job: Job, converter: PhotoConverter, options: PhotoOptions, *, read: Callable[[], Photo] | None = None
) -> Outcome:
    """Converts the job's photo, whatever is at its target, and says what came of it.

    `read` gives the photo, or raises what reading it did, where that has begun before.

    A model that fails ends the batch: it would fail on every photo. So does a reader who closed standard
    output. A mistake of ours costs one photo, not the other thousand, but stays visible: its traceback goes
    to the log, which is stderr.
    """
    started = time.perf_counter()
    try:
        outcome = converted_photo(job, converter, options, read=read)
    except PhotoError as error:
        outcome = _failed(job, str(error))
    except UsageError as error:  # a hint that lies outside of this photo
        outcome = _failed(job, f"{job.source}: {error}")
    except MemoryError:
        outcome = _failed(job, f"{job.source}: not enough memory for this photo; close other programs, or use --jobs 1")
    except (ModelError, BrokenPipeError):
        raise
    except Exception as error:
        _log.exception("%s: a mistake in img2img, please report it with these lines", job.source)
        outcome = _failed(job, f"{job.source}: {type(error).__name__}: {error}; a mistake in img2img, not in the photo")
    return replace(outcome, seconds=time.perf_counter() - started)


def _failed(job: Job, reason: str) -> Outcome:
    return Outcome(job.source, job.target, "failed", error=reason)


def converted_photo(
    job: Job, converter: PhotoConverter, options: PhotoOptions, *, read: Callable[[], Photo] | None = None
) -> Outcome:
    """As `convert_photo`, for a caller of one photo: what goes wrong is raised, the time is not taken."""
    if converter.hinted and (hints := hints_beside(job)):
        converter = converter.hinted(hints)
    photo = read() if read else read_job(job, options)
    scoring = converter.scoring
    score = scoring.score(photo) if scoring else None
    if scoring and score is not None and score < scoring.least:
        return Outcome(job.source, job.target, "skipped", flags=(LOW_SCORE,), score=score)
    # Under the same name, so that the source's memory is free while the result is written.
    photo = converter.convert(photo)
    photo = replace(photo, provenance=converter.provenance if options.provenance else None)
    size, lost = _write(photo, job, options)
    return Outcome(
        job.source,
        job.target,
        "done",
        flags=flags_of(photo) + flags_of_losses(photo.lost + lost),
        score=score,
        width=photo.width,
        height=photo.height,
        bytes=size,
    )


def read_job(job: Job, options: PhotoOptions) -> Photo:
    """The job's photo. Raises UnreadablePhoto."""
    read = partial(read_photo, max_pixels=options.max_pixels, first_frame=options.first_frame)
    if job.source is STREAM:
        return read(sys.stdin.buffer, name="standard input")
    if job.content is not None:
        return read(BytesIO(job.content), name=str(job.source))
    if is_stored(job.source):
        return read(BytesIO(read_object(job.source)), name=str(job.source))
    return read(job.source)


def _write(photo: Photo, job: Job, options: PhotoOptions) -> tuple[int | None, tuple[str, ...]]:
    """The size of what was written, where it can be told, and what of the photo it does not hold."""
    if job.target is STREAM:
        encoded = BytesIO()
        chosen = None if options.format == "same" else format_of_suffix(output_suffix(job.source, options.format))
        lost = write_photo(photo, encoded, format=chosen, quality=options.quality)
        _print_bytes(encoded)
        return encoded.getbuffer().nbytes, lost
    if is_stored(job.target):
        return _upload(photo, job.target, options)
    _make_folder(job.target.parent)
    lost = write_photo(photo, job.target, quality=options.quality)
    try:
        return job.target.stat().st_size, lost
    except OSError:  # somebody took it away already
        return None, lost


def _upload(photo: Photo, target: Path, options: PhotoOptions) -> tuple[int, tuple[str, ...]]:
    encoded = BytesIO()
    try:
        lost = write_photo(
            photo, encoded, format=format_of_suffix(target.suffix) or target.suffix[1:] or None, quality=options.quality
        )
    except UnwritablePhoto as error:
        raise UnwritablePhoto(f"{target}: {str(error).removeprefix('the stream: ')}") from error
    write_object(target, encoded.getvalue())
    return encoded.getbuffer().nbytes, lost


def _print_bytes(encoded: BytesIO) -> None:
    # Unbuffered, so that nothing is left over that would fail a second time when Python exits.
    stdout = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    remaining = encoded.getbuffer()
    try:
        while remaining:
            remaining = remaining[stdout.write(remaining) :]
    except BrokenPipeError:  # the reader has had enough: not a failed photo
        raise
    except OSError as error:
        raise UnwritablePhoto(f"standard output: {reason_for(error, 'written')}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePhoto(f"{folder}: this folder cannot be made: {reason_for(error, 'written')}") from error
