"""JPEG files without what Pillow does beyond the picture when it opens one."""

from __future__ import annotations

from PIL.JpegImagePlugin import JpegImageFile


class QuietJpegFile(JpegImageFile):
    """The (main) picture of a JPEG.

    Pillow's own opening parses EXIF for the resolution, with warnings where EXIF is damaged, and makes an
    animation of a phone's multi-picture JPEG. metadata/exif.py reads the resolution; one picture is what is wanted.
    """

    def _read_dpi_from_exif(self) -> None:
        pass
