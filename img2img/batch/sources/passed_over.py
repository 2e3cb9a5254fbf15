"""The files beside the photos, counted, so that none is passed over in silence."""

from collections import Counter
from pathlib import Path, PurePath

from img2img.atomic_file import files_below
from img2img.photo.formats import PHOTO_SUFFIXES
from img2img.photo.other_files import FILM_SUFFIXES

_NAMED_SUFFIXES = 3


class PassedOver:
    """How many files are films, or no photos at all, and how many photos lie in folders of thumbnails and trash."""

    def __init__(self) -> None:
        self._films = 0
        self._others: Counter[str] = Counter()  # by suffix
        self._left_out: Counter[str] = Counter()  # by the folder's name

    def note(self, name: str) -> None:
        """A file that is taken for no photo by its name."""
        suffix = PurePath(name).suffix.lower()
        if suffix in FILM_SUFFIXES:
            self._films += 1
        else:
            self._others[suffix] += 1

    def note_left_out(self, folder: str, photos: int = 1) -> None:
        """Photos in a folder of that name, or below it."""
        self._left_out[folder] += photos

    def note_folder(self, folder: Path) -> None:
        """All photos in a folder that is left out."""
        self.note_left_out(folder.name, sum(is_photo_name(each.name) for each in files_below(folder)))

    def take(self, other: "PassedOver") -> None:
        """The other's counts in place of its own: those of the last look that came to its end."""
        self._films, self._others, self._left_out = other._films, other._others, other._left_out

    def words(self) -> str:
        """ "12 files are not photos (9 .jp2, 3 .txt), 3 films, 40 photos in @eaDir left out"; empty without any."""
        parts = []
        if others := self._others.total():
            parts.append(f"{_counted(others, 'file is not a photo', 'files are not photos')} ({self._suffixes()})")
        if self._films:
            parts.append(_counted(self._films, "film", "films"))
        if photos := self._left_out.total():
            folders = ", ".join(name for name, count in sorted(self._left_out.items()) if count)
            parts.append(f"{_counted(photos, 'photo', 'photos')} in {folders} left out")
        return ", ".join(parts)

    def _suffixes(self) -> str:
        ordered = sorted(self._others.items(), key=lambda pair: (-pair[1], pair[0] == "", pair[0]))
        common = ordered[:_NAMED_SUFFIXES]
        named = [f"{count:,} {suffix or 'without a suffix'}" for suffix, count in common]
        rest = self._others.total() - sum(count for _, count in common)
        return ", ".join([*named, _counted(rest, "other", "others")] if rest else named)


def is_photo_name(name: str) -> bool:
    """By its suffix; hidden files (macOS leaves `._photo.jpg` beside photo.jpg) are not."""
    return PurePath(name).suffix.lower() in PHOTO_SUFFIXES and not name.startswith(".")


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
