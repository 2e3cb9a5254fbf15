"""Splitters: bytes, whatever they are, become parts that give the same bytes again."""

from collections.abc import Callable

from fuzz.containers.archives import split_tar, split_zip
from fuzz.containers.boxes import split_iso, split_riff
from fuzz.containers.ebml import split_ebml
from fuzz.containers.jpeg import split_jpeg
from fuzz.containers.simple import split_bmp, split_gif, split_png
from fuzz.containers.tiff import split_tiff
from fuzz.parts import Part, split_bytes

SPLITTERS: dict[str, Callable[[bytes], Part]] = {
    "png": split_png,
    "jpeg": split_jpeg,
    "tiff": split_tiff,
    "riff": split_riff,
    "iso": split_iso,
    "ebml": split_ebml,
    "gif": split_gif,
    "bmp": split_bmp,
    "zip": split_zip,
    "tar": split_tar,
    "bytes": split_bytes,
}
