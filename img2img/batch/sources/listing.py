"""The photos that a command's inputs stand for, found one by one, each folder's by name.

Of the entries of one folder 250 bytes each are in memory.

Links to folders are not followed inside a folder, so that no loop and no photo is met twice.
"""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePath

from img2img.atomic_file import reason_for
from img2img.batch.addresses import is_stored, place
from img2img.batch.job import Found
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.archives import is_archive, list_archive
from img2img.batch.sources.hints_beside import HINTS_SUFFIX
from img2img.batch.sources.object_store import list_store
from img2img.batch.sources.passed_over import PassedOver
from img2img.batch.sources.path_list import opened_list, read_paths
from img2img.batch.sources.pattern import Pattern, States, split_pattern
from img2img.photo.formats import PHOTO_SUFFIXES
from img2img.photo.other_files import is_left_out


def list_photos(
    inputs: Iterable[str | Path],
    *,
    recursive: bool = True,
    may_be_empty: bool = False,
    passed_over: PassedOver | None = None,
) -> Iterator[Found | Outcome]:
    """Each photo, and as failures the inputs that are none: missing, unreadable, without photos.

    An input is a photo (whatever its suffix is), a folder, an archive, an address with ://, or a pattern with * ? [ or
    ** where no file has that name. In folders, archives and patterns photos are known by their suffixes, and hidden
    ones are left out, as are folders of thumbnails. `may_be_empty`: a folder or pattern without photos is no failure,
    since some may come yet. `passed_over` is told of all other files.
    """
    passed_over = passed_over or PassedOver()
    for each in map(str, inputs):
        if is_glob(each):
            folder, pattern = split_pattern(Path(each))
            found = _walk(folder, Pattern(pattern), recursive, passed_over)
            yield from found if may_be_empty else _not_empty(found, each, "no photos match")
        else:
            yield from _list_input(each, recursive, may_be_empty, passed_over)


def _list_input(text: str, recursive: bool, may_be_empty: bool, passed_over: PassedOver) -> Iterator[Found | Outcome]:
    """As `list_photos` for one input that is no pattern."""
    path = place(text)
    if is_stored(path):
        yield from list_store(text, recursive, passed_over)
        return
    text = str(path) if "://" in text else text
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        yield failure(path, f"{path}: {reason_for(error, 'read')}")
        return
    if stat.S_ISDIR(found.st_mode):
        photos = _walk(path, Pattern(()), recursive, passed_over)
        yield from photos if may_be_empty else _not_empty(photos, text, "no photos in this folder")
    elif stat.S_ISREG(found.st_mode) and is_archive(path):
        yield from list_archive(path, passed_over)
    else:
        yield _file(path, PurePath(path.name), found)


def is_glob(text: str) -> bool:
    """Whether an input is a pattern: a file that has brackets in its name is none."""
    return "://" not in text and glob.has_magic(text) and not os.path.lexists(text)


def _file(path: Path, below: PurePath, found: os.stat_result) -> Found | Outcome:
    if stat.S_ISREG(found.st_mode):
        return Found(path, below, found.st_size, found.st_mtime_ns)
    return failure(path, f"{path}: {_kind(found.st_mode)}, not a file; name the photos themselves")


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a link to a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"


def _not_empty(found: Iterator[Found | Outcome], text: str, words: str) -> Iterator[Found | Outcome]:
    empty = True
    for each in found:
        empty = False
        yield each
    if empty:
        yield failure(Path(text), f"{text}: {words}; it needs {', '.join(sorted(PHOTO_SUFFIXES))}")


@dataclass(frozen=True)
class _Folder:
    """One that is to be read. `inside`: all photos in it count, since it, or one around it, matched the pattern."""

    path: Path
    below: PurePath
    states: States
    inside: bool


def _walk(top: Path, pattern: Pattern, recursive: bool, passed_over: PassedOver) -> Iterator[Found | Outcome]:
    folders = [_Folder(top, PurePath(), pattern.start, pattern.matched(pattern.start))]
    while folders:
        folder = folders.pop()
        deeper: list[_Folder] = []
        try:
            with os.scandir(folder.path) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name, reverse=True)  # one order on every disk
                while entries:
                    entry = entries.pop()
                    try:
                        yield from _entry(entry, folder, pattern, recursive, deeper, passed_over)
                    except OSError as error:
                        path = folder.path / entry.name
                        yield failure(path, f"{path}: {reason_for(error, 'read')}")
        except OSError as error:
            yield failure(folder.path, f"{folder.path}: the folder cannot be read: {reason_for(error, 'read')}")
        folders += sorted(deeper, key=lambda each: each.path, reverse=True)


