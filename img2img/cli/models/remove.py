"""`img2img models remove`, which asks first: a model's file may be the only one that there is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from img2img.errors import UsageError


def _added_names(incomplete: str) -> list[str]:
    """For the shell."""
    from img2img.model_file.added_folder import added_models

    return [path.stem for path in added_models() if path.stem.startswith(incomplete)]


def remove(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Models that were added.", autocompletion=_added_names),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove models that were added; those that ship with img2img stay.

    Shows the files and asks before it deletes them. Where nobody can be asked, it needs --yes.

    \b
    Exit codes: 0 all were removed, 1 none was, or there is no such model, 2 wrong usage.
    """
    from img2img.model_file.adding.remove import files_of_added, remove_model

    names = list(dict.fromkeys(names))
    files = [path for name in names for path in files_of_added(name)]
    if not yes:
        _ask(files)
    for name in names:
        for path in remove_model(name):
            print(f"removed {path}")


def _ask(files: Sequence[Path]) -> None:
    """Ends the command unless the answer is yes."""
    if not _is_terminal():
        raise UsageError("this deletes files, and there is no terminal to ask on: add --yes")
    for path in files:
        print(path)
    try:
        wanted = typer.confirm(f"Delete {'this file' if len(files) == 1 else f'these {len(files)} files'}?")
    except typer.Abort:  # Ctrl-C, or the end of what is typed
        raise typer.Exit(130) from None
    if not wanted:
        print("nothing was removed")
        raise typer.Exit(1)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
