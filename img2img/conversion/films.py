"""Films, animations and numbered pictures converted, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec

from img2img.batch.job import Job
from img2img.batch.job_files import set_times, times_of
from img2img.batch.outcome import IN_COLOR, OWN_RESULT, Outcome
from img2img.batch.task import FilmConverter, Task
from img2img.conversion.conversion import Conversion, FilmProgress, recorded
from img2img.conversion.earlier_result import film_made_so
from img2img.conversion.option import option_fields
from img2img.conversion.options import ConversionOptions
from img2img.errors import FilmError, UsageError
from img2img.machine import usable_cores
from img2img.video.plan import FilmJob, plan_films


def open_films(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, progress: FilmProgress
) -> Conversion:
    """`options.jobs` is how many cores the model may take. Raises UsageError, and FilmError for missing packages."""
    plan = film_plan(inputs, output, options)
    return recorded(_converted(plan, options.task(), options, progress), films=True, total=len(plan))


def film_plan(inputs: Sequence[str], output: str | None, options: ConversionOptions) -> list[FilmJob]:
    """What becomes what; raises as `open_films`."""
    _refuse_what_is_for_photos(options)
    plan = plan_films(list(inputs), output, word=options.word)
    _check_rate(plan, options.fps)
    _check_times(plan, options)
    _check_packages()
    return plan


def _converted(
    plan: list[FilmJob], task: Task, options: ConversionOptions, progress: FilmProgress
) -> Iterator[Outcome]:
    from img2img.video.one_film import DEFAULT_RATE, FilmOptions, convert_one_film

    film_options = FilmOptions(task.settings(), overwrite=options.overwrite, rate=options.fps or DEFAULT_RATE)

    @cache
    def opened() -> FilmConverter:
        converter = task.open_for_films(options.jobs or usable_cores())
        return converter if options.provenance else replace(converter, provenance=None)

    for job in plan:
        if job.is_result:
            yield Outcome(job.source, None, "skipped", flags=(OWN_RESULT,))
            continue
        times = times_of(Job(job.source, job.target)) if options.keep_times else None
        outcome = convert_one_film(
            job, opened, film_options, partial(progress, job.source), partial(film_made_so, job, task)
        )
        if outcome.status == "done":
            set_times(job.target, times)
            outcome = _noted(outcome, job, options)
        yield outcome


def _noted(outcome: Outcome, job: FilmJob, options: ConversionOptions) -> Outcome:
    """A film in colour is coloured anew, and its outcome says so."""
    from img2img.video.color_look import is_color_film

    if options.when_in_color(many=False) is None or not is_color_film(job):
        return outcome
    return replace(outcome, flags=(IN_COLOR, *outcome.flags))


def _refuse_what_is_for_photos(options: ConversionOptions) -> None:
    for each in option_fields(type(options)):
        value = options.__dict__[each.field]
        if each.option.photos_only and value != each.default:
            said = f"{each.name} ray" if each.field == "engine" else each.name
            if each.default is True:
                said = f"--no-{each.name.removeprefix('--')}"
            raise UsageError(f"{said} is for photos: convert films without it")


def _check_rate(plan: list[FilmJob], fps: float | None) -> None:
    if fps is not None and not any((job.kind, job.makes) == ("sequence", "film") for job in plan):
        raise UsageError("--fps is for numbered pictures that become a film; a film keeps its own rate")


def _check_times(plan: list[FilmJob], options: ConversionOptions) -> None:
    if options.keep_times and any("sequence" in (job.kind, job.makes) for job in plan):
        raise UsageError("--keep-times: numbered pictures have times of their own, and a film has one; leave it out")


def _check_packages() -> None:
    if not (find_spec("av") and find_spec("cv2")):
        raise FilmError(
            "films and animations need two more packages: pip install '.[video]' in img2img's checkout; "
            "--first-frame takes an animation's first picture without them"
        )
