"""The record in a chart or a sheet of ours: its EXIF names the command that drew it, which may then draw it again."""

from __future__ import annotations

from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path

from PIL import Image
from PIL.ExifTags import Base

from img2img.atomic_file import check_target


def drawing_exif(command: str) -> bytes:
    """What Pillow's `exif` takes, for PNG, JPEG and WebP."""
    exif = Image.Exif()
    exif[Base.Software] = _record(command)
    return exif.tobytes()


def check_drawing(target: Path, command: str, *, overwrite: bool) -> None:
    """As `check_target`, but this command's earlier drawing may be replaced unasked. Raises UnwritablePhoto."""
    check_target(target, overwrite=overwrite or is_drawn_by(target, command))


def is_drawn_by(target: Path, command: str) -> bool:
    """Whether the file is there and has the command's record, wherever its format keeps EXIF; it is not decoded."""
    with (
        suppress(OSError, ValueError),  # ValueError: an empty file
        target.open("rb") as file,
        mmap(file.fileno(), 0, access=ACCESS_READ) as content,
    ):
        return content.find(f"{_record(command)}\0".encode()) >= 0
    return False


def _record(command: str) -> str:
    return f"img2img {command}"
