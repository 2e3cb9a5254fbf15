"""One photo to convert: where it is and where its result goes."""

from dataclasses import dataclass
from pathlib import Path

STREAM = Path("-")
"""Standard input as a source, standard output as a target. Compared by identity: `./-` is a file."""


@dataclass(frozen=True)
class Job:
    """A source and its target; what an object store holds is a UPath, which has a Path's methods.

    A photo in an archive is named as if the archive were a folder, `photos.zip/a.jpg`. Then `archive` is the file, and
    `content` the photo's bytes once they were read.
    """

    source: Path
    target: Path
    archive: Path | None = None
    content: bytes | None = None


def place(text: str) -> Path:
    """The Path, or for an address with :// the UPath, that `str` made this text of. See `object_store.address_of`."""
    if "://" not in text:
        return Path(text)
    from img2img.batch.object_store import address_of

    return address_of(text)
