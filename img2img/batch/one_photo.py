"""One photo from its source to its target: what every engine does with a job."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

from img2img.batch.flags import flags_of
from img2img.batch.in_color import is_in_color, is_our_result
from img2img.batch.job import Job
from img2img.batch.job_files import copy_job, read_job, set_times, times_of, with_stream_read, write_job
from img2img.batch.outcome import (
    COLORED_BY_US,
    COPIED,
    IN_COLOR,
    LOW_SCORE,
    OWN_RESULT,
    UNLIKE,
    Outcome,
    flags_of_losses,
)
from img2img.batch.own_result import is_result_of
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.sources.hints_beside import hints_beside
from img2img.batch.task import PhotoConverter
from img2img.errors import ModelError, PhotoError, UsageError
from img2img.photo import Photo

_log = logging.getLogger(__name__)


class _Measures(TypedDict):
    width: int
    height: int
    bytes: int | None


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
    job, times = with_stream_read(job), times_of(job) if options.keep_times else None
    photo = read() if read else read_job(job, options)
    if options.leaves_own and _is_own(photo, job, converter, options):
        return Outcome(job.source, job.target, "skipped", flags=(OWN_RESULT,))
    in_color = _in_color(photo, job, options)
    if in_color and options.if_color == "skip":
        return Outcome(job.source, job.target, "skipped", flags=in_color)
    if in_color and options.if_color == "copy":
        size, lost = copy_job(photo, job, options)
        set_times(job.target, times)
        flags = (*in_color, COPIED, *flags_of_losses(lost))
        return Outcome(job.source, job.target, "done", flags=flags, **_measures(photo, size))
    scoring = converter.scoring
    score = scoring.score(photo) if scoring else None
    if scoring and score is not None and score < scoring.least:
        return Outcome(job.source, job.target, "skipped", flags=(LOW_SCORE,), score=score)
    # Under the same name, so that the source's memory is free while the result is written.
    photo = converter.convert(photo)
    photo = replace(photo, provenance=converter.provenance if options.provenance else None)
    size, lost = write_job(photo, job, options)
    set_times(job.target, times)
    unlike = (UNLIKE,) if scoring and score is not None and score < scoring.unlike else ()
    flags = in_color + unlike + flags_of(photo) + flags_of_losses(photo.lost + lost)
    return Outcome(job.source, job.target, "done", flags=flags, score=score, **_measures(photo, size))


def _is_own(photo: Photo, job: Job, converter: PhotoConverter, options: PhotoOptions) -> bool:
    model = converter.provenance.model if converter.provenance else ""
    return is_result_of(photo, job.source, model=model, word=options.word)


def _in_color(photo: Photo, job: Job, options: PhotoOptions) -> tuple[str, ...]:
    """The flag of a photo that is in colour already, where anybody wants to know."""
    if options.if_color is None:
        return ()
    if is_our_result(photo, job.source, word=options.word):
        return (COLORED_BY_US,)
    return (IN_COLOR,) if is_in_color(photo) else ()


def _measures(photo: Photo, size: int | None) -> _Measures:
    return {"width": photo.width, "height": photo.height, "bytes": size}
