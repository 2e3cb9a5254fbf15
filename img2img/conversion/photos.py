"""Photos converted: one by itself, or many as a batch with its journal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from img2img.batch.batch import BatchRequest, PhotoBatch
from img2img.batch.engines.engine import LocalEngine, RayEngine
from img2img.batch.job import STREAM, Found, Job
from img2img.batch.journal.resume_rules import without_journal
from img2img.batch.one_photo import PhotoOptions, convert_photo
from img2img.batch.outcome import Outcome
from img2img.batch.plan import is_zip, plan_folder, plan_single
from img2img.batch.sources.listing import list_files, list_photos
from img2img.batch.sources.object_store import is_there
from img2img.conversion.conversion import Conversion, recorded
from img2img.conversion.options import ConversionOptions
from img2img.interrupt import interrupt_noted
from img2img.machine import usable_cores
from img2img.model_file import find_model
from img2img.photo import DEFAULT_MAX_PIXELS


@contextmanager
def open_photos(inputs: Sequence[str], output: str | None, options: ConversionOptions) -> Iterator[Conversion]:
    """Raises UsageError, and Img2ImgError where the journal cannot be held or a model's card cannot be read."""
    if not (options.from_file or options.watch):
        single = plan_single(inputs, output, word=options.word, format=options.format)
        if single is not None:
            to_stdout = isinstance(single, Job) and single.target is STREAM
            yield recorded(_outcome_of_one(single, options), to_stdout=to_stdout)
            return
    with PhotoBatch.open(_request(inputs, output, options)) as batch:
        if options.watch:
            with interrupt_noted(signal.SIGTERM) as stop:
                yield _watching(batch, options, stop)
        else:
            yield _once(batch, options)


def _outcome_of_one(single: Job | Outcome, options: ConversionOptions) -> Iterator[Outcome]:
    if isinstance(single, Outcome):
        yield single
        return
    find_model(options.model_name)
    stays = without_journal(lambda: single.target is not STREAM and is_there(single.target), options.overwrite)
    if stays:
        yield Outcome(single.source, single.target, "skipped", flags=(stays,))
        return
    converter = options.task().open(options.jobs or usable_cores())
    yield convert_photo(single, converter, _photo_options(options))


def _once(batch: PhotoBatch, options: ConversionOptions) -> Conversion:
    registered = batch.register()
    return Conversion(
        batch.run(_engine(options), registered),
        batch.outcomes,
        total=registered.due + registered.failed,
        skipped=registered.skipped,
        left_alone=lambda: (each for each in batch.outcomes() if each.status == "skipped"),
    )


def _watching(batch: PhotoBatch, options: ConversionOptions, stop: threading.Event) -> Conversion:
    return Conversion(batch.watch(_engine(options), stop), batch.outcomes)


def _engine(options: ConversionOptions) -> LocalEngine | RayEngine:
    task, photo_options = options.task(), _photo_options(options)
    if options.engine == "ray":
        return RayEngine(task, photo_options, options.address, options.jobs)
    return LocalEngine(task, photo_options, options.jobs, options.one_at_a_time)


def _request(inputs: Sequence[str], output: str | None, options: ConversionOptions) -> BatchRequest:
    def look() -> Iterator[Found | Outcome]:
        choices = {"recursive": options.recursive, "may_be_empty": options.watch}
        if options.from_file:
            yield from list_files(options.from_file, **choices)
        yield from list_photos(inputs, **choices)

    return BatchRequest(
        look,
        plan_folder(inputs, output),
        options.task(),
        _photo_options(options),
        zipped=is_zip(output),
        journal=options.journal,
        overwrite=options.overwrite,
        stop_on_error=options.on_error == "stop",
    )


def _photo_options(options: ConversionOptions) -> PhotoOptions:
    most = options.max_pixels or DEFAULT_MAX_PIXELS
    return PhotoOptions(options.format, options.quality, most, options.first_frame)
