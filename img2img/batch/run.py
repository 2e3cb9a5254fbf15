"""Converts a batch on this machine: threads, each with one whole photo at a time.

Threads rather than processes, because reading, converting and writing a photo happen outside Python's lock.
As many photos are in memory as there are workers.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

from img2img.atomic_file import why_not
from img2img.batch.outcome import LOW_SCORE, Outcome
from img2img.batch.plan import STREAM, Job
from img2img.errors import ModelError, PhotoError, UnwritablePhoto
from img2img.interrupt import interrupt_noted
from img2img.photo import DEFAULT_MAX_PIXELS, Photo, read_photo, write_photo
from img2img.photo.formats import format_of_suffix, output_suffix

_log = logging.getLogger(__name__)

Convert = Callable[[Photo], Photo]


@dataclass(frozen=True)
class Scoring:
    """How much a photo is like those that a model was made for, from 0 to 1; those below `least` are skipped."""

    score: Callable[[Photo], float]
    least: float = 0.0


def run_jobs(
    jobs: Sequence[Job],
    convert: Convert,
    *,
    scoring: Scoring | None = None,
    workers: int = 1,
    overwrite: bool = False,
    format: str = "same",
    quality: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    first_frame: bool = False,
) -> Iterator[Outcome]:
    """Converts each job's photo and yields what came of it, in order of completion.

    An existing target is skipped unless `overwrite`. `format`, as in plan_jobs, is for standard output, which
    has no suffix. After Ctrl-C no photo is started, the ones in flight are finished and yielded, then
    KeyboardInterrupt is raised; a single photo is dropped at once, since it may wait for standard input.
    """
    read = partial(_read, max_pixels=max_pixels, first_frame=first_frame)
    write = partial(_write, format=format, quality=quality)
    converted = partial(_converted, read=read, convert=convert, write=write, scoring=scoring)
    work = partial(_outcome, converted=converted, overwrite=overwrite)
    return _in_threads(jobs, work, workers) if len(jobs) > 1 else map(work, jobs)


def _outcome(job: Job, *, converted: Callable[[Job], Outcome], overwrite: bool) -> Outcome:
    if not overwrite and job.target is not STREAM and job.target.is_file():
        return Outcome(job.source, job.target, "skipped")
    started = time.perf_counter()
    outcome = _attempt(job, converted)
    return replace(outcome, seconds=time.perf_counter() - started)


def _converted(
    job: Job,
    *,
    read: Callable[[Job], Photo],
    convert: Convert,
    write: Callable[[Photo, Job], None],
    scoring: Scoring | None,
) -> Outcome:
    photo = read(job)
    score = scoring.score(photo) if scoring else None
    if scoring and score is not None and score < scoring.least:
        return Outcome(job.source, job.target, "skipped", flags=(LOW_SCORE,), score=score)
    photo = convert(photo)  # under the same name, so that the source's memory is free while the result is written
    write(photo, job)
    return Outcome(job.source, job.target, "done", score=score)


def _attempt(job: Job, converted: Callable[[Job], Outcome]) -> Outcome:
    """What came of the photo, or why it could not be converted.

    A model that fails ends the batch: it would fail on every photo. So does a reader who closed standard
    output. A mistake of ours costs one photo, not the other thousand, but stays visible: its traceback goes
    to the log, which is stderr.
    """
    try:
        return converted(job)
    except PhotoError as error:
        reason = str(error)
    except MemoryError:
        reason = f"{job.source}: not enough memory for this photo; close other programs, or use --jobs 1"
    except (ModelError, BrokenPipeError):
        raise
    except Exception as error:
        _log.exception("%s: a mistake in img2img, please report it with these lines", job.source)
        reason = f"{job.source}: {type(error).__name__}: {error}; a mistake in img2img, not in the photo"
    return Outcome(job.source, job.target, "failed", error=reason)


def _read(job: Job, *, max_pixels: int, first_frame: bool) -> Photo:
    if job.source is not STREAM:
        return read_photo(job.source, max_pixels=max_pixels, first_frame=first_frame)
    return read_photo(sys.stdin.buffer, name="standard input", max_pixels=max_pixels, first_frame=first_frame)


def _write(photo: Photo, job: Job, *, format: str, quality: int | None) -> None:
    if job.target is STREAM:
        encoded = BytesIO()
        chosen = None if format == "same" else format_of_suffix(output_suffix(job.source, format))
        write_photo(photo, encoded, format=chosen, quality=quality)
        _print_bytes(encoded)
    else:
        _make_folder(job.target.parent)
        write_photo(photo, job.target, quality=quality)


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
        raise UnwritablePhoto(f"standard output: {why_not(error, 'written')}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePhoto(f"{folder}: this folder cannot be made: {why_not(error, 'written')}") from error


def _in_threads(jobs: Iterable[Job], work: Callable[[Job], Outcome], workers: int) -> Iterator[Outcome]:
    running: set[Future[Outcome]] = set()
    with interrupt_noted() as interrupted, ThreadPoolExecutor(workers) as pool:
        for job in jobs:
            if len(running) == workers:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in finished)
            if interrupted.is_set():
                break
            running.add(pool.submit(work, job))
        yield from (each.result() for each in as_completed(running))
    if interrupted.is_set():
        raise KeyboardInterrupt
