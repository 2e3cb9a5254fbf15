"""Where a model runs, for the commands that draw."""

from typing import Annotated, Literal

import typer

Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option(help="Where the model runs; auto takes a GPU if it can be used."),
]
