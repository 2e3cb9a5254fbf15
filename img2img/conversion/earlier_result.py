"""What a result beside its photo says of how it was made, where no journal knows of it."""

from __future__ import annotations

from dataclasses import replace

from img2img.batch.job import Job
from img2img.batch.sources.hints_beside import hints_beside
from img2img.batch.task import Colorizing, Task
from img2img.errors import PhotoError
from img2img.photo import read_xmp
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import Provenance


def made_so(job: Job, task: Task, *, quality: int | None) -> bool | None:
    """Whether the target says that this task made it, of the photo as it is; None where it is not one of ours.

    A target says nothing of its `quality`: asked for one, it is not made so. Raises ModelError.
    """
    said = _said_by(job)
    if said is None or not said.sha256:
        return None
    wanted = _with_hints(job, task).provenance()
    same = (said.sha256, dict(said.options)) == (wanted.sha256, dict(wanted.options))
    try:
        return same and quality is None and job.source.stat().st_mtime_ns <= job.target.stat().st_mtime_ns
    except FileNotFoundError:  # gone since: the target is to be made, or the reading says that there is no photo
        return False


def _said_by(job: Job) -> Provenance | None:
    try:
        return provenance_in(read_xmp(job.target))
    except (PhotoError, ValueError):  # damaged, or no picture: whatever it is, we cannot know it for ours
        return None


def _with_hints(job: Job, task: Task) -> Task:
    """The task as it is done, with what lies beside the photo."""
    if not (isinstance(task, Colorizing) and task.hints_beside):
        return task
    hints = (*hints_beside(job), *task.steering.hints)
    return replace(task, steering=replace(task.steering, hints=hints), hints_beside=False)
