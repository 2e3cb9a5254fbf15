"""What a result says of how it was made, where no journal knows of it."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from img2img.atomic_file import reason_for
from img2img.batch.job import Job
from img2img.batch.sources.hints_beside import hints_beside
from img2img.batch.task import Colorizing, Task
from img2img.errors import FilmError, PhotoError
from img2img.photo import read_xmp
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import Provenance
from img2img.video.film_xmp import film_xmp
from img2img.video.kinds import kind_of

if TYPE_CHECKING:
    from img2img.video.plan import FilmJob


def made_so(job: Job, task: Task, *, quality: int | None) -> bool | None:
    """Whether the target says that this task made it, of the photo as it is; None where it is not one of ours.

    A target says nothing of its `quality`: asked for one, it is not made so. Raises ModelError.
    """
    so = _made_so(job.source, job.target, _with_hints(job, task))
    return so and quality is None


def film_made_so(job: FilmJob, task: Task) -> bool | None:
    """The same of a film or an animation; None for one that somebody named, which may be another source's."""
    return _made_so(job.source, job.target, task) if job.beside else None


def provenance_of(path: Path) -> Provenance | None:
    """What a picture or a film says of how it was made.

    Raises PhotoError, FilmError, and ValueError where that is damaged.
    """
    if kind_of(str(path)) != "film":
        return provenance_in(read_xmp(path))
    try:
        xmp = film_xmp(path)
    except OSError as error:
        raise FilmError(f"{path}: {reason_for(error, 'read')}") from error
    if xmp is None:
        _check_film(path)
    return provenance_in(xmp)


def _check_film(path: Path) -> None:
    """Raises FilmError where it is none, as far as the packages for films are there to tell."""
    if find_spec("av"):
        from img2img.video.reading.film_file import FilmFile

        with FilmFile(path):
            pass


def _made_so(source: Path, target: Path, task: Task) -> bool | None:
    try:
        said = provenance_of(target)
    except (FilmError, PhotoError, ValueError):  # damaged, or no picture: whatever it is, we cannot know it for ours
        return None
    if said is None or not said.sha256 or said.has_damaged_source:  # done again it could only fail again
        return None
    wanted = task.provenance()
    same = (said.sha256, dict(said.options)) == (wanted.sha256, dict(wanted.options))
    try:
        return same and source.stat().st_mtime_ns <= target.stat().st_mtime_ns
    except FileNotFoundError:  # gone since: the target is to be made, or the reading says that there is no source
        return False


def _with_hints(job: Job, task: Task) -> Task:
    """The task as it is done, with what lies beside the photo."""
    if not (isinstance(task, Colorizing) and task.hints_beside):
        return task
    hints = (*hints_beside(job), *task.steering.hints)
    return replace(task, steering=replace(task.steering, hints=hints), hints_beside=False)
