"""`img2img export RUN -o FILE.onnx`: from a run to a model file."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write (.onnx).")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting that leaves the weights alone: temperature=0.5"),
    ] = None,
    native_size: Annotated[
        int | None,
        typer.Option(
            min=32, help="Photos are shrunk to about this size, squared, in pixels; not for models that draw."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(help="What it was trained on, for the card.")] = None,
    hardware: Annotated[str | None, typer.Option(help="What it was trained with, for the card.")] = None,
    notes: Annotated[str | None, typer.Option(help="Anything else that a user should know.")] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest drift from PyTorch, in ab units or grey levels.")
    ] = 0.05,
) -> None:
    """Write a run's averaged generator as FILE.onnx and FILE.safetensors, and check that both compute the same."""
    from img2img.errors import ExportError
    from img2img.export import export_run
    from img2img.generation.target import check_target

    check_target(output, overwrite=True, error=ExportError)
    given = {"data": data, "hardware": hardware, "notes": notes, "native_size": native_size}
    about = {name: value for name, value in given.items() if value is not None}
    for parity in export_run(run, output, tolerance=tolerance, settings=tuple(settings or ()), about=about):
        print(f"parity at {parity}: {parity.difference:.2g} {parity.unit}")
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
