"""SQLite files that one process holds, also on disks without locks, and what the system has against one."""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from img2img.atomic_file import reason_for

_PROBED = 2**18  # bytes
_OF_THE_SYSTEM = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_OF_LOCKS = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}


def connect_held(path: Path, hold: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """The database after `hold`, which takes its lock; closed when that raises.

    Where the disk has no locks, as some shares have none, it is held without one, and a warning says so. Raises
    sqlite3.Error; `what_is_wrong` puts it in words.
    """
    try:
        return _connected(str(path), hold)
    except sqlite3.OperationalError as error:
        missing = _missing_locks(path.parent) if _code(error) in _OF_LOCKS else None
        if missing is None:
            raise
    database = _connected(f"file:{quote(os.fsencode(path.absolute()))}?vfs=unix-none", hold, uri=True)
    warnings.warn(
        f"{path.parent}: this disk has no file locks ({missing.strerror}): see to it that no other img2img writes here",
        stacklevel=2,
    )
    return database


def what_is_wrong(error: sqlite3.Error, path: Path, *, busy: str) -> str | None:
    """One line, with what to do: `busy` where another process holds it; None where its content is wrong."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy
    if code not in _OF_THE_SYSTEM:
        return None
    if found := _system_error(path):
        return reason_for(found, "written")
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full; free some space and run it again"
    if code == sqlite3.SQLITE_READONLY:
        return f"it cannot be written to ({error}); choose another place"
    return f"the disk does not take it ({error}); choose another place"


def _connected(name: str, hold: Callable[[sqlite3.Connection], None], *, uri: bool = False) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=0, isolation_level=None, check_same_thread=False, uri=uri)
    try:
        hold(database)
    except BaseException:
        database.close()
        raise
    return database


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _system_error(path: Path) -> OSError | None:
    """What the system says when one does what SQLite did, of which SQLite tells one word; None where all goes well."""
    try:
        if os.path.lexists(path):
            path.open("r+b").close()
        else:
            path.lstat()
    except FileNotFoundError:
        pass  # it could be made
    except OSError as error:
        return error
    return _tried(path.parent, _written)


def _missing_locks(folder: Path) -> OSError | None:
    """What the system says to a lock on a new file, which nobody else can hold; None where it locks."""
    return _tried(folder, _locked)


def _tried(folder: Path, action: Callable[[BinaryIO], None]) -> OSError | None:
    probe = folder / f".{os.urandom(6).hex()}.part"
    try:
        with probe.open("xb") as stream:
            action(stream)
    except OSError as error:
        return error
    finally:
        with suppress(OSError):
            probe.unlink()
    return None


def _written(stream: BinaryIO) -> None:
    stream.write(bytes(_PROBED))
    stream.flush()
    os.fsync(stream.fileno())


def _locked(stream: BinaryIO) -> None:
    try:
        import fcntl
    except ImportError:  # Windows, whose disks have locks
        return
    fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
