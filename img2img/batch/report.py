"""The record of a batch, one entry a photo, as JSON or CSV; written one by one, so that there may be any number."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from img2img.atomic_file import exists, is_folder, reason_for, why_not_writable, written_at_once
from img2img.batch.outcome import Outcome
from img2img.errors import Img2ImgError, UsageError

COLUMNS = ("source", "target", "status", "seconds", "flags", "error", "score", "width", "height", "bytes")


def check_report(path: Path, *, overwrite: bool = False) -> None:
    """Refuses, before the work, a report that could not be written after it, or would replace what is no report.

    An earlier report is replaced: a folder that is continued has all its photos in the new one. Raises UsageError.
    """
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(f"--report {path}: a report is {' or '.join(_WRITERS)}, name it so")
    if is_folder(path):
        raise UsageError(f"--report {path}: a folder has this name; choose another")
    if not is_folder(path.parent):
        raise UsageError(f"--report {path}: there is no folder {path.parent}; make it first")
    if why := why_not_writable(path.parent):
        raise UsageError(f"--report {path}: {why} in {path.parent}; choose another place")
    if exists(path) and not (overwrite or _is_report(path)):
        raise UsageError(
            f"--report {path}: is there already, and is no report of img2img's; choose another name, or let "
            "--overwrite replace it, along with the results"
        )


def _is_report(path: Path) -> bool:
    """By its beginning, which no other program writes so."""
    start = _STARTS[path.suffix.lower()].encode()
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def write_report(outcomes: Iterable[Outcome], path: Path) -> None:
    """Writes the whole report or nothing. Raises Img2ImgError when it cannot."""
    try:
        with written_at_once(path) as stream:
            for text in _WRITERS[path.suffix.lower()](map(_record, outcomes)):
                # A name that is not Unicode holds lone surrogates; in backslashes, JSON reads them back.
                stream.write(text.encode(errors="backslashreplace"))
    except OSError as error:
        raise Img2ImgError(f"{path}: the report: {reason_for(error, 'written')}") from error


def _record(outcome: Outcome) -> dict[str, Any]:
    target = None if outcome.target is None else str(outcome.target)
    seconds = round(outcome.seconds, 4)
    score = None if outcome.score is None else round(outcome.score, 4)
    told = (str(outcome.source), target, outcome.status, seconds, list(outcome.flags), outcome.error, score)
    return dict(zip(COLUMNS, (*told, outcome.width, outcome.height, outcome.bytes), strict=True))


def _json(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    """The summary comes last, when it is known."""
    counts: Counter[str] = Counter()
    yield _STARTS[".json"]
    for number, record in enumerate(records):
        counts[record["status"]] += 1
        yield ",\n    " if number else "\n    "
        yield json.dumps(record, ensure_ascii=False)
    summary = {status: counts[status] for status in ("done", "failed", "skipped")}
    yield f'\n  ],\n  "summary": {json.dumps(summary)}\n}}\n'


def _csv(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _STARTS[".csv"]
    for record in records:
        yield _csv_line({**record, "flags": ", ".join(record["flags"])}.values())


def _csv_line(values: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


_STARTS = {".json": '{\n  "photos": [', ".csv": _csv_line(COLUMNS)}
_WRITERS: dict[str, Callable[[Iterator[dict[str, Any]]], Iterator[str]]] = {".json": _json, ".csv": _csv}
