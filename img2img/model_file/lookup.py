"""Where model files are: those that ship and those that were added, by name, and any other by its path."""

from __future__ import annotations

from pathlib import Path

from img2img.atomic_file import is_file, is_folder
from img2img.choices import nearest_choice
from img2img.errors import MissingModel, ModelError
from img2img.model_file.added_folder import added_model, added_models
from img2img.model_file.card import ModelCard
from img2img.model_file.container import read_card


def checkpoints() -> Path:
    """The folder of the models that ship: inside the installed package, or at the top of a checkout."""
    packaged = Path(__file__).parents[1] / "checkpoints"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "checkpoints"


def shipped_models() -> list[Path]:
    """The .onnx files that ship, by name."""
    return sorted(checkpoints().glob("*.onnx"))


def available_models() -> list[Path]:
    """The .onnx files that ship, then those that were added; a file's stem is the model's name, and none stands twice.

    A model that ships hides an added one of its name.
    """
    shipped = shipped_models()
    names = {path.stem for path in shipped}
    return [*shipped, *(path for path in added_models() if path.stem not in names)]


def models() -> dict[str, ModelCard]:
    """The cards of the available models, by name; a file that cannot be used is left out."""
    cards = {}
    for path in available_models():
        try:
            cards[path.stem] = read_card(path)
        except ModelError:  # `img2img models` says what is wrong with it
            continue
    return cards


def find_model(name_or_path: str) -> Path:
    """The file of a model that ships or was added, by its name, or any other model file by its path.

    Raises MissingModel, and ModelError for the folder of a run.
    """
    if path := named_model(name_or_path):
        return path
    path = Path(name_or_path)
    if is_file(path):
        return path
    refuse_run(path)
    missing = "a folder without a training run (no config.json in it)" if is_folder(path) else "no such model file"
    raise MissingModel(f"{name_or_path}: {missing}, nor a model's name{_choices(name_or_path)}")


def named_model(name: str) -> Path | None:
    """The file of the model that ships, or was added, under this name."""
    shipped = {path.stem: path for path in shipped_models()}
    return shipped.get(name) or added_model(name)


def _choices(wanted: str) -> str:
    names = [path.stem for path in available_models()]
    near = nearest_choice(wanted, names)
    meant = f"; did you mean {near}?" if near else "."
    return f"{meant} Available models: {', '.join(names) or f'none, {checkpoints()} has no .onnx file'}"


def is_run(path: Path) -> bool:
    """Whether it is the folder of a training run."""
    return is_file(path / "config.json")


def refuse_run(path: Path) -> None:
    """Raise ModelError for the folder of a run, which is taken for a model easily."""
    if is_run(path):
        raise ModelError(f"{path}: a run's folder, not a model file: first `img2img export {path} -o NAME.onnx`")
