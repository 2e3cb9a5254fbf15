"""Camera raw files, told by what is in them: a sensor's values are no picture yet, and their thumbnails no photo."""

from __future__ import annotations

from collections.abc import Iterable

from img2img.errors import UnreadablePhoto
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.page import Page

# Of files that are no plain TIFF: Fujifilm, Sigma, Minolta, Panasonic, Olympus, Canon's CRW.
_STARTS = (b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"II\x1a\0\0\0HEAPCCDR")
_CR2, _IIQ, _CR3 = b"CR", b"IIII", b"ftypcrx "
_SENSOR_COLORS = (32803, 34892)  # colour filter array; LinearRaw
_SENSOR_TAGS = (33421, 33422, 50706, 50711)  # the filter array's size and pattern; DNG's version, and CFA layout
# Sony, Epson, Samsung, Nikon, lossy DNG, Kodak (three), Pentax.
_SENSOR_CODECS = (32767, 32769, 32770, 34713, 34892, 262, 65000, 65024, 65535)


def refuse_raw_start(start: bytes) -> None:
    """UnreadablePhoto for a file that begins like a raw one; TIFF's own are told by their directories as well."""
    if start.startswith(_STARTS) or start[4:12] == _CR3:
        _refuse()
    if start.startswith((b"II*\0", b"MM\0*")) and (start[8:10] == _CR2 or start[8:12] == _IIQ):
        _refuse()


def refuse_raw_pages(pages: Iterable[Page]) -> None:
    """UnreadablePhoto where one of a TIFF's directories, thumbnails or not, holds the values of a sensor."""
    if any(_is_raw(page) for page in pages):
        _refuse()


def _is_raw(page: Page) -> bool:
    bits = page.whole_numbers(tags.BITS)
    return (
        page.number(tags.PHOTOMETRIC, tags.MIN_IS_BLACK) in _SENSOR_COLORS
        or page.codec in _SENSOR_CODECS
        or any(tag in page.directory.entries for tag in _SENSOR_TAGS)
        or (page.codec == tags.OLD_JPEG and max(bits, default=8) > 8)
    )


def _refuse() -> None:
    raise UnreadablePhoto(
        "a camera raw file: develop it first, with RawTherapee or darktable-cli IN.NEF OUT.tif, and give the result"
    )
