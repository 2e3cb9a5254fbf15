"""TIFF files: 8 bits through Pillow, 16 bits through tifffile, metadata from the file's own directory.

Which it is stands in the first directory, read before any pixel. tifffile decodes no LZW by itself; Pillow's
libtiff does, and is asked twice: for the upper, then for the lower byte of each sample.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import check_size, profiled, upright
from img2img.photo.image_info import turned_dpi, valid_dpi
from img2img.photo.metadata.exif import ORIENTATION, exif_of_tiff
from img2img.photo.metadata.tiff_directory import Directory, Header, read_directory, read_header
from img2img.photo.metadata.upright import upright_exif
from img2img.photo.metadata.xmp import upright_xmp
from img2img.photo.photo import Photo
from img2img.photo.pixels import Pixels
from img2img.photo.tiff.stale import true_directory

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_SAMPLES, _PLANAR, _X_RESOLUTION, _Y_RESOLUTION, _UNIT = 277, 284, 282, 283, 296
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _XMP, _ICC = 338, 339, 700, 34675
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _CMYK = 0, 1, 2, 5
_ASSOCIATED, _UNASSOCIATED = 1, 2
_LZW = 5
_SAMPLE_KINDS = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex numbers"}


@dataclass(frozen=True)
class _Page:
    """The first directory of a file, its tags as numbers."""

    header: Header
    directory: Directory

    def numbers(self, tag: int, *default: int) -> tuple[float, ...]:
        entry = self.directory.entries.get(tag)
        return entry.numbers(self.header.order) if entry is not None else default

    def number(self, tag: int, default: int) -> int:
        """A whole number, or the default."""
        entry = self.directory.entries.get(tag)
        number = entry.whole(self.header.order) if entry is not None else None
        return default if number is None else number

    def bytes(self, tag: int) -> bytes | None:
        entry = self.directory.entries.get(tag)
        return entry.data if entry is not None else None

    @property
    def side(self) -> int:
        side = self.number(ORIENTATION, 1)
        return side if 1 <= side <= 8 else 1

    @property
    def bits(self) -> int:
        return int(max(self.numbers(_BITS, 1)))


def read_tiff(stream: BinaryIO, max_pixels: int, first_frame: bool) -> Photo:
    header = read_header(stream)
    page = _Page(header, read_directory(stream, header, header.first))
    size = page.number(_WIDTH, 0), page.number(_HEIGHT, 0)
    check_size(size, max_pixels)
    if not first_frame and _has_more_pages(stream, page):
        raise UnreadablePhoto("several pages; --first-frame takes the first, or split the file")
    _check_samples(page)
    # 16-bit CMYK goes through Pillow: it becomes 8-bit sRGB.
    deep = page.bits == 16 and page.number(_PHOTOMETRIC, 1) != _CMYK
    photo = _deep_photo(stream, page) if deep else _shallow_photo(stream)
    side = page.side
    directory, lost = true_directory(page.directory, side)
    return replace(
        photo,
        exif=upright_exif(exif_of_tiff(stream, header, directory), side, size),
        xmp=upright_xmp(page.bytes(_XMP), side),
        dpi=turned_dpi(_dpi(page), side),
        format="TIFF",
        lost=lost,
    )


def _has_more_pages(stream: BinaryIO, page: _Page) -> bool:
    """Whether a further directory is a picture of its own, not a thumbnail or a level of a pyramid."""
    seen, at = set[int](), page.directory.next
    while at and at not in seen:
        seen.add(at)
        try:
            further = _Page(page.header, read_directory(stream, page.header, at))
        except ValueError:
            return False
        if not further.number(_SUBFILE, 0) & 1:
            return True
        at = further.directory.next
    return False


def _check_samples(page: _Page) -> None:
    kind = page.number(_SAMPLE_FORMAT, 1)
    if page.bits > 8 and kind in _SAMPLE_KINDS:
        raise UnreadablePhoto(
            f"its samples are {_SAMPLE_KINDS[kind]}, black and white unknown; save it with 8 or 16 bits"
        )
    if page.bits not in (1, 2, 4, 8, 16):
        raise UnreadablePhoto(f"{page.bits} bits per sample; save it with 8 or 16")
    if page.bits == 16 and page.number(_PHOTOMETRIC, 1) not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _CMYK):
        raise UnreadablePhoto("16 bits in a colour space other than grey or RGB; save it as RGB or with 8 bits")


def _shallow_photo(stream: BinaryIO) -> Photo:
    """Through Pillow, which turns a TIFF upright as it loads it."""
    with _opened(stream) as image:
        return Photo.from_image(image, turned=True)


def _opened(stream: BinaryIO) -> TiffImageFile:
    """Memory for its pixels is given to it here: Pillow would ask its own limit of megapixels first."""
    stream.seek(0)
    image = TiffImageFile(stream)
    image.im = Image.new(image.mode, image._tile_size).im
    return image


def _deep_photo(stream: BinaryIO, page: _Page) -> Photo:
    side = page.side
    if page.number(_COMPRESSION, 1) == _LZW:
        samples, side = _samples_by_pillow(stream, page), 1
    else:
        samples = _samples_by_tifffile(stream)
    pixels, alpha = _split(samples, page)
    pixels, icc = profiled(upright(pixels, side), page.bytes(_ICC))
    upright_alpha = None if alpha is None else upright(alpha, side)
    return Photo(pixels, "L" if pixels.ndim == 2 else "RGB", upright_alpha, icc)


def _split(samples: Pixels, page: _Page) -> tuple[Pixels, Pixels | None]:
    """Pixels that are black at 0, not premultiplied; alpha where an extra sample says that it is one."""
    kind = page.number(_PHOTOMETRIC, _MIN_IS_BLACK)
    colors = 3 if kind == _RGB else 1
    pixels = samples[..., :3] if colors == 3 else samples[..., 0]
    if kind == _MIN_IS_WHITE:
        pixels = 65535 - pixels
    extra = page.number(_EXTRA_SAMPLES, _UNASSOCIATED)
    if samples.shape[2] == colors or extra not in (_ASSOCIATED, _UNASSOCIATED):
        return pixels, None
    alpha = samples[..., colors]
    return (_unmultiplied(pixels, alpha) if extra == _ASSOCIATED else pixels), alpha


def _unmultiplied(pixels: Pixels, alpha: Pixels) -> Pixels:
    opacity = np.maximum(alpha, 1).astype(np.uint32).reshape(*alpha.shape, *[1] * (pixels.ndim - 2))
    values: Pixels = np.minimum((pixels * np.uint32(65535) + opacity // 2) // opacity, 65535)
    return values.astype(np.uint16)


def _samples_by_tifffile(stream: BinaryIO) -> Pixels:
    """(H, W, samples) uint16, as stored."""
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        page = file.pages[0]
        try:
            values = page.asarray()
        except Exception as error:
            # Which kind is raised for a codec that is not installed differs from codec to codec.
            if not isinstance(error, ImportError) and "imagecodecs" not in str(error):
                raise
            raise UnreadablePhoto(
                "16 bits in a compression that cannot be read; save it with LZW, deflate or none"
            ) from error
        values = np.moveaxis(values, 0, -1) if page.axes.startswith("S") else values
    values = np.asarray(values).astype(np.uint16, copy=False)
    return values if values.ndim == 3 else values[..., None]


def _samples_by_pillow(stream: BinaryIO, page: _Page) -> Pixels:
    """(H, W, samples) uint16, turned upright, of grey, RGB and RGBA in one plane."""
    if page.number(_SAMPLES, 1) == 2 or page.number(_PLANAR, 1) == 2:
        raise UnreadablePhoto("16 bits with LZW in an unusual layout; save it with deflate or no compression")
    if page.number(_SAMPLES, 1) == 1:
        with _opened(stream) as image:
            image.load()
            return np.array(image, np.uint16)[..., None]
    samples = _bytes_by_pillow(stream, "L" if sys.byteorder == "little" else "B").astype(np.uint16) << 8
    samples |= _bytes_by_pillow(stream, "B" if sys.byteorder == "little" else "L")
    return samples


def _bytes_by_pillow(stream: BinaryIO, byte_order: str) -> Pixels:
    """The upper byte of each sample as that order has it; libtiff hands samples over in the machine's."""
    with _opened(stream) as image:
        arguments = image.tile[0].args
        assert isinstance(arguments, tuple)
        rawmode = f"{image.mode};16{byte_order}"
        image.tile = [image.tile[0]._replace(args=(rawmode, *arguments[1:]))]
        image.load()
        return np.asarray(image)


def _dpi(page: _Page) -> tuple[float, float] | None:
    per_unit = {2: 1.0, 3: 2.54}.get(page.number(_UNIT, 2))
    across, down = page.numbers(_X_RESOLUTION, 0)[0], page.numbers(_Y_RESOLUTION, 0)[0]
    return None if per_unit is None else valid_dpi((across * per_unit, down * per_unit))
