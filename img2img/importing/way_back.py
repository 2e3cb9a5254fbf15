"""The model that goes the other way, as an imported model's card names it."""

from dataclasses import dataclass
from pathlib import Path

from img2img.atomic_file import is_file
from img2img.errors import SettingError
from img2img.model_file import available_models, find_model, read_card
from img2img.recipes.translation.translator_tensors import IMAGE


@dataclass(frozen=True)
class WayBack:
    """The name for the card, and the file that has to lie beside the model."""

    name: str
    beside: Path

    @property
    def file(self) -> Path | None:
        """Beside the model or at hand under the name, as `translate --cycle` looks for it; nothing where neither is."""
        if is_file(self.beside):
            return self.beside
        return find_model(self.name) if self.name in {each.stem for each in available_models()} else None


def way_back(target: Path, reverse: str) -> WayBack:
    """What goes back from `target`: the name of a model, or its file (.onnx) beside the target, there already or not.

    SettingError for a file elsewhere, the target itself, and a file that is no translator of such pictures.
    """
    path = Path(reverse)
    is_name = path.name == reverse != "" and path.suffix != ".onnx"
    if not is_name and (path.suffix != ".onnx" or path.parent.resolve() != target.parent.resolve()):
        raise SettingError(
            f"--reverse {reverse}: give a model's name, or an .onnx file beside {target}, where translate looks for it"
        )
    name = reverse if is_name else path.stem
    back = WayBack(name, target.with_name(f"{name}.onnx"))
    if back.beside.resolve() == target.resolve():
        raise SettingError(f"--reverse {reverse}: is the name of the model itself; give that of the way back")
    _check(reverse, back.file)
    return back


def _check(reverse: str, file: Path | None) -> None:
    card = read_card(file) if file else None
    if card and card.task != "translate":
        raise SettingError(f"--reverse {reverse}: {file} is a model for {card.task!r}; the way back is a translator's")
    if card and card.inputs != (IMAGE,):
        takes = ", ".join(f"{spec.name} {spec.shape}, {spec.unit}" for spec in card.inputs)
        raise SettingError(f"--reverse {reverse}: {file} takes {takes}; what this model draws is {IMAGE.unit}")
