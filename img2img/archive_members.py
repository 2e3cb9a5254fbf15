"""Members of an archive from a stranger: where their names lead, what they are, and which are encrypted."""

import re
import stat
import struct
import zipfile
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO, cast

_UTF_8 = 0x08  # of the flags' second byte
_LOCAL, _LOCAL_SIZE = b"PK\3\4", 30
_CENTRAL, _CENTRAL_SIZE = b"PK\1\2", 46


def with_slashes(name: str) -> str:
    """The name with / between its parts: some Windows programs, PowerShell 5 among them, write backslashes."""
    return name.replace("\\", "/")


def zip_name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant, with / between its parts: UTF-8 where its bytes are that, whatever its flag says.

    Else what zipfile made of it, code page 437 by the format's rules.
    """
    name = member.orig_filename
    if member.filename != name and "\0" not in name:  # zipfile has taken it from Info-ZIP's extra field, in Unicode
        name = member.filename
    with suppress(UnicodeError):
        name = name.encode("cp437").decode()
    return with_slashes(name)


def leads_out(name: str) -> bool:
    """Whether a member's name, with slashes, stands for a file outside on any system: a drive does so on Windows."""
    absolute = name.startswith("/") or re.match("[A-Za-z]:", name)
    return bool(absolute or ".." in PurePosixPath(name).parts or "\0" in name)


class NamesOfAnyBytes:
    """A zip's stream in which no name is said to be UTF-8: zipfile raises where one is not, and loses all the others.

    What it makes of the bytes instead, `zip_name` puts right.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        if block.startswith(_LOCAL) and len(block) == _LOCAL_SIZE:
            return block[:7] + bytes([block[7] & ~_UTF_8]) + block[8:]
        return _without_flags(block) if block.startswith(_CENTRAL) else block

    def as_binary(self) -> IO[bytes]:
        return cast(IO[bytes], self)


def _without_flags(block: bytes) -> bytes:
    """A whole list of contents; any other block, which may begin like one, as it is."""
    changed, at = bytearray(block), 0
    while block[at : at + 4] == _CENTRAL and at + _CENTRAL_SIZE <= len(block):
        changed[at + 9] &= ~_UTF_8
        at += _CENTRAL_SIZE + sum(struct.unpack_from("<3H", block, at + 28))
    return bytes(changed) if at == len(block) else block


def file_type(member: zipfile.ZipInfo) -> int:
    """What stat calls S_IFREG, S_IFLNK and so on; 0 where the archive does not say."""
    return stat.S_IFMT(member.external_attr >> 16)


def is_encrypted(member: zipfile.ZipInfo) -> bool:
    return bool(member.flag_bits & 1)
