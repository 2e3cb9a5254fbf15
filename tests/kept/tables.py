"""Things that a file can hold, what becomes of them by looking at it before and after, and tables of that."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from img2img import convert
from img2img.batch.outcome import Outcome

NONE, KEPT, TURNED, NAMED, DROPPED, LOST = "-", "kept", "turned", "named", "dropped", "**lost**"
REFUSED = "refused"
LONG_AGO = 1_000_000_000
"""When every file was written last."""
Files = Mapping[str, bytes]
"""The files of one format, by the name of what they hold: one with all that goes together, others for the rest."""


@dataclass(frozen=True)
class Thing:
    """A row of a table.

    look: what a file says of it, by a reader that is not ours; None where it has none. word: a pattern in the flag
        that names its loss.
    file: which of a format's files has it. turned: what is true of it for pixels that were turned upright.
    becomes: what it has become, in words. stale: it describes the old file, and would be untrue of another.
    """

    name: str
    look: Callable[[Path], Any]
    word: str
    file: str = "all"
    turned: Callable[[Any], Any] = lambda value: value
    becomes: Callable[[Any], str] = str
    stale: bool = False


@dataclass(frozen=True)
class Conversion:
    """A folder of files, converted."""

    sources: Mapping[str, Path]
    outcomes: Mapping[str, Outcome]

    def verdict(self, thing: Thing) -> str:
        """What has become of it, in a cell's words."""
        source = self.sources.get(thing.file)
        before = thing.look(source) if source is not None else None
        if source is None or before is None:
            return NONE
        outcome = self.outcomes[thing.file]
        if outcome.status != "done" or outcome.target is None:
            return REFUSED
        named = any(re.search(thing.word, flag) for flag in outcome.flags)
        after = thing.look(outcome.target)
        if after == before:
            return KEPT
        if after == thing.turned(before):
            return TURNED
        if after is not None:
            return thing.becomes(after) + (f", {NAMED}" if named else "")
        return NAMED if named else DROPPED if thing.stale else LOST


def write_files(folder: Path, suffix: str, files: Files) -> dict[str, Path]:
    """Each under its name in a new folder."""
    folder.mkdir(parents=True)
    paths = {name: folder / f"{name}{suffix}" for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
        os.utime(path, (LONG_AGO, LONG_AGO))
    return paths


def converted(sources: Mapping[str, Path], output: Path, model: Path, **options: Any) -> Conversion:
    """Of photos, as a batch; of what moves, one after another."""
    by_source = {path: name for name, path in sources.items()}
    outcomes = convert(list(sources.values()), f"{output}/", model=model, jobs=1, **options)
    return Conversion(sources, {by_source[outcome.source]: outcome for outcome in outcomes})


def table(columns: Mapping[str, Conversion], things: Sequence[Thing]) -> str:
    """In Markdown, a row for each thing."""
    rows = [(thing.name, *(column.verdict(thing) for column in columns.values())) for thing in things]
    lines = [("", *columns), ("---",) * (len(columns) + 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
