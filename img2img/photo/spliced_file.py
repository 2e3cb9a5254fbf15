"""A file that consists of runs of another's bytes, and of some of its own, without copying them."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import IO, BinaryIO

_BUFFER = 1 << 16
Part = bytes | tuple[int, int]
"""Bytes as they are, or where those of another file start and end."""


def spliced_file(stream: IO[bytes], parts: Iterable[Part]) -> BinaryIO:
    """The parts, one after another, to be read and sought in; the stream must stay open."""
    return io.BufferedReader(_SplicedFile(stream, _joined(parts)), _BUFFER)


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Runs that follow one another as one: a large PNG has thousands of chunks."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else b""
        if isinstance(part, tuple) and isinstance(last, tuple) and last[1] == part[0]:
            joined[-1] = last[0], part[1]
        else:
            joined.append(part)
    return joined


class _SplicedFile(io.RawIOBase):
    """Parts of a file and bytes, one after another, to be read and sought in."""

    def __init__(self, stream: IO[bytes], parts: list[Part]) -> None:
        self._stream, self._parts = stream, parts
        sizes = (len(part) if isinstance(part, bytes) else part[1] - part[0] for part in parts)
        self._ends = list(accumulate(sizes))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._ends[-1])[whence]
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        number = bisect_right(self._ends, self._at)
        if number == len(self._ends):
            return 0
        part, end = self._parts[number], self._ends[number]
        size = min(len(buffer), end - self._at)
        if isinstance(part, bytes):
            start = len(part) - (end - self._at)
            data = part[start : start + size]
        else:
            self._stream.seek(part[1] - (end - self._at))
            data = self._stream.read(size)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
