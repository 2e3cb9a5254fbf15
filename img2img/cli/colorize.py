"""`img2img colorize`: colour photos."""

import sys
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.plan import Plan


def _check_strength(strength: float) -> float:
    if not 0 <= strength < float("inf"):
        raise typer.BadParameter(f"{strength} is not a number from 0 (grey) upward; 1 is the model's own colour")
    return strength


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", show_default=False, help="Photos, folders of photos, or - for standard input."),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, a folder (an existing one, or with / at its end), or - for standard output. A folder "
        "and several photos need it; without it one photo lands beside itself as photo.colorized.jpg.",
    ),
]
Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="One of `img2img models`, or an .onnx file.")]
Strength = Annotated[
    float,
    typer.Option(metavar="NUMBER", callback=_check_strength, help="How much colour: 0 gives the grey photo, 1.3 more."),
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


def colorize(
    inputs: Inputs,
    output: Output = None,
    model: Model = "colorizer",
    strength: Strength = 1.0,
    format: Format = "same",
    quality: Quality = None,
    overwrite: Overwrite = False,
    recursive: Recursive = True,
    device: Device = "auto",
    jobs: Jobs = None,
    report: Report = None,
    max_pixels: MaxPixels = None,
    first_frame: FirstFrame = False,
    quiet: Quiet = False,
) -> None:
    """Colour photos: offline, at full size, with everything that is not colour kept.

    Folders keep their tree: album/a/b.jpg becomes coloured/a/b.jpg. Hidden files and links to folders are
    left out. A result that exists is skipped, so the same command again goes on where it was stopped.

    \b
    Examples:
      img2img colorize photo.jpg                      photo.colorized.jpg beside it
      img2img colorize photo.jpg -o coloured.png      a name and a format of your own
      img2img colorize a.jpg b.tif -o coloured/       several photos into a folder
      img2img colorize album -o coloured --jobs 4     a folder and all below it
      img2img colorize album -o out --report out.csv  and a record of every photo
      img2img colorize - < grey.jpg > coloured.jpg    from and to a pipe

    \b
    Exit codes: 0 all is well, 1 a photo failed or the model cannot be used,
    2 the command contradicts itself, 130 stopped with Ctrl-C.
    """
    from img2img.batch.plan import plan_jobs
    from img2img.batch.report import check_report
    from img2img.batch.run import run_jobs
    from img2img.cli.progress import follow
    from img2img.inference.colorizer import Colorizer
    from img2img.inference.runtime import usable_cores
    from img2img.photo import DEFAULT_MAX_PIXELS

    if report:
        check_report(report)
    plan = plan_jobs(inputs, output, format=format, recursive=recursive)
    to_stdout = _writes_to_stdout(plan)
    cores = jobs or usable_cores()
    workers = min(cores, max(1, len(plan.jobs)))
    colorizer = Colorizer(model, device=device, threads=cores // workers)
    outcomes = run_jobs(
        plan.jobs,
        partial(colorizer.convert, strength=strength),
        workers=workers,
        overwrite=overwrite,
        format=format,
        quality=quality,
        max_pixels=max_pixels or DEFAULT_MAX_PIXELS,
        first_frame=first_frame,
    )
    all_well = follow(
        chain(plan.failures, outcomes),
        total=len(plan.jobs) + len(plan.failures),
        verb="coloured",
        report=report,
        quiet=quiet,
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
