"""`img2img export RUN -o FILE.onnx`: from a run to a model file."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from img2img.cli.shared_options import Overwrite, choice_option

_State = Literal["best", "last"]


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write (.onnx).")],
    reverse: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the reverse model, for a recipe that trains both ways. By default b2a.onnx for "
            "a2b.onnx, and NAME-back.onnx for any other NAME.onnx.",
        ),
    ] = None,
    which: Annotated[
        _State | None,
        choice_option(_State, help="Which state to export. By default the best, if the run measured its quality."),
    ] = None,
    all_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write every network (.safetensors), to continue training from with --init."
        ),
    ] = None,
    critic: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a critic (.onnx), by which `translate` says which photos are unlike the training pictures;"
            " measuring these, at most 2,000 each way, takes a minute.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting that does not change the weights, such as temperature=0.5; repeatable.",
        ),
    ] = None,
    native_size: Annotated[
        int | None,
        typer.Option(
            min=32, metavar="N", help="Photos are shrunk to about N x N pixels for the model; not for models that draw."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(help="What it was trained on, for the card.")] = None,
    hardware: Annotated[str | None, typer.Option(help="What it was trained with, for the card.")] = None,
    notes: Annotated[str | None, typer.Option(help="Anything else that a user should know, for the card.")] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0, help="Largest drift from PyTorch, in ab units, grey levels or a critic's log-likelihood."),
    ] = 0.05,
    overwrite: Overwrite = False,
) -> None:
    """Write a run's averaged generator as FILE.onnx and FILE.safetensors, and check that both compute the same.

    A recipe that trains both ways, such as cyclegan, gives both generators; the card of each names the other.
    """
    from img2img.atomic_file import check_target
    from img2img.errors import ExportError
    from img2img.progress_bar import status_line
    from img2img.saved_states import best_file, refuse_without_state

    for path in filter(None, (output, reverse, all_weights, critic)):  # before torch is imported
        check_target(path, overwrite=overwrite, error=ExportError)
    if not best_file(run).is_file():
        refuse_without_state(run)
    from img2img.export.models_of_run import export_run

    given = {"data": data, "hardware": hardware, "notes": notes, "native_size": native_size}
    about = {name: value for name, value in given.items() if value is not None}
    with status_line() as tell:
        exported = export_run(
            run,
            output,
            reverse=reverse,
            which=which,
            weights=all_weights,
            critic=critic,
            tolerance=tolerance,
            settings=tuple(settings or ()),
            about=about,
            overwrite=overwrite,
            tell=tell,
        )
    for parity in exported.parity:
        print(f"parity of {parity}: {parity.difference:.2g} {parity.unit}")
    for path in exported.files:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    if exported.note:
        print(exported.note, file=sys.stderr)
