"""Hints in files beside the photos: those for photo.jpg are in photo.hints.json.

Photos in archives and object stores have none: their files would have to be sought one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from img2img.atomic_file import exists
from img2img.batch.addresses import is_stored
from img2img.batch.job import STREAM, Found, Job
from img2img.batch.outcome import Outcome
from img2img.errors import Img2ImgError, UnreadablePhoto
from img2img.steering.hints import Hint
from img2img.steering.hints_file import read_hints

HINTS_SUFFIX = ".hints.json"


def hints_path(photo: Path) -> Path:
    """Of one stem, a.jpg and a.png have one."""
    return photo.with_name(photo.stem + HINTS_SUFFIX)


def hints_beside(job: Job) -> tuple[Hint, ...]:
    """Those for the job's photo; none without a file. Raises UnreadablePhoto for a damaged one, with its name."""
    if job.source is STREAM or job.archive or is_stored(job.source):
        return ()
    path = hints_path(job.source)
    if not exists(path):
        return ()
    try:
        return read_hints(path)
    except Img2ImgError as error:
        raise UnreadablePhoto(str(error)) from error


def with_hints_beside(found: Iterable[Found | Outcome]) -> Iterator[Found | Outcome]:
    """Where a photo has hints, its size and time are those of both files: other hints make it another photo."""
    for each in found:
        yield _stamped(each) if isinstance(each, Found) else each


def _stamped(found: Found) -> Found:
    if found.archive or is_stored(found.source) or not found.size:
        return found
    try:
        hints = hints_path(found.source).stat()
    except OSError:
        return found
    return replace(found, size=found.size + hints.st_size, mtime=max(found.mtime, hints.st_mtime_ns))
