"""What one look at an image tells: whether it decodes, its size, its colour, and two fingerprints of its content."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageStat

from img2img.atomic_file import reason_for
from img2img.data.decoding import DecodedImage, decoded_image
from img2img.data.listing import ListedImage
from img2img.errors import DataError

T = TypeVar("T")

THUMBNAIL = 16
# Of 5,589 photos of horses, zebras and everything else, 81 greyscale ones lie below 0.1 (their codec's noise), and
# the palest colour photo at 5.3.
_GREY_ON_AVERAGE = 3.0


@dataclass(frozen=True)
class Content:
    """A decoded image: `digest` of its RGB pixels, `hash` (64 bits) and `thumbnail` (16, 16, 3) of what it shows."""

    size: tuple[int, int]
    grey: bool
    odd: str
    digest: bytes
    hash: int
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True)
class ImageLook:
    """What came of one image: its content, or why there is none."""

    image: ListedImage
    bytes: int
    content: Content | None
    error: str = ""


def look_at(images: Iterable[ListedImage], jobs: int) -> Iterator[ImageLook]:
    """Looks at every image, in order, `jobs` at a time (Pillow decodes outside Python's lock)."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(look, images)


def look(image: ListedImage) -> ImageLook:
    """Decodes an image as training does; never raises for a damaged one."""
    size, content, error = made_of(image, content_of)
    return ImageLook(image, size, content, error)


def made_of(image: ListedImage, make: Callable[[DecodedImage], T]) -> tuple[int, T | None, str]:
    """The file's size in bytes, and what `make` makes of the image, or why that is None; as `look`, never raises."""
    encoded = b""
    try:
        encoded = image.encoded()
        return len(encoded), make(decoded_image(encoded)), ""
    except DataError as error:
        return len(encoded), None, str(error)
    except (OSError, MemoryError) as error:  # the advice is the report's, which gives it once for all
        return len(encoded), None, reason_for(error, "read").rsplit("; ", 1)[0]


def content_of(decoded: DecodedImage) -> Content:
    """What is to be known of a decoded image, which is not kept."""
    rgb = Image.fromarray(decoded.rgb)
    return Content(rgb.size, is_grey(rgb), decoded.oddity, _digest(rgb), difference_hash(rgb), _thumbnail(rgb))


def is_grey(rgb: Image.Image) -> bool:
    """Whether a pixel's largest and smallest channel differ by less than 3 levels on average."""
    red, green, blue = rgb.split()
    brightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    return ImageStat.Stat(ImageChops.subtract(brightest, darkest)).mean[0] < _GREY_ON_AVERAGE


def _digest(rgb: Image.Image) -> bytes:
    return hashlib.sha256(b"%d x %d " % rgb.size + rgb.tobytes()).digest()


def difference_hash(rgb: Image.Image) -> int:
    """64 bits: whether each of 8 x 8 cells is darker than the one to its right (Krawetz's dHash)."""
    cells = np.asarray(rgb.convert("L").resize((9, 8), Image.Resampling.BOX))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def _thumbnail(rgb: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(rgb.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))
