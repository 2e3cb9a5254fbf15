"""A file that lists paths, one a line or with NUL between them, as `find` prints them with -print0."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from img2img.atomic_file import reason_for
from img2img.errors import UsageError

_CHUNK = 2**16
_MARK = b"\xef\xbb\xbf"  # which Windows' editors put before UTF-8
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def opened_list(list_file: str) -> Iterator[IO[bytes]]:
    """The list as a file that can be read again: what comes through a pipe is copied to a temporary one.

    `-` is standard input. Raises UsageError where it cannot be read.
    """
    with ExitStack() as stack:
        try:
            stream: IO[bytes] = (
                sys.stdin.buffer if list_file == "-" else stack.enter_context(Path(list_file).open("rb"))
            )
            if list_file == "-" or not stream.seekable():
                copy = stack.enter_context(TemporaryFile())
                shutil.copyfileobj(stream, copy)
                stream = copy
            stream.seek(0)
            start = stream.read(2)
        except OSError as error:
            raise UsageError(f"--from-file {list_file}: {reason_for(error, 'read')}") from error
        if start in _UTF_16:
            raise UsageError(f"--from-file {list_file}: text in UTF-16; save it as UTF-8")
        yield stream


def read_paths(stream: IO[bytes]) -> Iterator[str]:
    """From its start, each time. Names that are no UTF-8 keep their bytes, as os.fsdecode has it."""
    separator = _separator(stream)
    stream.seek(0)
    if stream.read(len(_MARK)) != _MARK:
        stream.seek(0)
    rest = b""
    while chunk := stream.read(_CHUNK):
        *names, rest = (rest + chunk).split(separator)
        yield from _names(names, separator)
    yield from _names([rest], separator)


def _names(parts: list[bytes], separator: bytes) -> Iterator[str]:
    for part in parts:
        name = part.removesuffix(b"\r") if separator == b"\n" else part
        if name:
            yield os.fsdecode(name)


def _separator(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    holds_nul = any(b"\0" in chunk for chunk in iter(lambda: stream.read(_CHUNK), b""))
    return b"\0" if holds_nul else b"\n"
