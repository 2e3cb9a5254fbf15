"""The machine that this process runs on: its cores, its memory given back, and Python's collector at rest."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def usable_cores() -> int:
    """The processor cores that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def return_freed_memory() -> None:
    """To the system: glibc holds on to it, and loading a model frees about as much as it keeps."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)


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
