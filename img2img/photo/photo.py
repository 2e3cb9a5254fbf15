"""What a photo is between reading and writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Space = Literal["L", "RGB", "YCbCr"]
Pixels = NDArray[Any]
STRIP_PIXELS = 1 << 16  # what is worked on in a strip of them stays in a core's second-level cache


@dataclass(frozen=True)
class JpegSettings:
    """How the source JPEG was encoded.

    tables: quantisation tables as Pillow's `qtables`: luma, chroma (or Cb, Cr); one where all share it.
    subsampling: of the chroma, as Pillow counts: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0; 2 for a grey source.
    iptc: captions and credits as news agencies write them (IPTC-IIM), as stored among Photoshop's resources.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int = 2
    progressive: bool = False
    comment: bytes | None = None
    iptc: bytes | None = None


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo, upright, with all that came with its pixels.

    pixels: (H, W) where space is "L", else (H, W, 3); uint8 or uint16, C-contiguous. "YCbCr" is JPEG's (full
        range, BT.601), 8 bit only: the JPEG encoder takes it as it is.
    alpha: (H, W), not premultiplied, in the pixels' dtype; None where the photo is opaque.
    icc, exif, xmp: as stored; exif starts with b"Exif\\0\\0", its orientation is 1.
    dpi: across, down. format: Pillow's name of the source's format. lossless: whether a WebP source was.
    """

    pixels: Pixels
    space: Space
    alpha: Pixels | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"
    jpeg: JpegSettings | None = None
    lossless: bool = False

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def to_image(self) -> Image.Image:
        """An 8-bit Pillow image, L, LA, RGB or RGBA, with the metadata in its `info`."""
        from img2img.photo.encode import image_of

        return image_of(self)

    @classmethod
    def from_image(cls, image: Image.Image) -> Photo:
        """The photo in a Pillow image, turned upright as its EXIF says; raises UnreadablePhoto."""
        from img2img.photo.decode import photo_of_image

        return photo_of_image(image)


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture in runs of about STRIP_PIXELS pixels."""
    step = max(1, STRIP_PIXELS // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def in_strips(work: Callable[[slice], None], height: int, width: int, *, threads: int) -> None:
    """Do the work on the rows of each strip of a picture; where it is large, on several at a time."""
    if threads > 1 and height * width > 4 * STRIP_PIXELS:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, strips(height, width)))
    else:
        for rows in strips(height, width):
            work(rows)


def as_8_bit(values: Pixels) -> NDArray[np.uint8]:
    """uint8 as they are; uint16 divided by 257 and rounded, in strips."""
    if values.dtype == np.uint8:
        return values
    result = np.empty(values.shape, np.uint8)
    for rows in strips(*values.shape[:2]):
        result[rows] = (values[rows].astype(np.uint32) + 128) // 257
    return result
