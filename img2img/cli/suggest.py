"""`img2img suggest`: the likeliest colours at a place of a photo."""

import sys
from collections.abc import Sequence
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from img2img.cli.conversion_command import field_parameters
from img2img.cli.shared_options import AsJson
from img2img.conversion.colorize_options import ColorizeOptions

if TYPE_CHECKING:
    from img2img.steering.suggest import Suggestion

PlaceOfPhoto = Annotated[
    str,
    typer.Argument(
        metavar="X,Y", help="From the left and the top of the upright photo: 52%,40%, or in pixels, 812,300."
    ),
]
Count = Annotated[int, typer.Option(min=1, metavar="N", help="How many colours at most.")]
_FIELDS = ("model", "reference", "influence", "palette", "warmth", "max_pixels", "device", "runtime")


def suggest(photo: Path, place: str, count: int, as_json: bool, **chosen: Any) -> None:
    """Print the likeliest colours at a place in a photo and how likely each is, to choose a --hint from.

    \b
    Examples:
      img2img suggest photo.jpg 52%,40%
      img2img suggest photo.jpg 812,300 --reference other.jpg --json

    \b
    Exit codes: 0 all is well, 1 the photo or the model cannot be used, 2 wrong usage.
    """
    from img2img.conversion.suggest_colors import suggest_colors

    suggested = suggest_colors(photo, place, ColorizeOptions(**chosen), count=count)
    if as_json:
        _print_json(suggested)
    else:
        _print_lines(suggested)


def _signature() -> Signature:
    def parameter(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)

    return Signature(
        [
            parameter("photo", Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo's file.")]),
            parameter("place", PlaceOfPhoto),
            parameter("count", Count, 5),
            *field_parameters(ColorizeOptions, _FIELDS),
            parameter("as_json", AsJson, False),
        ]
    )


suggest.__signature__ = _signature()  # type: ignore[attr-defined]


def _print_json(suggested: "Sequence[Suggestion]") -> None:
    import json

    from img2img.steering.colors import hexadecimal

    rows = [{"color": hexadecimal(each.color), "probability": round(each.probability, 4)} for each in suggested]
    print(json.dumps(rows, indent=2))


def _print_lines(suggested: "Sequence[Suggestion]") -> None:
    """With a swatch before each where it is a terminal that shows colours."""
    from img2img.steering.colors import hexadecimal

    lines = {hexadecimal(each.color): f"{each.probability:4.0%}" for each in suggested}
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        if console.color_system and not console.no_color:
            for code, share in lines.items():
                console.print(Text("        ", style=f"on {code}"), code, share)
            return
    for code, share in lines.items():
        print(code, share)
