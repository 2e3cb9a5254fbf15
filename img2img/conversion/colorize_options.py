"""The options of colouring photos."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from img2img.conversion.option import Option
from img2img.conversion.options import ConversionOptions
from img2img.errors import UsageError

if TYPE_CHECKING:
    from img2img.batch.in_color import IfColor
    from img2img.batch.task import Colorizing
    from img2img.steering.hints import Hint
    from img2img.steering.request import SteeringRequest

AUTO = "auto"
"""In place of a file of hints: the one beside each photo."""


def _check_strength(strength: float) -> None:
    if not 0 <= strength < float("inf"):
        message = f"{strength} is not a number from 0 (grey) upward; 1 is the model's own colour"
        raise UsageError(f"--strength: {message}")


def _check_color(text: str) -> None:
    from img2img.steering.colors import parse_color

    try:
        parse_color(text)
    except UsageError as error:
        raise UsageError(f"--palette: {error}") from None


def _check_hint(text: str) -> None:
    from img2img.steering.hints import parse_hint

    try:
        parse_hint(text)
    except UsageError as error:
        raise UsageError(f"--hint: {error}") from None


@dataclass(frozen=True, kw_only=True)
class ColorizeOptions(ConversionOptions):
    """Colouring photos."""

    model_task = "colorize"

    model: Annotated[
        str,
        Option(
            "One of `img2img models`, an .onnx file, or a training run's folder.",
            metavar="NAME|FILE|RUN",
            over_http=True,
        ),
    ] = "colorizer"
    strength: Annotated[
        float,
        Option(
            "How much colour: 0 leaves the photo grey, 1.3 gives more than usual.",
            metavar="NUMBER",
            check=_check_strength,
            over_http=True,
        ),
    ] = 1.0
    if_color: Annotated[
        Literal["redo", "skip", "copy"] | None,
        Option(
            "Photos that are in colour already: colour them again, skip them, or copy them unchanged. By default a "
            "single photo is coloured again, and among many they are skipped. Sepia and yellowed prints do not "
            "count as colour.",
            photos_only=True,
            over_http=True,
        ),
    ] = None
    reference: Annotated[Path | None, Option("Lean towards the colours of this photo.", "Colours", "FILE")] = None
    influence: Annotated[
        float | None,
        Option(
            "How far to lean towards the reference or palette. By default 1.",
            "Colours",
            metavar="0-1",
            least=0,
            most=1,
            over_http=True,
        ),
    ] = None
    palette: Annotated[
        tuple[str, ...],
        Option(
            "Lean towards these colours, such as '#7a5c3e,#c9b48a'.",
            "Colours",
            metavar="COLOURS",
            check=_check_color,
            separator=",",
            over_http=True,
            show_default=False,
        ),
    ] = ()
    warmth: Annotated[
        float,
        Option(
            "From cooler (-1) to warmer (1): removes a colour cast.",
            "Colours",
            metavar="NUMBER",
            least=-1,
            most=1,
            over_http=True,
        ),
    ] = 0.0
    hint: Annotated[
        tuple[str, ...],
        Option(
            "The colour at a place; it spreads over the area that looks alike. The place is in percent from the left"
            " and the top, 52%,40%=#3a6b35, or in pixels, 812,300=#8a2b2b. Repeatable; for a single photo.",
            "Colours",
            metavar="X,Y=COLOUR",
            check=_check_hint,
            photos_only=True,
            over_http=True,
            show_default=False,
        ),
    ] = ()
    hints: Annotated[
        str | None,
        Option(
            "Hints from a file, as the page saves them; auto takes those beside each photo: photo.hints.json for "
            "photo.jpg.",
            "Colours",
            metavar="FILE|auto",
            photos_only=True,
        ),
    ] = None

    @property
    def word(self) -> str:
        return "colorized"

    def settled(self) -> "ColorizeOptions":
        from img2img.inference.run_model import settled_model

        return replace(self, model=settled_model(self.model, self.model_task))

    @property
    def chosen_model(self) -> str:
        return self.model

    @property
    def model_name(self) -> str:
        return self.model

    def when_in_color(self, *, many: bool) -> "IfColor":
        return self.if_color or ("skip" if many else "redo")

    @property
    def hints_beside(self) -> bool:
        return self.hints == AUTO

    @property
    def for_one_photo(self) -> str | None:
        return "--hint" if self.hint else "--hints FILE" if self.hints not in (None, AUTO) else None

    def check_many(self) -> None:
        if self.for_one_photo:
            raise UsageError(
                f"{self.for_one_photo} is for one photo: give each of many its own hints, in photo.hints.json beside "
                "photo.jpg, and --hints auto"
            )

    def check_influence(self) -> None:
        """Raises UsageError where there is nothing to lean to."""
        if self.influence is not None and not (self.reference or self.palette):
            raise UsageError("--influence works only with a --reference or --palette: add one")

    def task(self) -> "Colorizing":
        """Reads the reference and the hints' file: UnreadablePhoto and UsageError where that cannot be."""
        from img2img.batch.task import Colorizing

        return Colorizing(self.model, self.strength, self.execution, self._steering(), self.hints_beside)

    def _steering(self) -> "SteeringRequest":
        from img2img.photo import DEFAULT_MAX_PIXELS
        from img2img.steering.colors import parse_color
        from img2img.steering.request import SteeringRequest, read_reference

        self.check_influence()
        most = self.max_pixels or DEFAULT_MAX_PIXELS
        return SteeringRequest(
            read_reference(self.reference, max_pixels=most) if self.reference else None,
            1.0 if self.influence is None else float(self.influence),
            tuple(map(parse_color, self.palette)),
            float(self.warmth),
            self._hints(),
        )

    def _hints(self) -> "tuple[Hint, ...]":
        """The file's, then the single ones."""
        from img2img.steering.hints import parse_hint
        from img2img.steering.hints_file import read_hints

        filed = read_hints(Path(self.hints)) if self.hints and not self.hints_beside else ()
        return (*filed, *map(parse_hint, self.hint))
