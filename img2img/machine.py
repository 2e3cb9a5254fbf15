"""The machine that this process runs on: its cores, and its memory given back."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress


def usable_cores() -> int:
    """The processor cores that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def return_freed_memory() -> None:
    """To the system: glibc holds on to it, and loading a model frees about as much as it keeps."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such function
            ctypes.CDLL(None).malloc_trim(0)
