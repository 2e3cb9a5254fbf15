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

from img2img.atomic_file import reason_for
from img2img.errors import ModelError
from img2img.model_file.added_folder import added_folder

_LOCK = ".lock"
_PARTS = ".parts"
_COMING, _REPLACED, _GOING = ".coming", ".replaced", ".going"
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
        """A model's folder with these files, in place of what has its name; complete, or as it was before."""
        coming, target = self._folder / _COMING, self._folder / name
        try:
            coming.mkdir()
            for file, content in files.items():
                (coming / file).write_bytes(content)
            if os.path.lexists(target):
                (self._folder / _REPLACED).mkdir(exist_ok=True)
                target.rename(self._folder / _REPLACED / name)
            coming.rename(target)
        finally:
            self._settle()
        return target

    def remove(self, name: str) -> None:
        try:
            (self._folder / _GOING).mkdir(exist_ok=True)
            (self._folder / name).rename(self._folder / _GOING / name)
        finally:
            self._settle()

    def _settle(self) -> None:
        """Puts a model back whose place stayed empty, and removes what was not to stay."""
        replaced = self._folder / _REPLACED
        for model in replaced.iterdir() if replaced.is_dir() else ():
            if not os.path.lexists(self._folder / model.name):
                model.rename(self._folder / model.name)
        for leftover in (_COMING, _REPLACED, _GOING):
            shutil.rmtree(self._folder / leftover, ignore_errors=True)


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
