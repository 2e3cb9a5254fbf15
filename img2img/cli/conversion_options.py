"""The options that the commands that convert photos share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT...",
        show_default=False,
        help="Photos, folders of photos, .zip and .tar archives, patterns like 'scans/**/*.tif', films, s3:// and "
        "other addresses, or - for standard input.",
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="Also take the photos that this file names, one a line; - for standard input."),
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
Runtime = Annotated[
    Literal["auto", "onnxruntime", "openvino"],
    typer.Option(
        help="What runs the model; openvino is faster on many processors, and needs pip install '.[openvino]'."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Photos at a time. Without it, one for each processor core."),
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Record what came of each photo in this .json or .csv file."),
]
JournalFile = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        help="Where to note what is done, so that the same command goes on where it was stopped. Without it, a hidden "
        "file in the output folder.",
    ),
]
OnError = Annotated[
    Literal["skip", "stop"],
    typer.Option(help="After a photo that failed: go on with the others, or stop."),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch", help="Go on converting what appears, until Ctrl-C. Files still being written are waited for."
    ),
]
EngineName = Annotated[
    Literal["local", "ray"],
    typer.Option("--engine", help="Work on this machine, or on a Ray cluster (pip install '.[ray]')."),
]
Address = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Of the Ray cluster; auto joins the one that this machine is part of."),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Refuse photos of more pixels. Without it, 1,000,000,000."),
]
FirstFrame = Annotated[
    bool, typer.Option("--first-frame", help="Take the first picture of an animation or a multi-page TIFF.")
]
Fps = Annotated[
    float | None,
    typer.Option(metavar="N", min=0.01, help="Pictures a second of a film made from frame_%05d.png. Without it, 24."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def output_option(example: str) -> typer.models.OptionInfo:
    """-o, with the name that a single photo's result has without it."""
    option: typer.models.OptionInfo = typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, a folder (an existing one, or with / at its end), a .zip, or - for standard output. A folder "
        f"and several photos need it; without it one photo lands beside itself as {example}.",
    )
    return option
