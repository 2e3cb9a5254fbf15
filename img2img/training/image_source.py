"""Where training images come from: folders of files and tar shards, as one numbered list of encoded images."""

import tarfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from img2img.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


class ImageSource(ABC):
    """Encoded images, each with a name that says where it lies."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str: ...

    @abstractmethod
    def encoded(self, index: int) -> bytes: ...


class FolderSource(ImageSource):
    """All images below a folder, in the order of their paths."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(path for path in folder.rglob("*") if _is_image(path.name))

    def __len__(self) -> int:
        return len(self._files)

    def name(self, index: int) -> str:
        return str(self._files[index])

    def encoded(self, index: int) -> bytes:
        return self._files[index].read_bytes()


class TarSource(ImageSource):
    """The images of a plain tar file, read in place; only their offsets are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with tarfile.open(path, "r:") as tar:
                self._members = [
                    (member.name, member.offset_data, member.size)
                    for member in tar
                    if member.isfile() and _is_image(PurePosixPath(member.name).name)
                ]
        except tarfile.TarError as error:
            raise DataError(f"{path}: not an uncompressed tar file ({error}); give a folder or a .tar") from error

    def __len__(self) -> int:
        return len(self._members)

    def name(self, index: int) -> str:
        return f"{self._path}:{self._members[index][0]}"

    def encoded(self, index: int) -> bytes:
        _, offset, size = self._members[index]
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(size)


class JoinedSource(ImageSource):
    """Several sources as one, in the order given."""

    def __init__(self, sources: Sequence[ImageSource]) -> None:
        self._sources = sources
        self._ends = np.cumsum([len(source) for source in sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def _place(self, index: int) -> tuple[ImageSource, int]:
        which = int(np.searchsorted(self._ends, index, side="right"))
        return self._sources[which], index - int(self._ends[which] - len(self._sources[which]))

    def name(self, index: int) -> str:
        source, place = self._place(index)
        return source.name(place)

    def encoded(self, index: int) -> bytes:
        source, place = self._place(index)
        return source.encoded(place)


def _is_image(name: str) -> bool:
    """By its suffix; hidden files (macOS leaves `._photo.jpg` beside photo.jpg) are not."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def open_source(paths: Sequence[Path]) -> ImageSource:
    """Folders and tar files as one source; raises DataError when one is missing or the whole is empty."""
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: no such folder or tar file")
    sources = [FolderSource(path) if path.is_dir() else TarSource(path) for path in paths]
    joined = JoinedSource(sources)
    if not sources or not len(joined):
        raise DataError(f"{', '.join(map(str, paths))}: no images in there ({', '.join(IMAGE_SUFFIXES)})")
    return joined


def decode_rgb(source: ImageSource, index: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, upright; raises DataError with the image's name when it cannot be read."""
    encoded = np.frombuffer(source.encoded(index), np.uint8)
    try:
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # empty, or more pixels than OpenCV takes
        decoded = None
    if decoded is None:
        raise DataError(f"{source.name(index)}: not a readable image; remove it from the training data")
    return np.asarray(decoded, np.uint8)
