"""An item of training data as `--data` takes it: folder, tar file, pattern for several, or "digits"; and its weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from math import isfinite
from pathlib import Path

from img2img.atomic_file import exists
from img2img.data.listing import DIGITS
from img2img.data.missing_data import missing_data
from img2img.errors import SettingError

Words = Sequence[str | Path]
"""Items as they are given, one after the other."""


@dataclass(frozen=True)
class DataItem:
    """One set of images."""

    name: str
    """A path, a pattern such as photos-*.tar, or the word "digits"."""
    weight: float | None = None
    """Its part of the samples beside the weights of the others; None when nothing was said."""

    def paths(self) -> list[str]:
        """What to open: what the pattern matches, sorted, or the name itself where nothing is matched."""
        if self.name == DIGITS or exists(Path(self.name)):
            return [self.name]
        return _matches(self.name) or [self.name]


def data_item(word: str | Path) -> DataItem:
    """The item that `NAME` or `NAME=WEIGHT` names; a path that is there with an "=" in its name is that path.

    Raises SettingError for a weight that is not a positive number.
    """
    text = str(word)
    name, equals, weight = text.rpartition("=")
    if not (equals and name) or can_be_opened(text) or not (_is_number(weight) or can_be_opened(name)):
        return DataItem(text)
    if not (_is_number(weight) and isfinite(float(weight)) and float(weight) > 0):
        raise SettingError(f"{text}: the weight must be a positive number, as in {name}=2")
    return DataItem(name, float(weight))


def data_paths(words: Words) -> list[Path]:
    """The folders and tar files of all items."""
    return [Path(path) for word in words for path in data_item(word).paths()]


def can_be_opened(name: str) -> bool:
    """Whether there is something to open, by this name as it is or as a pattern."""
    return name == DIGITS or exists(Path(name)) or bool(_matches(name))


def refuse_missing(words: Words) -> None:
    """Raises DataError for the first item that is not there, and SettingError for a weight that cannot be."""
    for item in map(data_item, words):
        if not can_be_opened(item.name):
            raise missing_data(item.name)


def _matches(pattern: str) -> list[str]:
    """Absolute, or a folder "digits" among them would pass for the word."""
    return sorted(str(Path(path).absolute()) for path in glob(pattern))  # noqa: PTH207 (it may start anywhere)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
