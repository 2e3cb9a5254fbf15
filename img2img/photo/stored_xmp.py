"""The XMP packet in a photo's file, found without decoding the picture."""

from __future__ import annotations

from typing import BinaryIO

from img2img.photo.formats import gif_xmp, reader_of
from img2img.photo.image_info import xmp_of


def stored_xmp(stream: BinaryIO, image_format: str) -> bytes | None:
    """Of a file in that format, at its start; None where there is none. Raises what its decoder raises."""
    if image_format == "PNG":
        return _in_png(stream)
    if image_format == "TIFF":
        return _in_tiff(stream)
    if image_format == "GIF":
        return gif_xmp(stream)
    with reader_of(image_format)(stream, "") as image:
        return xmp_of(image)


def _in_png(stream: BinaryIO) -> bytes | None:
    from img2img.photo.png.description import described
    from img2img.photo.png.parts import read_parts

    return described(read_parts(stream)).xmp


def _in_tiff(stream: BinaryIO) -> bytes | None:
    """Of the page that is the photo, or of the file's first directory."""
    from img2img.photo.metadata.tiff_directory import read_header
    from img2img.photo.tiff.pages import photo_page, read_pages
    from img2img.photo.tiff.reader import XMP

    return photo_page(read_pages(stream, read_header(stream)), first_frame=True).bytes(XMP)
