"""What the commands that convert photos have in common: their options, and the way from inputs to an exit code."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.plan import Plan
    from img2img.batch.run import Convert, Scoring

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", show_default=False, help="Photos, folders of photos, or - for standard input."),
]
Format = Annotated[
    Literal["same", "jpg", "png", "webp", "tiff"],
    typer.Option(help="The results' file format; same keeps each photo's own (a GIF becomes a PNG)."),
]
Quality = Annotated[
    int | None,
    typer.Option(metavar="1-100", min=1, max=100, help="Of JPEG and WebP. Without it a JPEG keeps its source's own."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that exist instead of skipping them.")]
Recursive = Annotated[bool, typer.Option("--recursive/--no-recursive", help="Walk a folder with its sub-folders.")]
Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option(help="Where the model runs; auto takes a GPU if it can be used."),
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Photos at a time. Without it, one for each processor core."),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Record what came of each photo in this .json or .csv file."),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Refuse photos of more pixels. Without it, 1,000,000,000."),
]
FirstFrame = Annotated[
    bool, typer.Option("--first-frame", help="Take the first picture of an animation or a multi-page TIFF.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def output_option(example: str) -> typer.models.OptionInfo:
    """-o, with the name that a single photo's result has without it."""
    option: typer.models.OptionInfo = typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, a folder (an existing one, or with / at its end), or - for standard output. A folder "
        f"and several photos need it; without it one photo lands beside itself as {example}.",
    )
    return option


@dataclass(frozen=True)
class Work:
    """What is done with each photo."""

    convert: "Convert"
    scoring: "Scoring | None" = None


@dataclass(frozen=True)
class Conversion:
    """What the options of such a command say."""

    inputs: list[str]
    output: str | None
    format: str
    quality: int | None
    overwrite: bool
    recursive: bool
    jobs: int | None
    report: Path | None
    max_pixels: int | None
    first_frame: bool
    quiet: bool

    def run(
        self,
        opened: Callable[[int], Work],
        *,
        word: str,
        verb: str,
        show_scores: bool = False,
        one_at_a_time: bool = False,
    ) -> None:
        """Convert all inputs; exit with 1 when one of them failed.

        `opened` prepares the work, given how many cores one photo may take. `word` is what a result beside its
        source is named by, `verb` what the closing line says was done. `show_scores` prints a line for each photo.
        `one_at_a_time`: without --jobs one photo takes all cores, since many would not fit in memory.
        """
        from img2img.batch.plan import plan_jobs
        from img2img.batch.report import check_report
        from img2img.batch.run import run_jobs
        from img2img.cli.progress import follow
        from img2img.inference.runtime import usable_cores
        from img2img.photo import DEFAULT_MAX_PIXELS

        if self.report:
            check_report(self.report)
        plan = plan_jobs(self.inputs, self.output, word=word, format=self.format, recursive=self.recursive)
        to_stdout = _writes_to_stdout(plan)
        cores = self.jobs or usable_cores()
        most = 1 if one_at_a_time and not self.jobs else cores
        workers = min(most, max(1, len(plan.jobs)))
        work = opened(cores // workers)
        outcomes = run_jobs(
            plan.jobs,
            work.convert,
            scoring=work.scoring,
            workers=workers,
            overwrite=self.overwrite,
            format=self.format,
            quality=self.quality,
            max_pixels=self.max_pixels or DEFAULT_MAX_PIXELS,
            first_frame=self.first_frame,
        )
        all_well = follow(
            chain(plan.failures, outcomes),
            total=len(plan.jobs) + len(plan.failures),
            verb=verb,
            report=self.report,
            quiet=self.quiet,
            show_scores=show_scores,
            stdout_is_data=to_stdout,
        )
        if not all_well:
            raise typer.Exit(1)


def _writes_to_stdout(plan: "Plan") -> bool:
    from img2img.batch.plan import STREAM

    to_stdout = any(job.target is STREAM for job in plan.jobs)
    if to_stdout and sys.stdout.isatty():
        raise UsageError("a terminal cannot show a photo: add -o FILE, or > FILE")
    return to_stdout
