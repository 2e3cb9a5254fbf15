"""One photo converted by itself, without a journal."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from img2img.atomic_file import is_file
from img2img.batch.addresses import is_stored
from img2img.batch.job import STREAM, Job
from img2img.batch.job_files import read_job
from img2img.batch.journal.resume_rules import without_journal
from img2img.batch.one_photo import convert_photo
from img2img.batch.outcome import Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.sources.object_store import is_there
from img2img.batch.task import Task
from img2img.conversion.conversion import Conversion, recorded
from img2img.conversion.earlier_result import made_so
from img2img.conversion.options import ConversionOptions
from img2img.machine import usable_cores
from img2img.model_file import find_model
from img2img.photo import DEFAULT_MAX_PIXELS


def one_photo(single: Job | Outcome, options: ConversionOptions) -> Conversion:
    """Of `plan_single`'s job, or the failure that it gave."""
    to_stdout = isinstance(single, Job) and single.target is STREAM
    return recorded(_outcome(single, options.task(), options), to_stdout=to_stdout)


def left_alone(job: Job, task: Task, options: ConversionOptions) -> Outcome | None:
    """The outcome of a photo whose target must stay as it is; None where it is to be converted."""
    stays = without_journal(
        lambda: job.target is not STREAM and is_there(job.target),
        options.overwrite,
        lambda: made_so(job, task, quality=options.quality) if job.beside else None,
    )
    return Outcome(job.source, job.target, "skipped", flags=(stays,)) if stays else None


def is_somebodys(job: Job, task: Task, options: ConversionOptions) -> bool:
    """Whether the job would replace a file that does not say that img2img made it of this photo or another."""
    if job.target is STREAM or not is_there(job.target):
        return False
    return is_stored(job.target) or made_so(job, task, quality=options.quality) is None


def photo_options(options: ConversionOptions, *, many: bool = False) -> PhotoOptions:
    """`many`: of a folder, an archive, or several photos."""
    return PhotoOptions(
        options.format,
        options.quality,
        options.max_pixels or DEFAULT_MAX_PIXELS,
        options.first_frame,
        options.provenance,
        options.keep_times,
        options.when_in_color(many=many),
        options.word,
        options.leaves_own(many=many),
    )


def _outcome(single: Job | Outcome, task: Task, options: ConversionOptions) -> Iterator[Outcome]:
    if isinstance(single, Outcome):
        yield single
        return
    find_model(options.model_name)
    if left := left_alone(single, task, options):
        yield left
        return
    yield _converted(single, task, photo_options(options), threads=options.jobs or usable_cores())


def _converted(job: Job, task: Task, options: PhotoOptions, *, threads: int) -> Outcome:
    """The photo is read while the model is opened; not from a stream or a pipe, for which Ctrl-C would wait."""
    if job.source is STREAM or is_stored(job.source) or not is_file(job.source):
        return convert_photo(job, task.open(threads), options)
    with ThreadPoolExecutor(1) as reader:
        reading = [reader.submit(read_job, job, options)]  # popped, so that the photo is not kept by its future
        return convert_photo(job, task.open(threads), options, read=lambda: reading.pop().result())
