"""Matplotlib without traces in the user's home, and names as it can draw them."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def drawable(name: str) -> str:
    """The name with bytes that are no Unicode, at which matplotlib fails, in backslashes."""
    return name.encode(errors="backslashreplace").decode()


@contextmanager
def private_matplotlib() -> Iterator[None]:
    """Imports matplotlib without leaving its font cache in the user's home: a quarter of a second to make again.

    One that knows where to keep it (MPLCONFIGDIR), or is imported already, is left alone.
    """
    if "matplotlib" in sys.modules or "MPLCONFIGDIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="img2img-matplotlib-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            importlib.import_module("matplotlib.font_manager")
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]
