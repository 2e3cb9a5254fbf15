"""Names in an archive from a stranger."""

import re
from pathlib import PurePosixPath


def leads_out(name: str) -> bool:
    """Whether a member's name stands for a file outside, on any system: a drive, or a backslash, does so on Windows."""
    absolute = name.startswith("/") or re.match("[A-Za-z]:", name)
    return bool(absolute or ".." in PurePosixPath(name).parts or re.search(r"[\\\0]", name))
