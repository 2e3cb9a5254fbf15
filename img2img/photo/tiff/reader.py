"""TIFF files: the full-size page decoded as its tags say, with the metadata of the file's own directory.

page.py is a directory, pages.py which one is the photo, layout.py where its samples lie, codecs.py (with
libtiff.py, jpeg_strips.py and old_jpeg.py) what they are compressed with, samples.py all of them as an array, tones.py
and ycbcr.py what they mean. Pillow and libtiff decode, but never interpret: their tables of modes leave out
half of what the standard knows, and guess at some of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from img2img.errors import UnreadablePhoto
from img2img.photo.decode import check_size, upright
from img2img.photo.image_info import ASPECT, turned_dpi, valid_dpi
from img2img.photo.metadata.exif import exif_of_tiff
from img2img.photo.metadata.tiff_directory import read_header
from img2img.photo.metadata.upright import upright_exif
from img2img.photo.metadata.xmp import upright_xmp
from img2img.photo.photo import Photo
from img2img.photo.tiff import page as tags
from img2img.photo.tiff.old_jpeg import old_jpeg_samples
from img2img.photo.tiff.page import Page
from img2img.photo.tiff.pages import Node, all_pages, has_mask, photo_page, pictures_of, read_pages
from img2img.photo.tiff.samples import read_samples
from img2img.photo.tiff.sensor import refuse_raw_pages
from img2img.photo.tiff.stale import true_directory
from img2img.photo.tiff.tones import alpha_of, check_tones, pixels_of, plain
from img2img.photo.tiff.ycbcr import block_of

_X_RESOLUTION, _Y_RESOLUTION, _UNIT, XMP = 282, 283, 296, 700
_NO_UNIT = 1


def read_tiff(stream: BinaryIO, max_pixels: int, first_frame: bool) -> Photo:
    header = read_header(stream)
    nodes = read_pages(stream, header)
    refuse_raw_pages(all_pages(nodes))
    page = photo_page(nodes, first_frame)
    if 0 in page.size:
        raise UnreadablePhoto(f"{page.size[0]} x {page.size[1]} pixels: there is nothing to convert in an empty image")
    check_size(page.size, max_pixels)
    photo = _photo(stream, page)
    side = page.side
    directory, lost = true_directory(page.directory, side)
    return replace(
        photo,
        exif=upright_exif(exif_of_tiff(stream, header, directory), side, page.size),
        xmp=upright_xmp(page.bytes(XMP), side),
        dpi=turned_dpi(_dpi(page), side),
        format="TIFF",
        lost=lost + photo.lost + tuple(_more_lost(page, nodes)),
    )


def _more_lost(page: Page, nodes: list[Node]) -> Iterator[str]:
    if has_mask(nodes):
        yield "transparency mask"
    across, down = page.numbers(_X_RESOLUTION, 0)[0], page.numbers(_Y_RESOLUTION, 0)[0]
    if page.number(_UNIT, 2) == _NO_UNIT and 0 != across != down != 0:
        yield ASPECT


def holds_several(stream: BinaryIO) -> bool:
    """Whether the file has more than one picture, thumbnails and masks aside."""
    return len(pictures_of(read_pages(stream, read_header(stream)))) > 1


def _photo(stream: BinaryIO, page: Page) -> Photo:
    check_tones(page)
    has_alpha = page.extra_kind in (1, 2)
    if page.codec == tags.OLD_JPEG:
        samples = old_jpeg_samples(stream, page)
    else:
        samples = read_samples(stream, page, page.colors + has_alpha, block_of(page))
    samples = plain(samples, page)
    # libjpeg makes RGB of YCbCr where it finds all three in one strip.
    is_rgb = page.samples == 3 and (
        page.codec == tags.OLD_JPEG
        or (page.photometric == tags.YCBCR and page.codec == tags.JPEG and not page.is_planar)
    )
    pixels, icc = pixels_of(samples, page, is_rgb=is_rgb)
    alpha = alpha_of(samples, page, pixels)
    turned = None if alpha is None else upright(alpha, page.side)
    lost = ("further channels",) if page.samples > page.colors + has_alpha else ()
    return Photo(upright(pixels, page.side), "L" if pixels.ndim == 2 else "RGB", turned, icc, lost=lost)


def _dpi(page: Page) -> tuple[float, float] | None:
    per_unit = {2: 1.0, 3: 2.54}.get(page.number(_UNIT, 2))
    across, down = page.numbers(_X_RESOLUTION, 0)[0], page.numbers(_Y_RESOLUTION, 0)[0]
    return None if per_unit is None else valid_dpi((across * per_unit, down * per_unit))
