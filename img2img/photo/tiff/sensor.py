"""TIFF files that are a camera's raw file: NEF, DNG, CR2, ARW, PEF, old Canon's and Kodak's .TIF, by their tags."""

from __future__ import annotations

from collections.abc import Iterable

from img2img.photo.raw import refuse_raw
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page

_SENSOR_COLORS = (32803, 34892)  # colour filter array; LinearRaw
_SENSOR_TAGS = (33421, 33422, 50706, 50711)  # the filter array's size and pattern; DNG's version, and CFA layout
# Sony, Epson, Samsung, Nikon, lossy DNG, Kodak (three), Pentax.
_SENSOR_CODECS = (32767, 32769, 32770, 34713, 34892, 262, 65000, 65024, 65535)


def refuse_raw_pages(pages: Iterable[Page]) -> None:
    """UnreadablePhoto where one of a TIFF's directories, thumbnails or not, holds the values of a sensor."""
    if any(_is_raw(page) for page in pages):
        refuse_raw()


def _is_raw(page: Page) -> bool:
    bits = page.whole_numbers(tags.BITS)
    return (
        page.number(tags.PHOTOMETRIC, tags.MIN_IS_BLACK) in _SENSOR_COLORS
        or page.codec in _SENSOR_CODECS
        or any(tag in page.directory.entries for tag in _SENSOR_TAGS)
        or (page.codec == tags.OLD_JPEG and max(bits, default=8) > 8)
    )
