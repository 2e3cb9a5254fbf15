"""The first pass of a batch: every photo found gets its target and its place in the journal, or is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from img2img.atomic_file import leads_elsewhere
from img2img.batch.addresses import fold, is_stored, place
from img2img.batch.in_color import IfColor
from img2img.batch.job import Found
from img2img.batch.journal.resume_rules import JournalEntry, Stamp, decide
from img2img.batch.outcome import Outcome
from img2img.errors import UsageError

_ENTRY = (
    "SELECT source, listed, ran, why_not, size, mtime, settings, status, begun, may_replace, made_size, made_mtime, "
    "score, flags FROM photos WHERE folded = ?"
)
_DUE = """
INSERT INTO photos (folded, target, source, archive, size, mtime, settings, listed, place, may_replace, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'due')
ON CONFLICT (folded) DO UPDATE SET (target, source, archive, size, mtime, settings, listed, place, may_replace, status,
why_not) = (excluded.target, excluded.source, excluded.archive, excluded.size, excluded.mtime, excluded.settings,
excluded.listed, excluded.place, excluded.may_replace, 'due', NULL)
"""
_LEFT_ALONE = """
INSERT INTO photos (folded, target, source, archive, size, mtime, settings, listed, place, why_not, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'skipped')
ON CONFLICT (folded) DO UPDATE SET (source, archive, listed, place, why_not)
= (excluded.source, excluded.archive, excluded.listed, excluded.place, excluded.why_not)
"""
_OVERWRITING = (
    "SELECT photos.source, inputs.source FROM photos JOIN inputs ON photos.folded = inputs.folded "
    "WHERE photos.listed = ? LIMIT 1"
)


@dataclass(frozen=True)
class Registered:
    """How many photos were found: to be converted, left alone for each reason, failed."""

    due: int
    skipped: dict[str, int]
    failed: int


@dataclass
class Register:
    """One listing's way into the journal. `run` and `settings` are the journal's numbers of them."""

    database: sqlite3.Connection
    root: Path
    stamp: Callable[[Path], Stamp | None]
    run: int
    settings: int
    overwrite: bool = False
    least: float = 0.0
    if_color: IfColor | None = None
    leaves_own: bool = False
    watching: bool = False

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._collided: set[bytes] = set()
        self._real_folder = lru_cache(maxsize=256)(os.path.realpath)
        self._elsewhere = lru_cache(maxsize=256)(partial(leads_elsewhere, real_root=os.path.realpath(str(self.root))))
        self._inside = self._name(self.root / "-").removesuffix("-")
        self.database.execute("UPDATE failures SET new = 0")
        self.database.execute("CREATE TEMP TABLE IF NOT EXISTS inputs (folded BLOB, source BLOB)")
        self.database.execute("DELETE FROM inputs")
        (last,) = self.database.execute("SELECT max(place) FROM photos WHERE listed = ?", (self.run,)).fetchone()
        self._place = 0 if last is None else last + 1

    def fail(self, outcome: Outcome) -> None:
        """Keeps it, once."""
        values = _name_bytes(str(outcome.source)), as_bytes(outcome.error or "")
        kept = self.database.execute("INSERT OR IGNORE INTO failures (source, error, new) VALUES (?, ?, 1)", values)
        self._counts["failed"] += kept.rowcount

    def add(self, found: Found, target: Path) -> None:
        if not (_can_be_spelled(str(found.source)) and _can_be_spelled(str(target))):
            self._refuse(found, f"its name cannot be spelled in {sys.getfilesystemencoding()}; set LC_ALL to C.UTF-8")
            return
        if (elsewhere := None if is_stored(target) else self._elsewhere(target.parent)) is not None:
            self._refuse(found, f"{target.parent} is led out of the output folder by a link, to {elsewhere}; remove it")
            return
        folded = self._folded(target)
        self._note_input(found)
        row = self.database.execute(_ENTRY, (folded,)).fetchone()
        entry, listed, ran, why_not = (_entry(row), *row[1:4]) if row else (None, None, None, None)
        again = listed == self.run or folded in self._collided
        if entry and again and not _is_same(found, entry.source):
            self._collide(found, entry.source, target, folded, why_not)
        elif again and not self.watching:
            return  # one photo that two inputs stand for
        elif not (entry and ran == self.run and entry.photo == Stamp(found.size, found.mtime)):
            self._decide(found, target, folded, entry, why_not if again else None)

    def close(self) -> Registered:
        """Raises UsageError where a result would overwrite an input."""
        if hit := self.database.execute(_OVERWRITING, (self.run,)).fetchone():
            result, source = map(os.fsdecode, hit)
            raise UsageError(f"the result of {result} would overwrite the input {source}: name another -o")
        due, failed = self._counts.pop("due", 0), self._counts.pop("failed", 0)
        return Registered(due, dict(+self._counts), failed)

    def _decide(self, found: Found, target: Path, folded: bytes, entry: JournalEntry | None, noted: str | None) -> None:
        """`noted`: why it was left alone a round ago; noted again and again, it would wear out the disk."""
        source = str(found.source)
        decision = decide(
            entry,
            source=source,
            photo=Stamp(found.size, found.mtime),
            settings=self.settings,
            target=self.stamp(target),
            overwrite=self.overwrite,
            least=self.least,
            if_color=self.if_color,
            leaves_own=self.leaves_own,
        )
        if decision.taken and entry:
            self._refuse(found, f"{target} was made from {entry.source}; choose another -o, or --overwrite")
            return
        self._counts[decision.why_not or "due"] += 1
        if noted and decision.why_not == noted:
            return
        below = os.fsencode(str(target.relative_to(self.root)))
        archive = os.fsencode(str(found.archive)) if found.archive else None
        values = folded, below, os.fsencode(source), archive, found.size, found.mtime, self.settings
        last = decision.may_replace if decision.due else decision.why_not
        self.database.execute(_DUE if decision.due else _LEFT_ALONE, (*values, self.run, self._place, last))
        self._place += 1

    def _refuse(self, found: Found, reason: str) -> None:
        self.fail(Outcome(found.source, None, "failed", error=f"{found.source}: {reason}"))

    def _collide(self, found: Found, other: str, target: Path, folded: bytes, noted: str | None) -> None:
        """Neither of the two is converted, since nobody said which; while watching the first, which is done already."""
        first, second = sorted((other, str(found.source)))
        pair = f"{first} and {second} would both become {target}; rename one, or convert them into different folders"
        self._refuse(found, pair)
        if self.watching or folded in self._collided:
            return
        self._collided.add(folded)
        self._counts[noted or "due"] -= 1
        self.database.execute("UPDATE photos SET listed = 0, may_replace = 0 WHERE folded = ?", (folded,))
        self.fail(Outcome(place(other), None, "failed", error=f"{other}: {pair}"))

    def _note_input(self, found: Found) -> None:
        """One that lies in the output folder, where a result may have its name."""
        name = self._name(found.source)
        if name.startswith(self._inside):
            values = self._folded(found.source), os.fsencode(str(found.source))
            self.database.execute("INSERT INTO inputs VALUES (?, ?)", values)

    def _folded(self, path: Path) -> bytes:
        """The name below the output folder where it lies there, so that the folder can be moved."""
        return os.fsencode(self._name(path).removeprefix(self._inside))

    def _name(self, path: Path) -> str:
        """One spelling for all names that some file system takes for one file: case, accents and links."""
        text = str(path)
        return text if "://" in text else fold(f"{self._real_folder(path.parent)}{os.sep}{path.name}")


def _is_same(found: Found, other: str) -> bool:
    """Whether the photo is the one of that name, or of another that leads to the same file."""
    if str(found.source) == other:
        return True
    if found.archive or is_stored(found.source) or "://" in other:
        return False
    try:
        return os.path.samefile(found.source, other)  # noqa: PTH121
    except OSError:
        return False


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    source, _, _, _, size, mtime, settings, status, begun, may_replace, made_size, made_mtime, score, flags = row
    made = made_stamp(made_size, made_mtime)
    told = tuple(json.loads(flags))
    photo = Stamp(size, mtime)
    return JournalEntry(os.fsdecode(source), photo, settings, status, bool(begun), bool(may_replace), made, score, told)


def as_bytes(text: str) -> bytes:
    """For the journal, what is shown of a failure: SQLite's own texts cannot hold a name that is not Unicode."""
    return text.encode(errors="surrogatepass")


def text_of(kept: bytes | str) -> str:
    """What `as_bytes` made bytes of; an older journal has it as text."""
    return kept if isinstance(kept, str) else kept.decode(errors="surrogatepass")


def _name_bytes(name: str) -> bytes:
    return os.fsencode(name) if _can_be_spelled(name) else as_bytes(name)


def _can_be_spelled(name: str) -> bool:
    """Whether the system's file names can have these characters: some system's are ASCII, an archive's are not."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def made_stamp(size: int | None, mtime: int | None) -> Stamp | None:
    """Of these two columns."""
    return None if size is None else Stamp(size, mtime)
