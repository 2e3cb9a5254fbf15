"""Options of several commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from img2img.atomic_file import is_folder
from img2img.cli.choice_option import choice_option

_Device = Literal["auto", "cpu", "cuda"]
Device = Annotated[_Device, choice_option(_Device, help="Where the model runs; auto takes a GPU if it can be used.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def in_a_folder(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """A callback for a picture to write, before any work is done for it: refuses other suffixes and missing folders."""

    def check(path: Path | None) -> Path | None:
        if path and (path.suffix.lower() not in suffixes or not is_folder(path.parent) or is_folder(path)):
            kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
            raise typer.BadParameter(f"{path}: give a {kinds} file in a folder that exists")
        return path

    return check
