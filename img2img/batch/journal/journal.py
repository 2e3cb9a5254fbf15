"""The journal of a batch: what is to be converted and what came of it, in a SQLite file beside the results.

A first pass registers every photo, a second converts from the register, so that memory does not grow with their
number. A process that is killed loses nothing but the photos in flight: each is noted before it is begun, and when it
is done.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from img2img.atomic_file import remove_leftovers
from img2img.batch.addresses import is_stored, place
from img2img.batch.in_color import IfColor
from img2img.batch.job import Found, Job
from img2img.batch.journal.journal_file import is_full, opened_journal
from img2img.batch.journal.register import Register, Registered, as_bytes, made_stamp, text_of
from img2img.batch.journal.resume_rules import Stamp, in_the_way
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.object_store import status_of

_AT_A_TIME = 64
_NEXT = (
    "SELECT id, place, target, source, archive, may_replace, made_size, made_mtime FROM photos "
    "WHERE listed = ? AND place > ? AND status = 'due' AND why_not IS NULL ORDER BY place LIMIT ?"
)
_RECORD = """
UPDATE photos SET status = ?, begun = 0, may_replace = 0, why_not = NULL, ran = ?, seconds = ?, flags = ?, error = ?,
score = ?, width = ?, height = ?, made_size = coalesce(?, made_size), made_mtime = coalesce(?, made_mtime) WHERE id = ?
"""
_OUTCOMES = """
SELECT id, source, target, status, coalesce(ran, 0) = listed AS ran_now, why_not, seconds, flags, error, score, width,
height, made_size FROM photos WHERE listed = ? AND NOT (status = 'due' AND why_not IS NULL) ORDER BY place
"""


class Journal:
    """The journal of the results below `root`. Made by `open`; used by one thread at a time."""

    def __init__(self, database: sqlite3.Connection, root: Path, stamp: Callable[[Path], Stamp | None]) -> None:
        self._database, self._root, self._stamp = database, root, stamp
        self._run = 0
        self._in_flight: dict[Path, int] = {}
        self._unsaved: dict[int, tuple[Outcome, Stamp | None]] = {}  # with what was at the target then
        self._handing_out = False

    @classmethod
    @contextmanager
    def open(
        cls,
        path: Path,
        *,
        root: Path,
        stamp: Callable[[Path], Stamp | None] | None = None,
        copy_of: Path | None = None,
    ) -> Iterator[Journal]:
        """The journal in a file, held until the block ends; Img2ImgError when another process holds it.

        `stamp` says what is at a target, `stamp_of` by default. What a killed process left half-written is removed,
        unless this is a `copy_of` the journal.
        """
        with opened_journal(path, copy_of=copy_of) as database:
            journal = cls(database, root, stamp or stamp_of)
            if copy_of is None:
                journal._remove_leftovers()
            try:
                yield journal
            finally:
                journal._save()

    def register(
        self,
        found: Iterable[Found | Outcome],
        target_of: Callable[[Found], Path],
        *,
        settings: dict[str, Any],
        overwrite: bool = False,
        least: float = 0.0,
        if_color: IfColor | None = None,
        leaves_own: bool = False,
        watching: bool = False,
    ) -> Registered:
        """Decides for each photo found whether it is due (`resume_rules.decide`), and keeps the failures among them.

        `settings`: all that results depend on beside the photo. Two photos that would become one file are
        failures both; while `watching`, when photos are registered time and again in one run, the second. UsageError,
        and nothing kept, when a result would overwrite an input.
        """
        with self._transaction():
            if not (watching and self._run):
                self._run = self._new_run()
            number = self._settings(settings)
            register = Register(
                self._database,
                self._root,
                self._stamp,
                self._run,
                number,
                overwrite=overwrite,
                least=least,
                if_color=if_color,
                leaves_own=leaves_own,
                watching=watching,
            )
            for each in found:
                if isinstance(each, Outcome):
                    register.fail(each)
                else:
                    register.add(each, target_of(each))
            return register.close()

    def failures(self) -> Iterator[Outcome]:
        """What could not be registered, last time."""
        for source, error in self._database.execute("SELECT source, error FROM failures WHERE new"):
            yield failure(_path(source), text_of(error))

    def due(self) -> Iterator[Job | Outcome]:
        """The photos to convert, in their order, each noted as begun; whoever takes one must `record` what came of it.

        An Outcome, recorded already, where somebody put or changed a file at the target meanwhile: it is left alone.
        """
        self._handing_out = True
        last = -1
        while rows := self._database.execute(_NEXT, (self._run, last, _AT_A_TIME)).fetchall():
            for number, last, target, source, archive, may_replace, *made in rows:  # noqa: B007
                job = Job(_path(source), self._root / os.fsdecode(target), _path(archive) if archive else None)
                self._in_flight[job.target] = number
                stays = None if may_replace else in_the_way(self._stamp(job.target), made_stamp(*made))
                if stays:
                    yield self.record(Outcome(job.source, job.target, "skipped", flags=(stays,)))
                else:
                    self._save(begun=number)
                    yield job
        self._handing_out = False
        self._save()

    def sample(self, most: int) -> Iterator[Job]:
        """At most so many of the photos that are due, evenly spread, none of them noted as begun."""
        due = "FROM photos WHERE listed = ? AND status = 'due' AND why_not IS NULL"
        (count,) = self._database.execute(f"SELECT count(*) {due}", (self._run,)).fetchone()
        one = f"SELECT target, source, archive {due} ORDER BY place LIMIT 1 OFFSET ?"
        for number in range(min(most, count)):
            row = self._database.execute(one, (self._run, number * count // min(most, count))).fetchone()
            target, source, archive = row
            yield Job(_path(source), self._root / os.fsdecode(target), _path(archive) if archive else None)

    def replaced(self) -> Iterator[tuple[Path, str]]:
        """What lies at the targets of photos that may replace anything, and is not as we wrote it; and what it is."""
        rows = "SELECT target, made_size, made_mtime FROM photos WHERE listed = ? AND may_replace AND NOT begun"
        for target, *made in self._database.execute(f"{rows} AND status = 'due' ORDER BY place", (self._run,)):
            path = self._root / os.fsdecode(target)
            if stays := in_the_way(self._stamp(path), made_stamp(*made)):
                yield path, stays

    def record(self, outcome: Outcome) -> Outcome:
        """Notes what came of a job: with the next one that is handed out, since each note costs a transaction.

        On a full disk, as soon as there is room.
        """
        if outcome.target in self._in_flight:
            made = self._stamp(outcome.target) if outcome.status == "done" and outcome.target else None
            self._unsaved[self._in_flight.pop(outcome.target)] = outcome, made
            if not self._handing_out:
                self._save()
        return outcome

    def outcomes(self) -> Iterator[Outcome]:
        """What came of every photo of this run: those left alone as skipped; those not yet reached left out."""
        for source, error in self._database.execute("SELECT source, error FROM failures"):
            yield failure(_path(source), text_of(error))
        rows = self._database.cursor()
        rows.row_factory = sqlite3.Row
        for row in rows.execute(_OUTCOMES, (self._run,)):
            if row["id"] not in self._unsaved:
                yield self._outcome(row)
        yield from (outcome for outcome, _ in self._unsaved.values())

    def results(self) -> Iterator[Path]:
        """All that was made, in any run, below the root, sorted."""
        self._save()
        made = "SELECT target FROM photos WHERE made_size IS NOT NULL ORDER BY target"
        return (Path(os.fsdecode(target)) for (target,) in self._database.execute(made))

    def _outcome(self, row: sqlite3.Row) -> Outcome:
        status, seconds, flags = row["status"], row["seconds"] or 0.0, json.loads(row["flags"])
        error = text_of(row["error"]) if row["error"] is not None else None
        if not row["ran_now"] or row["why_not"]:
            status, seconds, error, flags = "skipped", 0.0, None, dict.fromkeys((row["why_not"], *flags))
        where = _path(row["source"]), self._root / os.fsdecode(row["target"])
        measured = row["score"], row["width"], row["height"], row["made_size"]
        return Outcome(*where, status, seconds, tuple(flags), error, *measured)

    def _save(self, *, begun: int | None = None) -> None:
        """Notes what is not saved yet, and one more photo as begun; what the disk does not take waits."""
        try:
            with self._transaction():
                for number, (outcome, made) in self._unsaved.items():
                    self._database.execute(_RECORD, self._record_values(number, outcome, made))
                if begun is not None:
                    self._database.execute("UPDATE photos SET begun = 1 WHERE id = ?", (begun,))
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
        else:
            self._unsaved.clear()

    def _record_values(self, number: int, outcome: Outcome, made: Stamp | None) -> tuple[Any, ...]:
        size, mtime = (made.size, made.mtime) if made else (None, None)
        error = None if outcome.error is None else as_bytes(outcome.error)
        told = json.dumps(outcome.flags), error, outcome.score, outcome.width, outcome.height
        return outcome.status, self._run, outcome.seconds, *told, size, mtime, number

    def _settings(self, settings: dict[str, Any]) -> int:
        text = json.dumps(settings, sort_keys=True)
        self._database.execute("INSERT OR IGNORE INTO settings (text) VALUES (?)", (text,))
        return int(self._database.execute("SELECT id FROM settings WHERE text = ?", (text,)).fetchone()[0])

    def _new_run(self) -> int:
        self._database.execute("DELETE FROM failures")
        return int(self._database.execute("INSERT INTO runs DEFAULT VALUES").lastrowid or 0)

    def _remove_leftovers(self) -> None:
        if is_stored(self._root):  # where nothing is half-written, and a listing may be of millions
            return
        begun = self._database.execute("SELECT target FROM photos WHERE begun")
        names = sorted((os.fsdecode(target) for (target,) in begun), key=os.path.dirname)
        for folder, inside in groupby(names, key=os.path.dirname):
            remove_leftovers(self._root / folder, map(os.path.basename, inside))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise


def stamp_of(path: Path) -> Stamp | None:
    """What is at a path, None for nothing and for an empty file, which is no result.

    Raises UnreadablePhoto where an object store does not say.
    """
    try:
        found = status_of(path) if is_stored(path) else path.stat()
    except OSError:
        return None
    return Stamp(found.st_size, _nanoseconds(found)) if found and found.st_size else None


def _nanoseconds(found: os.stat_result) -> int:
    return getattr(found, "st_mtime_ns", None) or round(float(found.st_mtime) * 1e9)  # an object store has no ns


def _path(name: bytes) -> Path:
    return place(os.fsdecode(name))
