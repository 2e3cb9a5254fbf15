"""Options that take one of a few words: the help lists them, the shell completes them, an error names the nearest."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import typer

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
