"""Films one after another, each with what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from av.error import FFmpegError

from img2img.atomic_file import reason_for
from img2img.batch.job_files import size_of
from img2img.batch.journal.resume_rules import without_journal
from img2img.batch.outcome import Outcome, flags_of_losses
from img2img.batch.task import FilmConverter
from img2img.errors import FilmError
from img2img.video.animation import convert_animation
from img2img.video.film import FilmResult, FrameProgress, convert_film
from img2img.video.kinds import Numbered
from img2img.video.plan import FilmJob
from img2img.video.reading.film_file import FilmFile
from img2img.video.reading.picture_row import PictureRow, numbers_of
from img2img.video.reading.reasons import ANOTHER_PROGRAM
from img2img.video.sequence import all_there, convert_sequence, exact_rate, film_to_sequence, fingerprint
from img2img.video.work_folder import WorkFolder

DEFAULT_RATE = 24.0  # frames a second of numbered pictures, as in the cinema


@dataclass(frozen=True)
class FilmOptions:
    """`settings`: those of the work, for JSON. `rate`: frames a second of numbered pictures that become a film."""

    settings: Mapping[str, Any]
    overwrite: bool = False
    rate: float = DEFAULT_RATE


def convert_one_film(
    job: FilmJob,
    opened: Callable[[], FilmConverter],
    options: FilmOptions,
    progress: FrameProgress,
    made_so: Callable[[], bool | None] = lambda: None,
) -> Outcome:
    """Converts one film, unless its target is there and must stay, and says what came of it.

    `opened` gives the models; it is not called for a film that is left alone. `made_so`: as `without_journal` has it.
    What can be read of a damaged film is kept, and the film counts as failed. A model that fails ends all.
    """
    started = time.perf_counter()
    if (outcome := known_before(job, overwrite=options.overwrite, made_so=made_so)) is None:
        try:
            outcome = _outcome(job, _converted(job, opened(), options, progress))
        except (FilmError, FFmpegError, OSError) as error:
            outcome = _failed(job, error)
    return replace(outcome, seconds=time.perf_counter() - started)


def known_before(job: FilmJob, *, overwrite: bool, made_so: Callable[[], bool | None] = lambda: None) -> Outcome | None:
    """That the target is there and stays, or that there is no source; None for a film that is to be converted."""
    try:
        if stays := without_journal(partial(_is_there, job), overwrite, made_so):
            return Outcome(job.source, job.target, "skipped", flags=(stays,))
        if numbered := _numbered(job)[0]:
            numbers_of(numbered)
        else:
            job.source.stat()
    except (FilmError, OSError) as error:
        return _failed(job, error)
    return None


def _failed(job: FilmJob, error: FilmError | FFmpegError | OSError) -> Outcome:
    return Outcome(job.source, job.target, "failed", error=_reason(job, error))


def _reason(job: FilmJob, error: FilmError | FFmpegError | OSError) -> str:
    if isinstance(error, FilmError):
        return str(error)
    if isinstance(error, FFmpegError):  # neither its file nor the new one: what is between
        return f"{job.source}: not supported: FFmpeg cannot convert its pictures ({error.strerror}); {ANOTHER_PROGRAM}"
    name = error.filename if isinstance(error.filename, str) else job.source
    return f"{name}: {reason_for(error, 'read' if name in (job.source, str(job.source)) else 'written')}"


def _converted(job: FilmJob, converter: FilmConverter, options: FilmOptions, progress: FrameProgress) -> FilmResult:
    if job.kind == "animation":
        _make_folder(job.target.parent)
        return convert_animation(job.source, job.target, converter, progress)
    settings = {"work": dict(options.settings), "source": _identity(job)}
    source, target = _numbered(job)
    if source and target:
        return convert_sequence(source, target, converter, settings, progress, overwrite=options.overwrite)
    open_film: Callable[[], Any] = partial(FilmFile, job.source)
    if source:
        open_film = partial(PictureRow, source, exact_rate(options.rate))
        settings["rate"] = options.rate
    if target:
        return film_to_sequence(open_film, target, converter, settings, progress, overwrite=options.overwrite)
    return convert_film(open_film, job.target, converter, settings, progress)


def _outcome(job: FilmJob, result: FilmResult) -> Outcome:
    done = Outcome(
        job.source,
        job.target,
        "done",
        flags=flags_of_losses(result.lost),
        width=result.width,
        height=result.height,
        bytes=size_of(job.target) if job.makes != "sequence" else None,
    )
    if result.damage is None:
        return done
    return replace(done, status="failed", error=f"{job.source}: {result.damage}; what can be read is in {job.target}")


def _is_there(job: FilmJob) -> bool:
    """Not where it was to be replaced, and that was interrupted."""
    source, target = _numbered(job)
    try:
        if WorkFolder.path_for(job.target).is_dir():
            return False
        if source and target:
            return all_there(source, target)
        return target.path(1).is_file() if target else job.target.is_file()
    except OSError as error:
        raise FilmError(f"{job.target}: {reason_for(error, 'written')}") from error


def _numbered(job: FilmJob) -> tuple[Numbered | None, Numbered | None]:
    """The patterns of source and target, where they are such."""
    return (
        Numbered.named(str(job.source)) if job.kind == "sequence" else None,
        Numbered.named(str(job.target)) if job.makes == "sequence" else None,
    )


def _identity(job: FilmJob) -> Any:
    if source := _numbered(job)[0]:
        return [str(job.source), fingerprint(source)]
    stat = job.source.stat()
    return [str(job.source), stat.st_size, stat.st_mtime_ns]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FilmError(f"{folder}: this folder cannot be made: {reason_for(error, 'written')}") from error
