"""Photos in .zip and .tar files: listed, then read forward once, so that only the contents in flight are in memory."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePath

from img2img.atomic_file import reason_for
from img2img.batch.job import Found, Job
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.passed_over import PassedOver
from img2img.errors import UnreadablePhoto
from img2img.photo.formats import PHOTO_SUFFIXES

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_TWICE = "in the archive twice, the first was taken; unpack the archive to see both"
_CHANGED = "no longer where it was in the archive; run it again"


def is_archive(path: Path) -> bool:
    """By its name."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def list_archive(path: Path, passed_over: PassedOver | None = None) -> Iterator[Found | Outcome]:
    """The photos in an archive, in its order, and as failures those that cannot be read, and what is damaged of it.

    Photos are known by their suffixes; hidden ones are left out, as are folders of thumbnails. `passed_over` is told of
    all other files.
    """
    from img2img.batch.sources.archive_photos import photos_in

    names: set[int] = set()  # hashes, since names would need three times the memory
    try:
        mtime = path.stat().st_mtime_ns
        for photo in photos_in(path, passed_over):
            source = Path(f"{path}/{photo.inside}")
            refusal = _TWICE if hash(photo.inside) in names else photo.refusal
            names.add(hash(photo.inside))
            if refusal:
                yield failure(source, f"{source}: {refusal}")
            else:
                yield Found(source, PurePath(photo.inside), photo.size, mtime, archive=path)
    except OSError as error:
        yield failure(path, f"{path}: {reason_for(error, 'read')}")
    except UnreadablePhoto as error:
        yield failure(path, f"{path}: {error}")
    else:
        if not names:
            yield failure(path, f"{path}: no photos in this archive; it needs {', '.join(sorted(PHOTO_SUFFIXES))}")


def with_contents(jobs: Iterable[Job | Outcome]) -> Iterator[Job | Outcome]:
    """The jobs, those in archives with their contents, or as a failure where there is none.

    An archive's jobs come one after the other, in the order of `list_archive`; some may be left out. An Outcome among
    the jobs comes as it is, in its place.
    """
    in_archive: Path | None = None

    def archive_of(each: Job | Outcome) -> Path | None:
        """An Outcome's is the one before: a new reader would begin at the archive's start."""
        nonlocal in_archive
        in_archive = each.archive if isinstance(each, Job) else in_archive
        return in_archive

    for archive, group in groupby(jobs, key=archive_of):
        if archive is None:
            yield from group
            continue
        with closing(_ForwardReader(archive)) as reader:
            yield from (reader.filled(each) if isinstance(each, Job) else each for each in group)


class _ForwardReader:
    """Finds photos in an archive from its start to its end."""

    def __init__(self, archive: Path) -> None:
        from img2img.batch.sources.archive_photos import photos_in

        self._archive = archive
        self._photos = photos_in(archive)
        self._lost = ""  # why nothing that follows can be found

    def close(self) -> None:
        self._photos.close()

    def filled(self, job: Job) -> Job | Outcome:
        try:
            return replace(job, content=self._content(job.source.relative_to(self._archive).as_posix()))
        except UnreadablePhoto as error:
            return Outcome(job.source, job.target, "failed", error=f"{job.source}: {error}")

    def _content(self, name: str) -> bytes:
        photo = None
        if not self._lost:
            try:
                photo = next((each for each in self._photos if each.inside == name), None)
                self._lost = "" if photo else _CHANGED
            except UnreadablePhoto as error:
                self._lost = str(error)
        if photo is None:
            raise UnreadablePhoto(self._lost)
        return photo.read()
