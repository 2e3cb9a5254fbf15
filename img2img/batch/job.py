"""One photo of a batch: as it was found, and where its result goes."""

from dataclasses import dataclass
from pathlib import Path, PurePath

STREAM = Path("-")
"""Standard input as a source, standard output as a target. Compared by identity: `./-` is a file."""


@dataclass(frozen=True)
class Found:
    """A photo, its path below the output folder (with its own suffix still), its file's size and mtime (ns).

    In an archive the size is the photo's own, the mtime that of the archive.
    """

    source: Path
    below: PurePath
    size: int
    mtime: int
    archive: Path | None = None


@dataclass(frozen=True)
class Job:
    """A source and its target; what an object store holds is a UPath, which has a Path's methods.

    A photo in an archive is named as if the archive were a folder, `photos.zip/a.jpg`. Then `archive` is the file, and
    `content` the photo's bytes once they were read. `beside`: its target is named after it, in its own folder.
    """

    source: Path
    target: Path
    archive: Path | None = None
    content: bytes | None = None
    beside: bool = False
