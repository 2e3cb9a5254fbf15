"""The folder of added models in the hands of one process, in which a model appears, is replaced and goes as a whole."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from img2img.atomic_file import is_folder, reason_for
from img2img.errors import ModelError
from img2img.model_file.added_folder import added_folder

_LOCK = ".lock"
_PARTS = ".parts"
_COMING, _READY, _GOING = ".coming", ".ready", ".going"
_PAUSE = 0.1

_log = logging.getLogger(__name__)


class HeldFolder:
    """The folder while no other process changes it. What a killed process left half done is settled first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settle()

    def part(self, key: str) -> Path:
        """Where the bytes of a transfer gather, which the next one goes on with."""
        (self._folder / _PARTS).mkdir(exist_ok=True)
        return self._folder / _PARTS / f"{key}.part"

    def put(self, name: str, files: Mapping[str, bytes]) -> Path:
        """A model's folder with these files and no others, in place of what has its name; all of them, or as before.

        From the moment in which all are written (the rename to `.ready`), whoever holds the folder next goes on with
        it. A name that was there stays there all the while, and opens: see `_move_in`.
        """
        coming, ready, target = self._folder / _COMING, self._folder / _READY, self._folder / name
        try:
            coming.mkdir()
            for file, content in files.items():
                (coming / file).write_bytes(content)
            ready.mkdir()
            coming.rename(ready / name)
        finally:
            self._settle()
        self._remove_others(target, files)
        return target

    def remove(self, name: str) -> None:
        try:
            self._put_aside(self._folder / name)
        finally:
            self._settle()

    def _settle(self) -> None:
        """Moves in what is ready, and removes what was not to stay."""
        ready = self._folder / _READY
        for model in ready.iterdir() if ready.is_dir() else ():
            self._move_in(model, self._folder / model.name)
        for leftover in (_COMING, _READY, _GOING):
            shutil.rmtree(self._folder / leftover, ignore_errors=True)

    def _move_in(self, model: Path, target: Path) -> None:
        """File by file, for no system renames a folder onto one that has files: there would be a moment without.

        What serves the model goes first and the model last: a card is never there before the files that it names. Until
        then the old card may find a new way back or critic, which opens as well. What only the old card named goes
        after that (`_remove_others`). A link, and whatever else is no folder of ours, is replaced as a whole.
        """
        files = sorted(model.iterdir(), key=lambda file: file.stem == model.name)
        if not target.is_dir() or target.is_symlink() or any(is_folder(target / file.name) for file in files):
            if os.path.lexists(target):
                self._put_aside(target)
            model.rename(target)
            return
        for file in files:
            file.replace(target / file.name)

    def _remove_others(self, target: Path, files: Mapping[str, bytes]) -> None:
        """Where a kill prevents it they stay, and serve nobody: no card names them, and directions know their model."""
        names = {name.casefold() for name in files}  # on a disk that ignores case, a file keeps the name it had
        for other in target.iterdir():
            if other.name.casefold() not in names:
                self._put_aside(other)
        shutil.rmtree(self._folder / _GOING, ignore_errors=True)

    def _put_aside(self, path: Path) -> None:
        (self._folder / _GOING).mkdir(exist_ok=True)
        path.rename(self._folder / _GOING / path.name)


@contextmanager
def held_folder() -> Iterator[HeldFolder]:
    """Made where it is not there; waits while another process holds it. ModelError where the disk has no room or right.

    Reading needs no lock: a model is there as a whole or not at all.
    """
    folder = added_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("ab") as stream:
            _wait_for(stream, folder)
            yield HeldFolder(folder)
    except OSError as error:
        why = f"{error.filename or folder}: {reason_for(error, 'written')}"
        raise ModelError(f"{why}; IMG2IMG_HOME=DIR names another place for added models") from error


def _wait_for(stream: BinaryIO, folder: Path) -> None:
    if _locked(stream):
        return
    _log.info("waiting for another img2img that changes %s", folder)
    while not _locked(stream):
        time.sleep(_PAUSE)


def _locked(stream: BinaryIO) -> bool:
    """Takes the lock, which the system frees at the process's end however it ends; False while another has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
