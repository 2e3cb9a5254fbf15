"""batch/journal/held_database.py: a disk without locks is worked on, and what the system says is what is told."""

import errno
import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from img2img.atomic_file import reason_for
from img2img.batch.journal import held_database
from img2img.batch.journal.held_database import connect_held, what_is_wrong
from img2img.batch.journal.journal_file import JOURNAL_NAME, opened_journal
from img2img.errors import Img2ImgError


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


def raising(code: int) -> Any:
    def raise_it(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return raise_it


def held(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS photos (name)")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP])
def test_a_disk_without_locks_is_worked_on_and_that_is_said(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sqlite3.connect

    def without_locks(name: str, **options: Any) -> sqlite3.Connection:
        if "unix-none" not in name:
            raise sqlite_error(sqlite3.SQLITE_BUSY if code == errno.ENOLCK else sqlite3.SQLITE_IOERR_LOCK)
        database: sqlite3.Connection = plain(name, **options)
        return database

    monkeypatch.setattr(sqlite3, "connect", without_locks)
    monkeypatch.setattr(fcntl, "lockf", raising(code))
    path = tmp_path / "100% mine?#.sqlite"
    with pytest.warns(UserWarning, match="no file locks"):
        connect_held(path, held).close()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with closing(plain(path)) as database:
        assert database.execute("SELECT count(*) FROM photos").fetchone() == (0,)


def test_one_that_another_holds_is_busy_and_not_without_locks(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    first = connect_held(path, held)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connect_held(path, held)
    first.close()
    assert what_is_wrong(caught.value, path, busy="wait") == "wait"


@pytest.mark.parametrize(
    "code", [errno.EROFS, errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENAMETOOLONG]
)
@pytest.mark.parametrize("told", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL])
def test_the_systems_own_reason_is_told(code: int, told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_database, "_written", raising(code))
    words = what_is_wrong(sqlite_error(told), tmp_path / "x.sqlite", busy="wait")
    assert words == reason_for(OSError(code, ""), "written")
    assert ("free some space" in str(words)) is (code in (errno.EDQUOT, errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_reasons_differ_from_error_to_error() -> None:
    codes = [errno.EROFS, errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENAMETOOLONG]
    words = {reason_for(OSError(code, os.strerror(code)), done) for code in codes for done in ("read", "written")}
    assert len(words) == len(codes)


def test_a_name_too_long_and_a_folder_in_the_way_are_told(tmp_path: Path) -> None:
    with pytest.raises(Img2ImgError, match="the name is too long"), opened_journal(tmp_path / ("x" * 300)):
        pass
    (tmp_path / JOURNAL_NAME).mkdir()
    with pytest.raises(Img2ImgError, match="a folder, not a file"), opened_journal(tmp_path / JOURNAL_NAME):
        pass


def test_another_programs_database_and_a_link_are_left_as_they_are(tmp_path: Path) -> None:
    other = tmp_path / "albums.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE albums (name)")
        database.execute("PRAGMA user_version = 1")
    database.close()
    before = other.read_bytes()
    with pytest.raises(Img2ImgError, match="not a journal of this version"), opened_journal(other):
        pass
    link = tmp_path / JOURNAL_NAME
    link.symlink_to("albums.db")
    with pytest.raises(Img2ImgError, match="a link; remove it"), opened_journal(link):
        pass
    assert other.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [JOURNAL_NAME, "albums.db"]
