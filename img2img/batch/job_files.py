"""A job's photo read from wherever it is, and its result written to wherever it goes."""

import os
import sys
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

from img2img.atomic_file import is_folder, reason_for, write_at_once
from img2img.batch.addresses import is_stored
from img2img.batch.job import STREAM, Job
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.sources.object_store import read_object, write_object
from img2img.errors import UnreadablePhoto, UnwritablePhoto
from img2img.photo import Photo, read_photo, write_photo
from img2img.photo.formats import format_of_suffix, output_suffix, sniff_format

Times = tuple[int, int]


def with_stream_read(job: Job) -> Job:
    """With the photo on standard input, which can be read once, as its content."""
    return replace(job, content=sys.stdin.buffer.read()) if job.source is STREAM else job


def read_job(job: Job, options: PhotoOptions) -> Photo:
    """Raises UnreadablePhoto."""
    read = partial(read_photo, max_pixels=options.max_pixels, first_frame=options.first_frame)
    if job.content is not None:
        return read(BytesIO(job.content), name="standard input" if job.source is STREAM else str(job.source))
    if is_stored(job.source):
        return read(BytesIO(read_object(job.source)), name=str(job.source))
    return read(job.source)


def write_job(photo: Photo, job: Job, options: PhotoOptions) -> tuple[int | None, tuple[str, ...]]:
    """The size of what was written, where it can be told, and what of the photo it does not hold.

    Raises UnwritablePhoto, and BrokenPipeError where a reader closed standard output.
    """
    if job.target is STREAM:
        encoded = BytesIO()
        chosen = None if options.format == "same" else format_of_suffix(output_suffix(job.source, options.format))
        lost = write_photo(photo, encoded, format=chosen, quality=options.quality)
        _print_bytes(encoded)
        return encoded.getbuffer().nbytes, lost
    if is_stored(job.target):
        return _upload(photo, job.target, options)
    _make_folder(job.target.parent)
    lost = write_photo(photo, job.target, quality=options.quality)
    return size_of(job.target), lost


def size_of(target: Path) -> int | None:
    """Of a file, in bytes; None where somebody took it away already."""
    try:
        return target.stat().st_size
    except OSError:
        return None


def copy_job(photo: Photo, job: Job, options: PhotoOptions) -> tuple[int | None, tuple[str, ...]]:
    """The photo's own file at the target, to the byte where that has its format; the rest as `write_job`."""
    content = _content(job)
    kind = format_of_suffix(job.target.suffix) if job.target is not STREAM else None
    wanted = sniff_format(content[:32]) if options.format == "same" and kind is None else kind
    if options.quality is not None or wanted != sniff_format(content[:32]):
        return write_job(photo, job, options)
    if job.target is STREAM:
        _print_bytes(BytesIO(content))
    elif is_stored(job.target):
        write_object(job.target, content)
    else:
        _make_folder(job.target.parent)
        try:
            write_at_once(job.target, content)
        except OSError as error:
            raise UnwritablePhoto(f"{job.target}: {reason_for(error, 'written')}") from error
    return len(content), ()


def _content(job: Job) -> bytes:
    if job.content is not None:
        return job.content
    try:
        return read_object(job.source) if is_stored(job.source) else job.source.read_bytes()
    except OSError as error:
        raise UnreadablePhoto(f"{job.source}: {reason_for(error, 'read')}") from error


def times_of(job: Job) -> Times | None:
    """When the photo was last read and changed, in ns; of one in an archive, the archive. None where nobody knows."""
    source = job.archive or job.source
    if job.source is STREAM or is_stored(source):
        return None
    try:
        found = source.stat()
    except OSError:  # the reading says what is wrong
        return None
    return found.st_atime_ns, found.st_mtime_ns


def set_times(target: Path, times: Times | None) -> None:
    """Raises UnwritablePhoto."""
    if times is None or target is STREAM or is_stored(target):
        return
    try:
        os.utime(target, ns=times)
    except FileNotFoundError:  # somebody took it away already
        return
    except OSError as error:
        raise UnwritablePhoto(f"{target}: its times: {reason_for(error, 'written')}") from error


def _upload(photo: Photo, target: Path, options: PhotoOptions) -> tuple[int, tuple[str, ...]]:
    encoded = BytesIO()
    try:
        lost = write_photo(
            photo, encoded, format=format_of_suffix(target.suffix) or target.suffix[1:] or None, quality=options.quality
        )
    except UnwritablePhoto as error:
        raise UnwritablePhoto(f"{target}: {str(error).removeprefix('the stream: ')}") from error
    write_object(target, encoded.getvalue())
    return encoded.getbuffer().nbytes, lost


def _print_bytes(encoded: BytesIO) -> None:
    # Unbuffered, so that nothing is left over that would fail a second time when Python exits.
    stdout = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    remaining = encoded.getbuffer()
    try:
        while remaining:
            remaining = remaining[stdout.write(remaining) :]
    except BrokenPipeError:  # the reader has had enough: not a failed photo
        raise
    except OSError as error:
        raise UnwritablePhoto(f"standard output: {reason_for(error, 'written')}") from error


def _make_folder(folder: Path) -> None:
    if is_folder(folder):  # a tenth of the time that it takes to be told by mkdir
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePhoto(f"{folder}: this folder cannot be made: {reason_for(error, 'written')}") from error
