"""What a photo is between reading and writing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from img2img.errors import PhotoError
from img2img.photo.decode import decoded
from img2img.photo.jpeg_settings import JpegSettings
from img2img.photo.metadata.provenance import Provenance
from img2img.photo.pixels import Pixels, pillow_image, png_bytes

PngChunks = tuple[tuple[bytes, bytes], ...]
Space = Literal["L", "RGB", "YCbCr"]


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo, upright, with all that came with its pixels.

    pixels: (H, W) where space is "L", else (H, W, 3); uint8 or uint16, C-contiguous. "YCbCr" is JPEG's (full
        range, BT.601), 8 bit only: the JPEG encoder takes it as it is.
    alpha: (H, W), not premultiplied, in the pixels' dtype; None where the photo is opaque.
    icc, exif, xmp: as stored; exif starts with b"Exif\\0\\0", its orientation is 1.
    dpi: across, down. format: Pillow's name of the source's format. lossless: whether a WebP source was.
    png: chunks of a PNG source that say what its numbers mean, and its texts (see png/description.py).
    lost: what came with the picture and could not be kept, in words for "without ...".
    provenance: what the file that is written is to say of how its pixels were made; what the one that was read said of
        that is in its XMP.

    Arrays that are not contiguous are copied. PhotoError for another shape or dtype.
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
    png: PngChunks = ()
    lost: tuple[str, ...] = ()
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        channels = () if self.space == "L" else (3,)
        depths = (np.uint8,) if self.space == "YCbCr" else (np.uint8, np.uint16)
        _check("pixels", self.pixels, self.pixels.shape[:2] + channels, depths)
        object.__setattr__(self, "pixels", np.ascontiguousarray(self.pixels))
        if self.alpha is not None:
            _check("alpha", self.alpha, self.pixels.shape[:2], (self.pixels.dtype,))
            object.__setattr__(self, "alpha", np.ascontiguousarray(self.alpha))

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def to_image(self) -> Image.Image:
        """An 8-bit Pillow image, L, LA, RGB or RGBA, with the metadata in its `info`."""
        image = pillow_image(self.pixels, self.space)
        if self.space == "YCbCr":
            image = image.convert("RGB")
        if self.alpha is not None:
            image.putalpha(pillow_image(self.alpha, "L"))
        info = {"icc_profile": self.icc, "exif": self.exif, "xmp": self.xmp, "dpi": self.dpi}
        image.info.update({key: value for key, value in info.items() if value is not None})
        return image

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return png_bytes(self.to_image())

    @classmethod
    def from_image(cls, image: Image.Image, *, turned: bool = False) -> Photo:
        """The photo in a Pillow image, turned upright as its EXIF says; with `turned` it is upright already.

        Raises UnreadablePhoto.
        """
        return cls(**decoded(image, turned=turned))


def _check(name: str, values: Pixels, shape: tuple[int, ...], depths: Iterable[npt.DTypeLike]) -> None:
    """Raises PhotoError unless the array is of that shape, not empty, and of one of those depths."""
    if values.shape != shape or len(shape) < 2 or 0 in shape or values.dtype not in depths:
        kinds = " or ".join(str(np.dtype(depth)) for depth in depths)
        raise PhotoError(f"{name} of shape {values.shape} and type {values.dtype}: a photo needs {shape} and {kinds}")
