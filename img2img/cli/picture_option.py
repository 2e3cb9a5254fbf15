"""The check of an option that names a picture to write, before any work is done for it."""

from collections.abc import Callable
from pathlib import Path

import typer

from img2img.atomic_file import is_folder


def in_a_folder(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """A callback that refuses other suffixes, and a folder that does not exist."""

    def check(path: Path | None) -> Path | None:
        if path and (path.suffix.lower() not in suffixes or not is_folder(path.parent) or is_folder(path)):
            kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
            raise typer.BadParameter(f"{path}: give a {kinds} file in a folder that exists")
        return path

    return check
