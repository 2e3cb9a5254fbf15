"""What was named to be converted: films or photos, and what of it is wrong before any model is looked at."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from img2img.batch.addresses import place
from img2img.batch.job import Job
from img2img.batch.outcome import Outcome
from img2img.batch.plan import absent, plan_folder, plan_single
from img2img.batch.report import check_report
from img2img.batch.sources.listing import is_glob
from img2img.conversion.options import ConversionOptions
from img2img.conversion.unquoted import unquoted_name
from img2img.errors import UsageError
from img2img.inference.run_model import check_task_of_run, names_a_run
from img2img.video.kinds import Numbered, are_films


def check_inputs(inputs: Sequence[str], options: ConversionOptions) -> bool:
    """Whether they are films. Raises UsageError where they and the options contradict each other."""
    _check(inputs, options)
    if name := unquoted_name(inputs):
        raise UsageError(f"the name {name!r} has spaces in it: put it in quotes, {shlex.quote(name)}")
    if options.report:
        check_report(options.report, overwrite=options.overwrite)
    films = are_films(list(inputs), first_frame=options.first_frame)
    if options.fps and not films:
        raise UsageError("--fps is for films: give numbered pictures, frame_%05d.png, and -o film.mp4")
    return films


def named_photo(inputs: Sequence[str], output: str | None, options: ConversionOptions) -> Job | Outcome | None:
    """The job of one photo that was named, its failure, or None where the inputs may be more."""
    if options.from_file or options.watch:
        return None
    return plan_single(inputs, output, word=options.word, format=options.format)


def absent_inputs(
    inputs: Sequence[str], output: str | None, options: ConversionOptions, *, films: bool
) -> list[Outcome]:
    """The failures of inputs none of which is there, where the model is a run's: to export that can take a minute.

    Empty where there may be something to convert, and for any other model. Raises UsageError where inputs, output and
    options contradict each other, ModelError for a run of another task, and what reading a reference does.
    """
    if options.chosen_model is None or not names_a_run(options.chosen_model):
        return []
    check_task_of_run(Path(options.chosen_model), options.model_task)
    if films:
        from img2img.conversion.films import film_plan

        film_plan(inputs, output, options)
    elif isinstance(single := named_photo(inputs, output, options), Outcome):
        return [single]
    elif single is None:
        options.check_many()
        plan_folder(inputs, output)
    options.task()
    failures = [failure for text in inputs if (failure := _absent(text))]
    return failures if len(failures) == len(inputs) and not (options.from_file or options.watch) else []


def _absent(text: str) -> Outcome | None:
    """The failure of a file or folder that is not there; of a pattern, a stream or an address nothing is known yet."""
    return None if text == "-" or is_glob(text) or Numbered.named(text) else absent(place(text))


def _check(inputs: Sequence[str], options: ConversionOptions) -> None:
    if not inputs and not options.from_file:
        raise UsageError("Missing argument 'INPUT...': photos, folders, or --from-file LIST")
    if options.watch and (options.from_file == "-" or "-" in inputs):
        raise UsageError("--watch looks again and again, standard input can be read once: name folders")
    if options.watch and options.engine == "ray":
        raise UsageError("--watch converts on this machine: leave --engine ray out")
    if options.address and options.engine != "ray":
        raise UsageError("--address is a Ray cluster's: add --engine ray")
