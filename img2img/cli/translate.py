"""`img2img translate`: turn photos of one kind into another."""

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
from img2img.conversion.options import MANY_FIT, TranslateOptions

Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        show_default=False,
        help="One of `img2img models`, or an .onnx file. Needed where there is more than one translator.",
    ),
]
SizeOption = Annotated[
    str,
    typer.Option(
        "--size",
        metavar="card|native|N",
        help="What the model sees: card, a copy of about the size that it was trained at; N, one of about N x N pixels "
        "(the change is then enlarged and added to the photo); native, the photo itself, tile by tile if it is large. "
        f"Beyond {MANY_FIT} a photo can take 3 GB of memory: without --jobs they are done one at a time.",
    ),
]


def translate(
    inputs: Inputs = None,
    output: Annotated[str | None, output_option("photo.MODEL.jpg")] = None,
    model: Model = None,
    size: SizeOption = "card",
    cycle: Annotated[
        bool, typer.Option("--cycle", help="Also go back with the card's reverse model; write in | out | back.")
    ] = False,
    score: Annotated[
        bool,
        typer.Option(
            "--score",
            help="Also say how much each photo is like those that the model learnt from: the share of those that look "
            "stranger, 0 to 1. It goes into the report; without one it is printed.",
        ),
    ] = False,
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0,
            max=1,
            help="Skip photos with a lower score: the model was not made for them.",
        ),
    ] = None,
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
    """Turn photos of one kind into another, horses into zebras: offline, at full size, with all metadata kept.

    Folders keep their tree: album/a/b.jpg becomes striped/a/b.jpg. Hidden files and links to folders are
    left out. The same command again goes on where it was stopped, and does only what is missing or has changed;
    results that img2img did not make, or that were changed since, are left alone.

    \b
    Examples:
      img2img translate photo.jpg --model horse2zebra            photo.horse2zebra.jpg beside it
      img2img translate album -o striped --model horse2zebra     a folder and all below it
      img2img translate photo.jpg --model mine.onnx --size 384   finer than the model's own size
      img2img translate photo.jpg --model horse2zebra --cycle    and back: in | out | back
      img2img translate - --model mine.onnx < in.jpg > out.jpg   from and to a pipe

    \b
    Exit codes: 0 all is well, 1 a photo failed or the model cannot be used,
    2 the command contradicts itself, 130 stopped with Ctrl-C.
    """
    options = TranslateOptions(
        model=model,
        size=size,
        cycle=cycle,
        score=score,
        min_score=min_score,
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
    show_scores = score and not report
    run_conversion(inputs or [], output, options, verb="translated", quiet=quiet, show_scores=show_scores)
