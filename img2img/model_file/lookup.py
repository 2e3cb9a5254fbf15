"""Where model files are: those that ship, by name, and any other by its path."""

from __future__ import annotations

from pathlib import Path

from img2img.atomic_file import is_file
from img2img.errors import ModelError


def checkpoints() -> Path:
    """The folder of the models that ship: inside the installed package, or at the top of a checkout."""
    packaged = Path(__file__).parents[1] / "checkpoints"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "checkpoints"


def available_models() -> list[Path]:
    """The .onnx files that ship, by name."""
    return sorted(checkpoints().glob("*.onnx"))


def find_model(name_or_path: str) -> Path:
    """The file of a model that ships, by its name, or any other model file by its path."""
    named = {path.stem: path for path in available_models()}
    if name_or_path in named:
        return named[name_or_path]
    path = Path(name_or_path)
    if is_file(path):
        return path
    if is_file(path / "config.json"):
        raise ModelError(f"{path}: a run's folder, not a model file: first `img2img export {path} -o NAME.onnx`")
    choices = ", ".join(named) or f"none, {checkpoints()} has no .onnx file"
    raise ModelError(f"{name_or_path}: no such model file, nor a model's name. Models at hand: {choices}")
