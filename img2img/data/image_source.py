"""Where training images come from: folders, tar shards and bundled digits, as one numbered list of images."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from img2img.atomic_file import reason_for
from img2img.data.decoding import decoded_image
from img2img.data.image_sets import WeightedSet, ranges
from img2img.data.listing import ListedImage, list_source
from img2img.errors import DataError


class ImageSource(ABC):
    """Images, each with a name that says where it lies, and with a label where the source has classes."""

    classes: tuple[str, ...] = ()
    """Names of the classes, sorted: a label is a place in here. Empty when the images carry none."""
    sets: tuple[WeightedSet, ...] = ()
    """What the images consist of when weights share out the samples; empty when each image counts alike."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str: ...

    def inside(self, index: int) -> str:
        """The image's path within the folder or the tar file that it comes from, with slashes."""
        return self.name(index)

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The image as a file's content; raises DataError when it cannot be read."""

    def label(self, index: int) -> int | None:
        """Number of the image's class; None when the source has no classes."""
        return None

    def rgb(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB, upright; raises DataError with the image's name when it cannot be read."""
        encoded = self.encoded(index)
        try:
            return decoded_image(encoded).rgb
        except DataError as error:
            advice = "remove it from the training data"
            raise DataError(f"{self.name(index)}: not a readable image ({error}); {advice}") from error


class FolderSource(ImageSource):
    """All images below a folder, in the order of their paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = [image.path for image in list_source(folder).images]  # little to send to loader processes
        self.classes = _top_folders(path.relative_to(folder) for path in self._files)

    def __len__(self) -> int:
        return len(self._files)

    def name(self, index: int) -> str:
        return str(self._files[index])

    def inside(self, index: int) -> str:
        return self._files[index].relative_to(self._folder).as_posix()

    def encoded(self, index: int) -> bytes:
        return _content(ListedImage(self.name(index), "", self._files[index]))

    def label(self, index: int) -> int | None:
        return _label(self.classes, self._files[index].relative_to(self._folder))


class TarSource(ImageSource):
    """The images of a plain tar file, read in place; only their offsets are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members = [
            (image.name.removeprefix(f"{path}:"), image.offset, image.size) for image in list_source(path).images
        ]
        self.classes = _top_folders(PurePosixPath(name) for name, _, _ in self._members)

    def __len__(self) -> int:
        return len(self._members)

    def name(self, index: int) -> str:
        return f"{self._path}:{self._members[index][0]}"

    def inside(self, index: int) -> str:
        return str(PurePosixPath(self._members[index][0]))

    def encoded(self, index: int) -> bytes:
        _, offset, size = self._members[index]
        return _content(ListedImage(self.name(index), "", self._path, offset, size))

    def label(self, index: int) -> int | None:
        return _label(self.classes, PurePosixPath(self._members[index][0]))


class JoinedSource(ImageSource):
    """Several sources as one, in the order given; classes of one name are one class."""

    def __init__(self, sources: Sequence[ImageSource], sets: tuple[WeightedSet, ...] = ()) -> None:
        self._sources, self.sets = sources, sets
        self._ends = np.cumsum([len(source) for source in sources])
        if all(source.classes for source in sources):
            self.classes = tuple(sorted({name for source in sources for name in source.classes}))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def _place(self, index: int) -> tuple[ImageSource, int]:
        which = int(np.searchsorted(self._ends, index, side="right"))
        return self._sources[which], index - int(self._ends[which] - len(self._sources[which]))

    def name(self, index: int) -> str:
        source, place = self._place(index)
        return source.name(place)

    def inside(self, index: int) -> str:
        source, place = self._place(index)
        return source.inside(place)

    def encoded(self, index: int) -> bytes:
        source, place = self._place(index)
        return source.encoded(place)

    def label(self, index: int) -> int | None:
        source, place = self._place(index)
        label = source.label(place) if self.classes else None
        return None if label is None else bisect_left(self.classes, source.classes[label])

    def rgb(self, index: int) -> NDArray[np.uint8]:
        source, place = self._place(index)
        return source.rgb(place)


class Subset(ImageSource):
    """Some images of a source, in the order of their numbers there."""

    def __init__(self, source: ImageSource, indices: Sequence[int]) -> None:
        self._source, self._indices = source, sorted(indices)
        self.classes = source.classes
        ends = [bisect_left(self._indices, images.stop) for images in ranges(one.images for one in source.sets)]
        kept = (end - before for before, end in pairwise([0, *ends]))
        self.sets = tuple(one._replace(images=images) for one, images in zip(source.sets, kept, strict=True) if images)

    def __len__(self) -> int:
        return len(self._indices)

    def name(self, index: int) -> str:
        return self._source.name(self._indices[index])

    def inside(self, index: int) -> str:
        return self._source.inside(self._indices[index])

    def encoded(self, index: int) -> bytes:
        return self._source.encoded(self._indices[index])

    def label(self, index: int) -> int | None:
        return self._source.label(self._indices[index])

    def rgb(self, index: int) -> NDArray[np.uint8]:
        return self._source.rgb(self._indices[index])


def _content(image: ListedImage) -> bytes:
    try:
        return image.encoded()
    except OSError as error:
        raise DataError(f"{image.name}: {reason_for(error, 'read')}, or remove it from the training data") from error


def _top_folders(paths: Iterable[PurePath]) -> tuple[str, ...]:
    """Classes as in torchvision's ImageFolder: the first-level folders by name, when two or more hold every image."""
    parts = [path.parts for path in paths]
    names = {first for first, *_ in parts}
    return tuple(sorted(names)) if len(names) > 1 and all(len(part) > 1 for part in parts) else ()


def _label(classes: Sequence[str], path: PurePath) -> int | None:
    return bisect_left(classes, path.parts[0]) if classes else None
