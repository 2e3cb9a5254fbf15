"""`img2img colorize`: colour photos."""

from typing import Annotated

import typer

from img2img.cli.conversion import run_conversion
from img2img.cli.conversion_options import (
    Address,
    Device,
    EngineName,
    FirstFrame,
    Format,
    Fps,
    FromFile,
    Inputs,
    Jobs,
    JournalFile,
    MaxPixels,
    OnError,
    Overwrite,
    Quality,
    Quiet,
    Recursive,
    Report,
    Runtime,
    Watch,
    output_option,
)
from img2img.conversion.options import ColorizeOptions

Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="One of `img2img models`, or an .onnx file.")]
Strength = Annotated[
    float,
    typer.Option(metavar="NUMBER", help="How much colour: 0 gives the grey photo, 1.3 more."),
]


def colorize(
    inputs: Inputs = None,
    output: Annotated[str | None, output_option("photo.colorized.jpg")] = None,
    model: Model = "colorizer",
    strength: Strength = 1.0,
    from_file: FromFile = None,
    format: Format = "same",
    quality: Quality = None,
    overwrite: Overwrite = False,
    recursive: Recursive = True,
    device: Device = "auto",
    runtime: Runtime = "auto",
    jobs: Jobs = None,
    report: Report = None,
    journal: JournalFile = None,
    on_error: OnError = "skip",
    watch: Watch = False,
    engine: EngineName = "local",
    address: Address = None,
    max_pixels: MaxPixels = None,
    first_frame: FirstFrame = False,
    fps: Fps = None,
    quiet: Quiet = False,
) -> None:
    """Colour photos: offline, at full size, with everything that is not colour kept.

    Folders keep their tree: album/a/b.jpg becomes coloured/a/b.jpg. Hidden files and links to folders are
    left out. The same command again goes on where it was stopped, and does only what is missing or has changed;
    results that img2img did not make, or that were changed since, are left alone.

    \b
    Examples:
      img2img colorize photo.jpg                      photo.colorized.jpg beside it
      img2img colorize photo.jpg -o coloured.png      a name and a format of your own
      img2img colorize a.jpg b.tif -o coloured/       several photos into a folder
      img2img colorize album -o coloured --jobs 4     a folder and all below it
      img2img colorize album -o out --report out.csv  and a record of every photo
      img2img colorize scans.tar -o coloured.zip      from an archive into one
      img2img colorize film.mp4                       film.colorized.mp4, sound and all
      img2img colorize - < grey.jpg > coloured.jpg    from and to a pipe

    \b
    Exit codes: 0 all is well, 1 a photo failed or the model cannot be used,
    2 the command contradicts itself, 130 stopped with Ctrl-C.
    """
    options = ColorizeOptions(
        model=model,
        strength=strength,
        from_file=from_file,
        format=format,
        quality=quality,
        overwrite=overwrite,
        recursive=recursive,
        device=device,
        runtime=runtime,
        jobs=jobs,
        report=report,
        journal=journal,
        on_error=on_error,
        watch=watch,
        engine=engine,
        address=address,
        max_pixels=max_pixels,
        first_frame=first_frame,
        fps=fps,
    )
    run_conversion(inputs or [], output, options, verb="coloured", quiet=quiet)
