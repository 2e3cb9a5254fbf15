"""Which files an export writes, refused before any work."""

import re
from collections.abc import Iterable
from pathlib import Path

from img2img.errors import ExportError, SettingError
from img2img.recipes.recipe import Recipe


def targets_of(
    recipe: type[Recipe], target: Path, reverse: Path | None = None, weights: Path | None = None
) -> dict[str, Path]:
    """The file of each generator; raises ExportError or SettingError for what cannot be written, or asked for."""
    if not recipe.way_back:
        if reverse:
            raise SettingError(f"--reverse {reverse}: {recipe.name} trains one way only; leave it out")
        if weights:
            raise SettingError(f"--all-weights: a training of {recipe.name} goes on from the model's own .safetensors")
        return {recipe.exported: model_target(target)}
    back = reverse or target.with_name(f"{reverse_name(target.stem)}.onnx")
    if back.resolve() == target.resolve():
        raise ExportError(f"{back}: is the name of the model itself; give the way back another")
    taken = {path.with_suffix(".safetensors").resolve() for path in (target, back)}
    if weights and (weights.suffix != ".safetensors" or weights.resolve() in taken):
        raise ExportError(f"{weights}: weights go into a .safetensors file with a name of its own")
    return {recipe.exported: model_target(target), recipe.way_back: model_target(back)}


def check_critic(recipe: type[Recipe], critic: Path, models: Iterable[Path]) -> None:
    """Raises ExportError or SettingError for a critic that cannot be written, or that the recipe has not."""
    if not recipe.way_back:
        raise SettingError(f"--critic {critic}: {recipe.name} trains one way only; leave it out")
    if model_target(critic).resolve() in {model.resolve() for model in models}:
        raise ExportError(f"{critic}: is the name of a model that is written too; give the critic another")


def files_of(models: Iterable[Path], *others: Path | None) -> list[Path]:
    """All that an export writes: the models, the weights beside each, and what else was asked for."""
    beside = [file for model in models for file in (model, model.with_suffix(".safetensors"))]
    return [*beside, *filter(None, others)]


def reverse_name(name: str) -> str:
    """What the model back is called: zebra2horse for horse2zebra, mine-back for mine."""
    both = re.fullmatch("([a-z]+)2([a-z]+)", name, re.IGNORECASE)
    return f"{both[2]}2{both[1]}" if both else f"{name}-back"


def model_target(path: Path) -> Path:
    """The path itself; raises ExportError when it is not named as model files are."""
    if path.suffix != ".onnx":
        raise ExportError(f"{path}: a model file ends in .onnx; name it so")
    return path
