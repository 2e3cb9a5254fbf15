"""Options of several commands, and how an option is made that takes one of a few words, or a picture to write."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from img2img.atomic_file import is_folder
from img2img.choices import one_of


def choice_option(kind: Any, *names: str, help: str, hidden: bool = False) -> Any:
    """The option of a value that is one of `kind`, a Literal of texts: Typer's own suggests nothing."""
    choices = get_args(kind)
    return typer.Option(
        *names,
        help=help,
        hidden=hidden,
        metavar=listed(choices),
        autocompletion=completion(choices),
        parser=_reader(choices),
    )


def listed(choices: Sequence[str]) -> str:
    """As the help shows them, in the place of a value."""
    return "|".join(choices)


def completion(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """For the shell."""
    return lambda incomplete: [each for each in choices if each.startswith(incomplete)]


def _reader(choices: Sequence[str]) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in choices:
            raise typer.BadParameter(f"{word!r}: give {one_of(word, choices)}")
        return word

    return read


_Device = Literal["auto", "cpu", "cuda"]
Device = Annotated[_Device, choice_option(_Device, help="Where the model runs; auto takes a GPU if it can be used.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
Redraw = Annotated[
    bool,
    typer.Option("--overwrite", help="Also replace a file that this command did not write."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def in_a_folder(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """A callback for a picture to write, before any work is done for it: refuses other suffixes and missing folders."""

    def check(path: Path | None) -> Path | None:
        if path and (path.suffix.lower() not in suffixes or not is_folder(path.parent) or is_folder(path)):
            kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}" if len(suffixes) > 1 else suffixes[0]
            raise typer.BadParameter(f"{path}: give a {kinds} file in a folder that exists")
        return path

    return check


def seed_option(help: str) -> Any:
    """The option of a seed: more than 64 bits is nothing that PyTorch takes, and below 0 nothing for NumPy."""
    return typer.Option(help=help, callback=_seed)


def _seed(seed: int | None) -> int | None:
    if seed is not None and not 0 <= seed < 2**64:
        raise typer.BadParameter(f"{seed}: give a number from 0 to {2**64 - 1}")
    return seed
