"""What is said of data that is not there: what was probably meant, or the command that fetches it."""

from pathlib import Path

from img2img.atomic_file import exists, is_folder
from img2img.choices import nearest_choice
from img2img.data.download.catalogue import FETCHABLE
from img2img.data.listing import DIGITS
from img2img.errors import DataError

_DOWNLOADS = Path("datasets")
"""Where `img2img data download` puts a set."""
_SURE = 0.85
"""How alike a name must be to a public set's: a folder of "photos" is none of "ae_photos"."""


def missing_data(name: str) -> DataError:
    """The error for a name that is no folder, no tar file, and no pattern that matches one."""
    return DataError(f"{name}: no such folder or tar file{_advice(name)}")


def _advice(name: str) -> str:
    path = Path(name)
    if near := nearest_choice(name, [DIGITS]) or _near(path) or _downloaded(path):
        return f"; did you mean {near}?"
    sets = [near for part in path.parts if (near := nearest_choice(part, FETCHABLE, alike=_SURE))]
    return f"; `img2img data download {sets[0]}` fetches that set" if sets else ""


def _near(path: Path) -> Path | None:
    """The path with its first part that is not there replaced by the nearest that is."""
    parent = next((folder for folder in path.parents if is_folder(folder)), None)
    if parent is None:
        return None
    word, *below = path.relative_to(parent).parts
    near = nearest_choice(word, _openable(parent))
    return meant if near and exists(meant := parent.joinpath(near, *below)) else None


def _openable(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if is_folder(path) or path.suffix == ".tar"]
    except OSError:  # no permission to look
        return []


def _downloaded(path: Path) -> Path | None:
    return found if not path.is_absolute() and exists(found := _DOWNLOADS / path) else None
