"""`img2img colorize`: colour photos."""

from functools import partial
from typing import Annotated

import typer

from img2img.cli.conversion import (
    Conversion,
    Device,
    FirstFrame,
    Format,
    Inputs,
    Jobs,
    MaxPixels,
    Overwrite,
    Quality,
    Quiet,
    Recursive,
    Report,
    Work,
    output_option,
)


def _check_strength(strength: float) -> float:
    if not 0 <= strength < float("inf"):
        raise typer.BadParameter(f"{strength} is not a number from 0 (grey) upward; 1 is the model's own colour")
    return strength


Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="One of `img2img models`, or an .onnx file.")]
Strength = Annotated[
    float,
    typer.Option(metavar="NUMBER", callback=_check_strength, help="How much colour: 0 gives the grey photo, 1.3 more."),
]


def colorize(
    inputs: Inputs,
    output: Annotated[str | None, output_option("photo.colorized.jpg")] = None,
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

    def opened(threads: int) -> Work:
        from img2img.inference.colorizer import Colorizer

        return Work(partial(Colorizer(model, device=device, threads=threads).convert, strength=strength))

    Conversion(inputs, output, format, quality, overwrite, recursive, jobs, report, max_pixels, first_frame, quiet).run(
        opened, word="colorized", verb="coloured"
    )
