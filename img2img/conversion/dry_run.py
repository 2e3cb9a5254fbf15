"""What a conversion would do, found out without writing anything: counts, what would be replaced, time and space."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from img2img.atomic_file import exists, reason_for
from img2img.batch.addresses import is_stored
from img2img.batch.batch import BatchRequest, PhotoBatch, journal_of
from img2img.batch.engines.engine import LocalEngine
from img2img.batch.job import STREAM, Job
from img2img.batch.job_files import read_job
from img2img.batch.outcome import OWN_RESULT, Outcome
from img2img.conversion.earlier_result import film_made_so
from img2img.conversion.films import film_plan
from img2img.conversion.options import ConversionOptions
from img2img.conversion.photo import is_somebodys, left_alone, photo_options
from img2img.conversion.photos import batch_request
from img2img.errors import Img2ImgError, PhotoError, UsageError
from img2img.machine import usable_cores

SAMPLED = 8
"""Photos that are converted, and thrown away, for the estimate."""


@dataclass(frozen=True)
class Estimate:
    """From `photos` of those due: how long all will take, how many bytes they will take, and how many are free.

    `left_out`: photos of the sample that would be skipped, as in colour or made before, or fail.
    """

    photos: int
    seconds: float
    bytes: int
    free: int | None
    left_out: int


@dataclass(frozen=True)
class Forecast:
    """Photos that are `due`, left alone for each reason, and cannot be read; `failures` say why.

    `replaced`: files that img2img did not make, or that somebody changed since, and why they are known for such.
    """

    due: int
    skipped: Mapping[str, int]
    failures: Sequence[Outcome] = ()
    replaced: Sequence[tuple[Path, str]] = ()
    passed_over: str = ""
    estimate: Estimate | None = None


def photo_in_words(single: Job | Outcome, options: ConversionOptions) -> tuple[list[str], list[str]]:
    """Of one photo what would become of it, or why it would fail. Raises ModelError."""
    if isinstance(single, Outcome):
        return [], [str(single.error)]
    task = options.task()
    if left := left_alone(single, task, options):
        return [left.in_words()], []
    source = "standard input" if single.source is STREAM else str(single.source)
    target = "standard output" if single.target is STREAM else str(single.target)
    try:
        if single.source is not STREAM:
            read_job(single, photo_options(options))
    except PhotoError as error:
        return [], [str(error)]
    instead = ", in place of a file that img2img did not make" if is_somebodys(single, task, options) else ""
    return [f"{source} would become {target}{instead}"], []


def films_in_words(
    inputs: Sequence[str], output: str | None, options: ConversionOptions
) -> tuple[list[str], list[str]]:
    """Of each film what would become of it, and of those that would fail why. Raises as `open_films`."""
    plan, task = film_plan(inputs, output, options), options.task()

    from img2img.video.one_film import known_before

    lines, failures = [], []
    for job in plan:
        if job.is_result:
            lines.append(f"{job.source}: {OWN_RESULT}; left out")
            continue
        known = known_before(job, overwrite=options.overwrite, made_so=partial(film_made_so, job, task))
        if known is None:
            lines.append(f"{job.source} would become {job.target}")
        elif known.status == "failed":
            failures.append(str(known.error))
        else:
            lines.append(known.in_words())
    return lines, failures


def forecast_batch(inputs: Sequence[str], output: str | None, options: ConversionOptions, *, many: bool) -> Forecast:
    """Of many photos. The journal is copied, and the photos of the estimate go to a temporary folder.

    Raises what `convert` does before its work; ModelError where the model cannot be opened.
    """
    if options.watch:
        raise UsageError("--watch has no end to foretell: leave it or --dry-run out")
    request, passed_over = batch_request(inputs, output, options, many=many)
    with _dry_batch(request) as (batch, scratch):
        registered = batch.register()
        measured = registered.due and options.engine == "local"
        return Forecast(
            registered.due,
            registered.skipped,
            list(batch.failures()),
            list(batch.replaced()),
            passed_over.words(),
            _estimate(batch, registered.due, request, options, scratch) if measured else None,
        )


@contextmanager
def _dry_batch(request: BatchRequest) -> Iterator[tuple[PhotoBatch, Path]]:
    with TemporaryDirectory(prefix="img2img-dry-run-") as folder:
        scratch, journal = Path(folder), journal_of(request)
        try:
            for ending in ("", "-wal"):
                if exists(found := Path(f"{journal}{ending}")):
                    shutil.copy(found, scratch / f"journal{ending}")
        except OSError as error:
            raise Img2ImgError(f"{journal}: the journal cannot be read: {reason_for(error, 'read')}") from error
        with PhotoBatch.open(replace(request, journal=scratch / "journal"), copy_of=journal) as batch:
            yield batch, scratch


def _estimate(
    batch: PhotoBatch, due: int, request: BatchRequest, options: ConversionOptions, scratch: Path
) -> Estimate:
    workers = options.jobs or (1 if options.one_at_a_time else usable_cores())
    engine = LocalEngine(request.task, request.options, options.jobs, options.one_at_a_time)
    outcomes = list(engine.run(batch.sample(SAMPLED, scratch / "results"), count=min(due, SAMPLED)))
    each = due / len(outcomes)
    return Estimate(
        len(outcomes),
        sum(outcome.seconds for outcome in outcomes) * each / min(workers, due),
        round(sum(outcome.bytes or 0 for outcome in outcomes) * each),
        _free(request.output),
        sum(outcome.status != "done" for outcome in outcomes),
    )


def _free(output: Path) -> int | None:
    if is_stored(output):
        return None
    nearest = next(folder for folder in (output.absolute(), *output.absolute().parents) if os.path.isdir(folder))  # noqa: PTH112
    return shutil.disk_usage(nearest).free
