"""Warnings of Pillow's, which name no file: none is shown while something is read."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, cast

_OF_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_lock = Lock()
_reading = 0


@contextmanager
def decoder_warnings_ignored() -> Iterator[None]:
    """In all threads: img2img itself says what is refused or lost of a file, with its name.

    `warnings.catch_warnings` is not for threads: of two that overlap, the last would bring back the filters that the
    first had set. Here one filter comes with the first that reads, and goes with the last.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(more: int) -> None:
    global _reading
    with _lock:
        _reading += more
        filters = cast(list[Any], warnings.filters)  # another list while someone catches warnings
        if _reading and _OF_PILLOW not in filters:
            filters.insert(0, _OF_PILLOW)
        elif not _reading and _OF_PILLOW in filters:
            filters.remove(_OF_PILLOW)
