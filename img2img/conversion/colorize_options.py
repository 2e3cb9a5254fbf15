"""The options of colouring photos."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from img2img.conversion.option import Option
from img2img.conversion.options import ConversionOptions
from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.task import Task


def _check_strength(strength: float) -> None:
    if not 0 <= strength < float("inf"):
        message = f"{strength} is not a number from 0 (grey) upward; 1 is the model's own colour"
        raise UsageError(f"--strength: {message}")


@dataclass(frozen=True, kw_only=True)
class ColorizeOptions(ConversionOptions):
    """Colouring photos."""

    model_task = "colorize"

    model: Annotated[str, Option("One of `img2img models`, or an .onnx file.", metavar="NAME|FILE", over_http=True)] = (
        "colorizer"
    )
    strength: Annotated[
        float,
        Option(
            "How much colour: 0 gives the grey photo, 1.3 more.",
            metavar="NUMBER",
            check=_check_strength,
            over_http=True,
        ),
    ] = 1.0

    @property
    def word(self) -> str:
        return "colorized"

    @property
    def model_name(self) -> str:
        return self.model

    def task(self) -> "Task":
        from img2img.batch.task import Colorizing

        return Colorizing(self.model, self.strength, self.execution)
