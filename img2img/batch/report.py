"""The record of a batch, one entry a photo, as JSON or CSV."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from img2img.atomic_file import why_not, write_at_once
from img2img.batch.outcome import Outcome
from img2img.errors import Img2ImgError, UsageError

COLUMNS = ("source", "target", "status", "seconds", "flags", "error", "score")


def check_report(path: Path) -> None:
    """Refuses, before the work, a report that could not be written after it. Raises UsageError."""
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(f"--report {path}: a report is {' or '.join(_WRITERS)}, name it so")
    if not path.parent.is_dir():
        raise UsageError(f"--report {path}: there is no folder {path.parent}; make it first")


def write_report(outcomes: Iterable[Outcome], path: Path) -> None:
    """Writes the whole report or nothing. Raises Img2ImgError when it cannot."""
    text = _WRITERS[path.suffix.lower()]([_record(outcome) for outcome in outcomes])
    try:
        # A name that is not Unicode holds lone surrogates; in backslashes, JSON reads them back.
        write_at_once(path, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise Img2ImgError(f"{path}: the report: {why_not(error, 'written')}") from error


def _record(outcome: Outcome) -> dict[str, Any]:
    target = None if outcome.target is None else str(outcome.target)
    seconds = round(outcome.seconds, 4)
    score = None if outcome.score is None else round(outcome.score, 4)
    values = (str(outcome.source), target, outcome.status, seconds, list(outcome.flags), outcome.error, score)
    return dict(zip(COLUMNS, values, strict=True))


def _json(records: Sequence[dict[str, Any]]) -> str:
    counts = Counter(record["status"] for record in records)
    summary = {status: counts[status] for status in ("done", "failed", "skipped")}
    return json.dumps({"summary": summary, "photos": records}, indent=2, ensure_ascii=False) + "\n"


def _csv(records: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows({**record, "flags": ", ".join(record["flags"])} for record in records)
    return text.getvalue()


_WRITERS: dict[str, Callable[[Sequence[dict[str, Any]]], str]] = {".json": _json, ".csv": _csv}
