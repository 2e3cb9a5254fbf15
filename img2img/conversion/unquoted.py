"""A name with spaces that the shell took apart, for nobody put quotes around it."""

from collections.abc import Sequence
from pathlib import Path

from img2img.atomic_file import exists

_LONGEST = 8  # words of one name


def unquoted_name(words: Sequence[str]) -> str | None:
    """The file or folder that some neighbouring words together name, where the first of them is not there itself."""
    for first, word in enumerate(words):
        if exists(Path(word)):
            continue
        for end in range(first + 2, min(first + _LONGEST, len(words)) + 1):
            if exists(Path(name := " ".join(words[first:end]))):
                return name
    return None
