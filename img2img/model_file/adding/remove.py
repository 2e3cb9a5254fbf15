"""An added model taken away again."""

from __future__ import annotations

from pathlib import Path

from img2img.atomic_file import files_below
from img2img.choices import meant_or_all
from img2img.errors import ModelError
from img2img.model_file.added_folder import added_model, added_models
from img2img.model_file.adding.held_folder import held_folder
from img2img.model_file.lookup import shipped_models


def files_of_added(name: str) -> list[Path]:
    """What `remove_model` would remove; raises as it does."""
    return sorted(files_below(_added(name).parent))  # none where another process has just removed it


def remove_model(name: str) -> list[Path]:
    """Removes what was added under the name, and returns the files that went; ModelError for any other name."""
    _added(name)
    with held_folder() as folder:
        gone = files_of_added(name)  # looked up again: another process may have been at it
        folder.remove(name)
    return gone


def _added(name: str) -> Path:
    if path := added_model(name):
        return path
    if name in {path.stem for path in shipped_models()}:
        raise ModelError(f"{name}: ships with img2img, and stays")
    added = [path.stem for path in added_models()]
    raise ModelError(f"{name}: no such added model; {meant_or_all(name, added)}")
