"""Many photos converted, as a batch with its journal."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from img2img.batch.batch import BatchRequest, PhotoBatch
from img2img.batch.engines.engine import Engine, LocalEngine, RayEngine
from img2img.batch.job import Found
from img2img.batch.outcome import Outcome
from img2img.batch.plan import is_zip, plan_folder
from img2img.batch.sources.hints_beside import with_hints_beside
from img2img.batch.sources.listing import list_files, list_photos
from img2img.batch.sources.passed_over import PassedOver
from img2img.conversion.conversion import Conversion
from img2img.conversion.options import ConversionOptions
from img2img.conversion.photo import photo_options
from img2img.interrupt import interrupt_noted


@contextmanager
def open_photos(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, *, many: bool = True
) -> Iterator[Conversion]:
    """`many`: not one photo that was named.

    Raises UsageError, and Img2ImgError where the journal cannot be held or a model's card cannot be read."""
    request, passed_over = batch_request(inputs, output, options, many=many)
    engine = _engine(request, options)
    with PhotoBatch.open(request) as batch:
        if options.watch:
            with interrupt_noted(signal.SIGTERM) as stop:
                yield Conversion(batch.watch(engine, stop), batch.outcomes, passed_over=passed_over.words)
        else:
            yield _once(batch, engine, passed_over)


def _once(batch: PhotoBatch, engine: Engine, passed_over: PassedOver) -> Conversion:
    registered = batch.register()
    return Conversion(
        batch.run(engine, registered),
        batch.outcomes,
        total=registered.due + registered.failed,
        skipped=registered.skipped,
        left_alone=lambda: (each for each in batch.outcomes() if each.status == "skipped"),
        passed_over=passed_over.words,
    )


def _engine(request: BatchRequest, options: ConversionOptions) -> Engine:
    if options.engine == "ray":
        return RayEngine(request.task, request.options, options.address, options.jobs)
    return LocalEngine(request.task, request.options, options.jobs, options.one_at_a_time)


def batch_request(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, *, many: bool
) -> tuple[BatchRequest, PassedOver]:
    """What is to be done, and what will be passed over by the time that all is listed. Raises UsageError."""
    options.check_many()
    passed_over = PassedOver()

    def look() -> Iterator[Found | Outcome]:
        recursive, may_be_empty, now = options.recursive, options.watch, PassedOver()
        if options.from_file:
            yield from list_files(options.from_file, recursive=recursive, may_be_empty=may_be_empty, passed_over=now)
        yield from list_photos(inputs, recursive=recursive, may_be_empty=may_be_empty, passed_over=now)
        passed_over.take(now)

    request = BatchRequest(
        (lambda: with_hints_beside(look())) if options.hints_beside else look,
        plan_folder(inputs, output),
        options.task(),
        photo_options(options, many=many),
        zipped=is_zip(output),
        journal=options.journal,
        overwrite=options.overwrite,
        stop_on_error=options.on_error == "stop",
    )
    return request, passed_over
