"""The images of folders and tar shards, found by the same rules as for training, and the files that are passed over."""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from img2img.atomic_file import why_not
from img2img.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class ListedImage:
    """An image that has not been read yet: a whole file, or `size` bytes of a tar from `offset` on."""

    name: str
    group: str
    path: Path
    offset: int = 0
    size: int | None = None

    def encoded(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(-1 if self.size is None else self.size)


@dataclass
class Listing:
    """`images` in the order in which training numbers them, and the names of the other files."""

    images: list[ListedImage] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def list_images(sources: Sequence[Path]) -> Listing:
    """All files below folders and in uncompressed tar files; hidden ones are left out.

    An image's group is its first-level folder, "." for one that lies in none. Raises DataError for a source that
    is neither.
    """
    listing = Listing()
    for source in sources:
        if source.is_dir():
            _list_folder(source, listing)
        else:
            _list_tar(source, listing)
    return listing


def is_image(name: str) -> bool:
    """By its suffix; hidden files (macOS leaves `._photo.jpg` beside photo.jpg) are not."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def _list_folder(folder: Path, listing: Listing) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        if is_image(path.name):
            listing.images.append(ListedImage(str(path), _group(path.relative_to(folder)), path))
        elif not path.name.startswith("."):
            listing.others.append(str(path))


def _list_tar(path: Path, listing: Listing) -> None:
    try:
        with tarfile.open(path, "r:") as tar:
            members = [member for member in tar if member.isfile()]
    except tarfile.TarError as error:
        raise DataError(f"{path}: not an uncompressed tar file ({error}); give a folder or a .tar") from error
    except OSError as error:
        raise DataError(f"{path}: {why_not(error, 'read')}") from error
    for member in members:
        inside = PurePosixPath(member.name)
        name = f"{path}:{member.name}"
        if is_image(inside.name):
            listing.images.append(ListedImage(name, _group(inside), path, member.offset_data, member.size))
        elif not inside.name.startswith("."):
            listing.others.append(name)


def _group(inside: PurePath) -> str:
    return inside.parts[0] if len(inside.parts) > 1 else "."