def _entry(
    entry: "os.DirEntry[str]",
    folder: _Folder,
    pattern: Pattern,
    recursive: bool,
    deeper: list[_Folder],
    passed_over: PassedOver,
) -> Iterator[Found | Outcome]:
    """The photo that an entry is, if it is one; a folder that is to be read, too, is added to `deeper`."""
    left_out = is_left_out(entry.name)
    if entry.name.startswith(".") and not left_out:
        return
    states = pattern.after(folder.states, entry.name)
    matched = pattern.matched(states)
    if entry.is_dir(follow_symlinks=False):
        inside = matched or (folder.inside and recursive)
        if left_out and (inside or pattern.goes_on(states)):
            passed_over.note_folder(folder.path / entry.name)
        elif inside or pattern.goes_on(states):
            deeper.append(_Folder(folder.path / entry.name, folder.below / entry.name, states, inside))
    elif (matched or folder.inside) and PurePath(entry.name).suffix.lower() in PHOTO_SUFFIXES:
        yield from _photo(entry, folder)
    elif matched and is_archive(Path(entry.name)):
        yield from _archive(entry, folder, passed_over)
    elif (matched or folder.inside) and entry.is_file() and not entry.name.endswith(HINTS_SUFFIX):
        passed_over.note(entry.name)


def _photo(entry: "os.DirEntry[str]", folder: _Folder) -> Iterator[Found | Outcome]:
    path = folder.path / entry.name
    try:
        found = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():  # else it was removed a moment ago
            yield failure(path, f"{path}: a link to a file that does not exist; remove the link or restore the file")
        return
    yield _file(path, folder.below / entry.name, found)


def _archive(entry: "os.DirEntry[str]", folder: _Folder, passed_over: PassedOver) -> Iterator[Found | Outcome]:
    """The photos in an archive that matched a pattern; they land in a folder of its name."""
    path = folder.path / entry.name
    if entry.is_file():
        for each in list_archive(path, passed_over):
            below = folder.below / entry.name
            yield replace(each, below=below / each.below) if isinstance(each, Found) else each


def list_files(
    list_file: str, *, recursive: bool = True, may_be_empty: bool = False, passed_over: PassedOver | None = None
) -> Iterator[Found | Outcome]:
    """The listed photos; their tree is kept below the deepest folder that all share. Listed folders are walked.

    The options are those of `list_photos`. The list is read twice, so that it need not be in memory.
    Raises UsageError where it cannot be read.
    """
    passed_over = passed_over or PassedOver()
    with opened_list(list_file) as stream:
        shared = _shared_folder(read_paths(stream))
        for path in read_paths(stream):
            parts = _parts(path)[shared:]
            for each in _list_input(path, recursive, may_be_empty, passed_over):
                yield replace(each, below=_below(parts, each, path)) if isinstance(each, Found) else each
    if shared is None:
        yield failure(Path(list_file), f"--from-file {list_file}: names no files; write one path a line")


def _below(parts: tuple[str, ...], found: Found, listed: str) -> PurePath:
    """A listed photo's own path; one in a listed folder or archive lies below that."""
    return PurePath(*parts) if str(found.source) == str(place(listed)) else PurePath(*parts, found.below)


def _shared_folder(paths: Iterator[str]) -> int | None:
    """How many parts the paths' folders have in common; None without paths."""
    shared: tuple[str, ...] | None = None
    for path in paths:
        folder = _parts(path)[:-1]
        shared = folder if shared is None else _common(shared, folder)
    return None if shared is None else len(shared)


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _parts(path: str) -> tuple[str, ...]:
    """The absolute path's, without root or drive; an address's, without the protocol."""
    if "://" in path:
        return tuple(part for part in path.split("://", 1)[1].split("/") if part not in ("", ".", ".."))
    return Path(os.path.abspath(path)).parts[1:]  # noqa: PTH100 (resolve() would follow links)
