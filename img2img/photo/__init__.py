"""Read and write one photo without losing anything: the only place where files become arrays and back.

photo.py is what a photo is, file.py reads and writes it; behind them formats.py (suffixes), decode.py and encode.py
(through Pillow), fitting.py (what a format has room for), png/ and tiff/ (what Pillow cannot do), metadata/ (EXIF, XMP
and profiles).
"""

from img2img.photo.file import DEFAULT_MAX_PIXELS, read_photo, read_xmp, write_photo
from img2img.photo.formats import OUTPUT_SUFFIXES, PHOTO_SUFFIXES, output_suffix
from img2img.photo.jpeg_settings import JpegSettings
from img2img.photo.photo import Photo, Space

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "OUTPUT_SUFFIXES",
    "PHOTO_SUFFIXES",
    "JpegSettings",
    "Photo",
    "Space",
    "output_suffix",
    "read_photo",
    "read_xmp",
    "write_photo",
]
