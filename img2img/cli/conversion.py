"""What the commands that convert photos have in common: the way from their options to an exit code."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.batch import BatchRequest
    from img2img.batch.engines.engine import LocalEngine
    from img2img.batch.job import Found, Job
    from img2img.batch.one_photo import PhotoOptions
    from img2img.batch.outcome import Outcome
    from img2img.batch.task import Task
    from img2img.cli.progress import Tally

    Shown = Callable[..., AbstractContextManager[None]]


@dataclass(frozen=True)
class Conversion:
    """What the options of such a command say."""

    inputs: list[str]
    output: str | None
    from_file: str | None
    format: str
    quality: int | None
    overwrite: bool
    recursive: bool
    jobs: int | None
    report: Path | None
    journal: Path | None
    on_error: Literal["skip", "stop"]
    watch: bool
    engine: Literal["local", "ray"]
    address: str | None
    max_pixels: int | None
    first_frame: bool
    fps: float | None
    quiet: bool

    def run(
        self, task: "Task", *, word: str, verb: str, show_scores: bool = False, one_at_a_time: bool = False
    ) -> None:
        """Convert all inputs; exit with 1 when one of them failed.

        `word` is what a result beside its source is named by, `verb` what the closing line says was done. `show_scores`
        prints a line for each photo. `one_at_a_time`: without --jobs one photo takes all cores, since many would not
        fit in memory.
        """
        from img2img.batch.engines.engine import LocalEngine
        from img2img.batch.plan import plan_single
        from img2img.batch.report import check_report
        from img2img.cli.film import are_films, run_films
        from img2img.cli.progress import Tally, closing

        self._check()
        if self.report:
            check_report(self.report)
        if are_films(self.inputs, self.output, first_frame=self.first_frame):
            self._refuse_for_films()
            run_films(
                self.inputs,
                self.output,
                task,
                word=word,
                verb=verb,
                overwrite=self.overwrite,
                quiet=self.quiet,
                jobs=self.jobs,
                report=self.report,
                fps=self.fps,
            )
            return
        if self.fps:
            raise UsageError("--fps is for films: give numbered pictures, frame_%05d.png, and -o film.mp4")
        local = LocalEngine(task, self._options(), self.jobs, one_at_a_time)
        tally = Tally()
        shown = partial(closing, tally, verb=verb, report=self.report, show_scores=show_scores, quiet=self.quiet)
        single = None
        if not (self.from_file or self.watch):
            single = plan_single(self.inputs, self.output, word=word, format=self.format)
        if single is not None:
            self._convert_one(single, local, tally, shown)
        else:
            self._convert_many(local, tally, shown)
        if tally.failed:
            raise typer.Exit(1)

    def _convert_one(self, single: "Job | Outcome", engine: "LocalEngine", tally: "Tally", shown: "Shown") -> None:
        from img2img.batch.job import STREAM, Job
        from img2img.cli.progress import follow

        to_stdout = isinstance(single, Job) and single.target is STREAM
        if to_stdout and sys.stdout.isatty():
            raise UsageError("a terminal cannot show a photo: add -o FILE, or > FILE")
        outcome = self._outcome_of_one(single, engine) if isinstance(single, Job) else single
        with shown(lambda: [outcome], stdout_is_data=to_stdout):
            follow([outcome], tally, total=1, quiet=self.quiet)

    def _outcome_of_one(self, job: "Job", engine: "LocalEngine") -> "Outcome":
        from img2img.batch.job import STREAM
        from img2img.batch.journal.resume_rules import EXISTS
        from img2img.batch.one_photo import convert_photo
        from img2img.batch.outcome import Outcome
        from img2img.batch.sources.object_store import is_there
        from img2img.machine import usable_cores

        converter = engine.opened(self.jobs or usable_cores())
        if not self.overwrite and job.target is not STREAM and is_there(job.target):
            return Outcome(job.source, job.target, "skipped", flags=(EXISTS,))
        return convert_photo(job, converter, engine.options)

    def _convert_many(self, local: "LocalEngine", tally: "Tally", shown: "Shown") -> None:
        from img2img.batch.batch import PhotoBatch
        from img2img.batch.engines.engine import RayEngine
        from img2img.cli.progress import follow
        from img2img.interrupt import interrupt_noted

        engine = RayEngine(local.task, local.options, self.address, self.jobs) if self.engine == "ray" else local
        shown = partial(shown, stop_on_error=self.on_error == "stop")
        with PhotoBatch.open(self._request(local.task)) as batch:
            if self.watch:
                with interrupt_noted(signal.SIGTERM) as stop, shown(batch.outcomes):
                    follow(batch.watch(engine, stop), tally, total=0, quiet=self.quiet, each=True)
            else:
                registered = batch.register()
                tally.skip(registered.skipped)
                with shown(batch.outcomes):
                    total = registered.due + registered.failed
                    follow(batch.run(engine, registered), tally, total=total, quiet=self.quiet)

    def _request(self, task: "Task") -> "BatchRequest":
        from img2img.batch.batch import BatchRequest
        from img2img.batch.plan import is_zip, plan_folder

        return BatchRequest(
            self._look,
            plan_folder(self.inputs, self.output),
            task,
            self._options(),
            zipped=is_zip(self.output),
            journal=self.journal,
            overwrite=self.overwrite,
            stop_on_error=self.on_error == "stop",
        )

    def _look(self) -> "Iterator[Found | Outcome]":
        from img2img.batch.sources.listing import list_files, list_photos

        if self.from_file:
            yield from list_files(self.from_file, recursive=self.recursive, may_be_empty=self.watch)
        yield from list_photos(self.inputs, recursive=self.recursive, may_be_empty=self.watch)

    def _options(self) -> "PhotoOptions":
        from img2img.batch.one_photo import PhotoOptions
        from img2img.photo import DEFAULT_MAX_PIXELS

        return PhotoOptions(self.format, self.quality, self.max_pixels or DEFAULT_MAX_PIXELS, self.first_frame)

    def _check(self) -> None:
        if not self.inputs and not self.from_file:
            raise UsageError("Missing argument 'INPUT...': photos, folders, or --from-file LIST")
        if self.watch and (self.from_file == "-" or "-" in self.inputs):
            raise UsageError("--watch looks again and again, standard input can be read once: name folders")
        if self.watch and self.engine == "ray":
            raise UsageError("--watch converts on this machine: leave --engine ray out")
        if self.address and self.engine != "ray":
            raise UsageError("--address is a Ray cluster's: add --engine ray")

    def _refuse_for_films(self) -> None:
        for name, value in (
            ("--watch", self.watch),
            ("--engine ray", self.engine == "ray"),
            ("--from-file", self.from_file),
            ("--format", self.format != "same"),
            ("--quality", self.quality),
            ("--max-pixels", self.max_pixels),
            ("--journal", self.journal),
            ("--on-error", self.on_error == "stop"),
        ):
            if value:
                raise UsageError(f"{name} is for photos: convert films without it")
