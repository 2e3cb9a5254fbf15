"""The machine that this process runs on: its cores, its memory given back, and Python's collector at rest."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_TRIM_THRESHOLD, _BLOCKS_BESIDE_THE_HEAP = -1, -4
"""M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h."""
_MOST = 2**31 - 1


def usable_cores() -> int:
    """The processor cores that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def return_freed_memory() -> None:
    """To the system: glibc holds on to it, and loading a model frees about as much as it keeps."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)


def keep_freed_memory() -> None:
    """For what comes next in this process: glibc gives large blocks back to the system, which clears each new page.

    A training asks for the same large blocks at every step. Where pages are dear, as on a virtual machine, that takes a
    fifth of a step's time; where they are not, nothing changes.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            for parameter, value in (_TRIM_THRESHOLD, _MOST), (_BLOCKS_BESIDE_THE_HEAP, 0):
                ctypes.CDLL(None).mallopt(parameter, value)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """For work that makes many objects and little garbage: Python would look for some among them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
