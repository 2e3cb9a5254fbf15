"""Whether a file can be written, asked before the work that makes its content."""

from __future__ import annotations

import os
from pathlib import Path

from img2img.errors import Img2ImgError, UnwritablePhoto


def check_target(target: Path, *, overwrite: bool, error: type[Img2ImgError] = UnwritablePhoto) -> None:
    """Raise `error` for a file that nobody said to replace, and for one whose folder cannot be made or written to."""
    if target.is_dir():
        raise error(f"{target}: a folder, not a file; name a file with -o")
    if target.exists() and not overwrite:
        raise error(f"{target}: is there already; --overwrite replaces it, -o names another")
    nearest = next(folder for folder in target.absolute().parents if folder.exists())
    if not nearest.is_dir():
        raise error(f"{target}: {nearest} is a file, not a folder; name another place with -o")
    if not os.access(nearest, os.W_OK):
        raise error(f"{target}: no permission to write in {nearest}; name another place with -o")
