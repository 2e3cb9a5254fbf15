"""`img2img translate`: turn photos of one kind into another."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from img2img.cli.conversion import Conversion
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
from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.inference.translator import Size


MANY_FIT = 512
"""Sizes at which a photo takes the network less than 200 MB: beyond, one for each core may be too many."""


RELIABLE_AUC = 0.9
"""Below it `--min-score` comes with a warning."""


def _check_size(text: str) -> str:
    if text not in ("card", "native") and not (text.isdecimal() and 1 <= int(text) <= 2048):
        raise typer.BadParameter(f"{text}: give card, native, or a number of pixels up to 2048")
    return text


def _check_score(value: float | None) -> float | None:
    if value is not None and math.isnan(value):  # which is in any range
        raise typer.BadParameter(f"{value} is not a number from 0 to 1")
    return value


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
        callback=_check_size,
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
            callback=_check_score,
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
    from img2img.batch.task import Translating

    chosen = model or _only_translator()
    seen: Size = size if size in ("card", "native") else int(size)  # type: ignore[assignment]

    if min_score:
        _warn_of_a_doubtful_score(chosen, min_score)
    judged = score or min_score is not None
    task = Translating(chosen, seen, cycle, judged, min_score or 0.0, device, runtime)
    word = f"{Path(chosen).stem}.cycle" if cycle else Path(chosen).stem
    Conversion(
        inputs=inputs or [],
        output=output,
        from_file=from_file,
        format=format,
        quality=quality,
        overwrite=overwrite,
        recursive=recursive,
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
        quiet=quiet,
    ).run(
        task,
        word=word,
        verb="translated",
        show_scores=score and not report,
        one_at_a_time=seen == "native" or (isinstance(seen, int) and seen > MANY_FIT),
    )


def _warn_of_a_doubtful_score(model: str, least: float) -> None:
    from img2img.model_file import find_model, read_card

    card = read_card(find_model(model))
    auc = card.metrics.get("score", {}).get("auc", 1.0)
    if auc < RELIABLE_AUC:
        warnings.warn(
            f"{card.name}: of a photo that it was made for and another one, the score prefers the other in "
            f"{1 - auc:.0%} of cases (its card: AUC {auc:.3f}), so --min-score {least:g} skips some of the right ones",
            stacklevel=2,
        )


def _only_translator() -> str:
    from img2img.inference.opened_model import models_for

    names = models_for("translate")
    if len(names) == 1:
        return names[0]
    choices = f"--model {' or --model '.join(names)}" if names else "--model FILE.onnx (`img2img train cyclegan`)"
    raise UsageError(f"which model? Give {choices}")
