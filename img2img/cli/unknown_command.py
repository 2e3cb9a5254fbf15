"""What is said to a word where a command was expected."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from img2img.errors import UsageError


def unknown_command(words: Sequence[str], commands: Collection[str], *, called: str = "command") -> UsageError:
    """`words` begin with the one that is none of the commands. A photo's name is taken for a photo's."""
    import shlex
    from pathlib import Path

    from img2img.choices import meant_or_all
    from img2img.conversion.unquoted import unquoted_name
    from img2img.photo.formats import PHOTO_SUFFIXES

    word = words[0]
    if "colorize" in commands:
        if (name := unquoted_name(words)) and " ".join(words).startswith(name):
            words = [word := name, *words[len(name.split(" ")) :]]
        if Path(word).suffix.lower() in PHOTO_SUFFIXES or Path(word).is_dir():
            return UsageError(f"{word!r}: say what to do with it, such as: img2img colorize {shlex.join(words)}")
    return UsageError(f"no {called} is called {word!r}; {meant_or_all(word, commands)}")
