"""The journal's file: a SQLite database that one process holds at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from img2img.atomic_file import exists, reason_for
from img2img.batch.journal.held_database import connect_held, what_is_wrong
from img2img.errors import Img2ImgError

JOURNAL_NAME = ".img2img-journal.sqlite"
_VERSION = 1

_TABLES = """
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,
    folded BLOB NOT NULL UNIQUE,     -- the target's name as a file system that ignores case would compare it
    target BLOB NOT NULL,            -- below the output folder
    source BLOB NOT NULL,
    archive BLOB,
    size INTEGER NOT NULL,           -- of the source, and its mtime in ns
    mtime INTEGER NOT NULL,
    settings INTEGER NOT NULL,
    status TEXT NOT NULL,            -- due, done, skipped or failed
    begun INTEGER NOT NULL DEFAULT 0,
    may_replace INTEGER NOT NULL DEFAULT 0,
    why_not TEXT,                    -- why it was not due in its last listing
    listed INTEGER NOT NULL,         -- the run that listed it last
    place INTEGER NOT NULL,          -- in that listing
    ran INTEGER,                     -- the run that converted it last
    seconds REAL, flags TEXT NOT NULL DEFAULT '[]', error BLOB, score REAL, width INTEGER, height INTEGER,
    made_size INTEGER, made_mtime INTEGER
);
CREATE INDEX in_order ON photos (listed, place);
CREATE TABLE settings (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
-- What could not be registered in the last run, new in its last listing.
CREATE TABLE failures (source BLOB NOT NULL, error BLOB NOT NULL, new INTEGER NOT NULL, UNIQUE (source, error));
CREATE TABLE runs (id INTEGER PRIMARY KEY);
"""


@contextmanager
def opened_journal(path: Path, *, copy_of: Path | None = None) -> Iterator[sqlite3.Connection]:
    """The database, made with its folder where there is none; held until the block ends.

    Raises Img2ImgError when another process holds it, it is no such file, or it fails within the block; `copy_of`: the
    journal that the error then names. When the block raises before any photo was begun or may be replaced, nothing of
    it stays.
    """
    named = copy_of or path
    if path.name == JOURNAL_NAME and os.path.islink(path):  # noqa: PTH114
        raise Img2ImgError(f"{path}: a link; remove it, or name the file that it leads to with --journal")
    made = _make_folders(path.parent)
    try:
        database = connect_held(path, _hold)
    except sqlite3.Error as error:
        _remove_folders(made)
        raise Img2ImgError(f"{named}: {reason(error, path)}") from error
    try:
        yield database
    except BaseException as error:
        unused = _is_unused(database)
        database.close()
        if unused:
            _remove(path)
            _remove_folders(made)
        if isinstance(error, sqlite3.Error):
            raise Img2ImgError(f"{named}: {reason(error, path)}") from error
        raise
    finally:
        database.close()


def is_full(error: sqlite3.OperationalError) -> bool:
    """Whether the disk could not take what was written: it is full, or the file may not grow."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _hold(database: sqlite3.Connection) -> None:
    # Exclusive: two runs into one folder would undo each other's work. A write-ahead log is one short write a
    # commit; what it had not reached the disk in a power cut is converted again.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    is_new = _is_new(database)  # before anything is written: it may be another program's
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("BEGIN IMMEDIATE")
    if is_new:
        for statement in _TABLES.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {_VERSION}")
    database.execute("COMMIT")


def _is_new(database: sqlite3.Connection) -> bool:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        return True
    if version != _VERSION or not tables >= {"photos", "settings", "failures", "runs"}:
        raise sqlite3.DatabaseError("not a journal of this version of img2img")
    return False


def reason(error: sqlite3.Error, path: Path) -> str:
    """What is wrong with the journal, and what to do."""
    busy = "another img2img is writing into this folder; wait for it, or choose another -o"
    wrong = what_is_wrong(error, path, busy=busy)
    if wrong == busy:
        return busy
    if wrong:
        return f"the journal cannot be written: {wrong}, or put it elsewhere with --journal FILE"
    advice = "give another --journal; or remove it, if it is img2img's, and what exists already will be left alone"
    return f"the journal cannot be used ({error}): {advice}"


def _make_folders(folder: Path) -> list[Path]:
    """Those that were not there, innermost first."""
    missing = []
    for each in (folder, *folder.parents):
        if exists(each):
            break
        missing.append(each)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Img2ImgError(f"{folder}: this folder cannot be made: {reason_for(error, 'written')}") from error
    return missing


def _remove_folders(folders: list[Path]) -> None:
    with suppress(OSError):
        for each in folders:
            each.rmdir()


def _is_unused(database: sqlite3.Connection) -> bool:
    with suppress(sqlite3.Error):
        if database.in_transaction:
            database.execute("ROLLBACK")
        return database.execute("SELECT 1 FROM photos WHERE begun OR may_replace OR ran NOT NULL").fetchone() is None
    return False


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            Path(f"{path}{ending}").unlink()
