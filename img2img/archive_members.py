"""Members of an archive from a stranger: where their names lead, what they are, and which are encrypted."""

import re
import stat
import zipfile
from pathlib import PurePosixPath


def leads_out(name: str) -> bool:
    """Whether a member's name stands for a file outside, on any system: a drive, or a backslash, does so on Windows."""
    absolute = name.startswith("/") or re.match("[A-Za-z]:", name)
    return bool(absolute or ".." in PurePosixPath(name).parts or re.search(r"[\\\0]", name))


def file_type(member: zipfile.ZipInfo) -> int:
    """What stat calls S_IFREG, S_IFLNK and so on; 0 where the archive does not say."""
    return stat.S_IFMT(member.external_attr >> 16)


def is_encrypted(member: zipfile.ZipInfo) -> bool:
    return bool(member.flag_bits & 1)
