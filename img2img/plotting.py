"""Matplotlib without traces in the user's home, and names as it can draw them."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


def drawable(name: str) -> str:
    """The name with bytes that are no Unicode, at which matplotlib fails, in backslashes."""
    return name.encode(errors="backslashreplace").decode()


@contextmanager
def private_matplotlib() -> Iterator[None]:
    """Imports matplotlib without leaving its font cache in the user's home: a quarter of a second to make again.

    One that knows where to keep it (MPLCONFIGDIR), or is imported already, is left alone.
    """
    if "matplotlib" in sys.modules:
        yield
        return
    if "MPLCONFIGDIR" in os.environ:
        _import_matplotlib()
        yield
        return
    with tempfile.TemporaryDirectory(prefix="img2img-matplotlib-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            _import_matplotlib()
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]


def _import_matplotlib() -> None:
    """Also below a notebook that has its plots drawn by a package which is not installed for img2img."""
    backend = os.environ.get("MPLBACKEND", "")
    if backend.startswith("module://") and not find_spec(backend.removeprefix("module://").partition(".")[0]):
        del os.environ["MPLBACKEND"]
    importlib.import_module("matplotlib.font_manager")
