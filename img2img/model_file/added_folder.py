"""Where the models lie that a user added: each in a folder of its own name, with the models that its card names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from img2img.atomic_file import is_file

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")
_FILES = (".onnx", ".safetensors")
"""What model files end in."""


def added_folder() -> Path:
    """`models` in IMG2IMG_HOME, else in the folder that the system has for a program's data. It need not be there."""
    if home := os.environ.get("IMG2IMG_HOME"):
        return Path(home) / "models"
    from platformdirs import user_data_path  # only for who has models there, or asks

    return user_data_path("img2img", appauthor=False) / "models"


def can_be_a_name(text: str) -> bool:
    """Up to 64 letters, digits, and . _ - between them, so that it is a file's name on any disk and no path."""
    return bool(_NAME.fullmatch(text)) and not text.lower().endswith(_FILES)


def name_of_model(model: str) -> str:
    """Of a model that is given by its name, its file or its run's folder; dots may stand in each: "snow.v1"."""
    path = Path(model)
    return path.stem if path.suffix.lower() in _FILES else path.name


def added_models() -> list[Path]:
    """The .onnx files that were added, by name; what else lies in the folder is passed over."""
    try:
        names = sorted(entry.name for entry in added_folder().iterdir())
    except OSError:  # none was ever added, or the folder may not be read
        return []
    return [path for path in map(added_model, names) if path]


def added_model(name: str) -> Path | None:
    """The file of the model that was added under this name."""
    if not can_be_a_name(name):
        return None
    path = added_folder() / name / f"{name}.onnx"
    return path if is_file(path) else None
