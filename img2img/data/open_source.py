"""Training images opened as one source, by what `--data` names."""

from collections.abc import Sequence
from glob import escape, has_magic
from pathlib import Path

from img2img.atomic_file import exists, is_folder
from img2img.data.data_item import data_item
from img2img.data.digits import DigitsSource
from img2img.data.image_sets import weighted_sets
from img2img.data.image_source import FolderSource, ImageSource, JoinedSource, TarSource
from img2img.data.listing import DIGITS, IMAGE_SUFFIXES
from img2img.data.missing_data import missing_data
from img2img.errors import DataError


def open_source(data: Sequence[str | Path]) -> ImageSource:
    """Folders, tar files, patterns for several and the word "digits", with or without weights, as one source.

    A folder of that name is given with its parent: its absolute path. Raises DataError when one is missing or all is
    empty, SettingError for a weight that cannot be.
    """
    items = [data_item(word) for word in data]
    opened = [[_open_one(path) for path in item.paths()] for item in items]
    sources = [source for of_item in opened for source in of_item]
    if not sum(map(len, sources)):
        raise DataError(f"{', '.join(map(str, data))}: no images in there ({', '.join(IMAGE_SUFFIXES)})")
    sets = weighted_sets(items, [sum(map(len, of_item)) for of_item in opened])
    return sources[0] if len(sources) == 1 else JoinedSource(sources, sets)


def _open_one(item: str) -> ImageSource:
    if item == DIGITS:
        return DigitsSource()
    path = Path(item)
    if not exists(path):
        raise missing_data(item)
    return FolderSource(path) if is_folder(path) else TarSource(path)


def from_anywhere(item: str | Path) -> str:
    """What opens the same data from any working folder: the absolute path or pattern, or the word; with its weight."""
    name = data_item(item).name
    return _absolute(name) + str(item).removeprefix(name)


def _absolute(name: str) -> str:
    if name == DIGITS:
        return name
    if has_magic(name) and not Path(name).exists():
        return str(Path(escape(str(Path.cwd()))) / name)
    return str(Path(name).resolve())
