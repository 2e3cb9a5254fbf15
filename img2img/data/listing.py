"""The images of folders and tar shards, found by the same rules as for training, and the files that are passed over."""

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from img2img.atomic_file import files_below, is_folder, reason_for
from img2img.errors import DataError
from img2img.photo.other_files import left_out_among

DIGITS = "digits"
"""What training takes for the digits that come with img2img, and for no folder."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class ListedImage:
    """An image that has not been read yet: a whole file, or `size` bytes of a tar from `offset` on."""

    name: str
    inside: str
    """Its path within the folder or the tar file that was listed, with slashes."""
    path: Path
    offset: int = 0
    size: int | None = None

    @property
    def group(self) -> str:
        """The first-level folder, "." for an image that lies in none."""
        first, slash, _ = self.inside.partition("/")
        return first if slash else "."

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
    """All files of the sources, each once, however many folders, links and names of a source lead to it."""
    listings = [list_source(source) for source in sources]
    images = [image for listing in listings for image in listing.images]
    others = [name for listing in listings for name in listing.others]
    return Listing(_each_once(images), list(dict.fromkeys(others)))


def list_source(source: Path) -> Listing:
    """All files below a folder or in an uncompressed tar file; hidden ones are left out, thumbnails are `others`.

    Raises DataError for a source that is neither.
    """
    listing = Listing()
    if is_folder(source):
        _list_folder(source, listing)
    else:
        _list_tar(source, listing)
    return listing


def _each_once(images: Sequence[ListedImage]) -> list[ListedImage]:
    """Listed twice, a file would pass for its own duplicate. Of a link and what it leads to, the latter stays."""
    real = {path: os.path.realpath(path) for path in {image.path for image in images}}
    kept: dict[tuple[str, int], ListedImage] = {}
    for image in images:
        place = real[image.path], image.offset
        if place in kept:
            if not kept[place].path.is_symlink() or image.path.is_symlink():
                continue
            del kept[place]
        kept[place] = image
    return list(kept.values())


def is_image(name: str) -> bool:
    """By its suffix; hidden files (macOS leaves `._photo.jpg` beside photo.jpg) are not."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def _list_folder(folder: Path, listing: Listing) -> None:
    for path in sorted(files_below(folder)):
        inside = path.relative_to(folder)
        if is_image(path.name) and not left_out_among(inside.parts[:-1]):
            listing.images.append(ListedImage(str(path), inside.as_posix(), path))
        elif not path.name.startswith("."):
            listing.others.append(str(path))


def _list_tar(path: Path, listing: Listing) -> None:
    if str(path) == DIGITS and not path.exists():
        raise DataError(f"{DIGITS}: these come with img2img and need no check; give a folder of images or a .tar")
    try:
        with tarfile.open(path, "r:") as tar:
            members = [member for member in tar if member.isfile()]
    except tarfile.TarError as error:
        raise DataError(f"{path}: not an uncompressed tar file ({error}); give a folder or a .tar") from error
    except OSError as error:
        raise DataError(f"{path}: {reason_for(error, 'read')}") from error
    for member in members:
        inside = PurePosixPath(member.name)
        name = f"{path}:{member.name}"
        if is_image(inside.name) and not left_out_among(inside.parts[:-1]):
            listing.images.append(ListedImage(name, str(inside), path, member.offset_data, member.size))
        elif not inside.name.startswith("."):
            listing.others.append(name)
