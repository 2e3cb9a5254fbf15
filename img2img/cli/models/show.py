"""`img2img models show`: what a model's card says, in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from img2img.cli.shared_options import AsJson

if TYPE_CHECKING:
    from img2img.model_file import ModelCard, TensorSpec

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE|RUN", help="An available model, an .onnx or .safetensors file, or a run's folder."
    ),
]

RESULTS = {
    "change": "change: what it changes in a photo, enlarged and added to the photo",
    "picture": "picture: what it draws, enlarged to the photo's size",
}


def show(model: ModelName, as_json: AsJson = False) -> None:
    """Print a model's card: what it is, how it was made and how good it was measured to be."""
    from img2img.inference.run_model import settled_model
    from img2img.model_file import find_model, read_card

    path = find_model(settled_model(model))
    card = read_card(path)
    if as_json:
        print(json.dumps(json.loads(card.to_json()), indent=2))
        return
    from img2img.text_table import text_list

    print(text_list(card_rows(path, card)))


def card_rows(path: Path, card: ModelCard) -> list[tuple[str, str]]:
    """The card's lines, empty ones left out."""
    lines = [
        ("name", card.name),
        ("task", card.task),
        ("file", str(path)),
        ("size", size(path, card)),
        *(("input", tensor(spec)) for spec in card.inputs),
        *(("output", tensor(spec)) for spec in card.outputs),
        (
            "runs at",
            f"about {card.native_size} x {card.native_size} px, sides a multiple of {card.size_multiple}",
        ),
        ("recipe", f"{card.recipe}, {card.step:,} steps" if card.step else card.recipe),
        ("settings", listed(card.settings)),
        ("seed", "" if card.seed is None else str(card.seed)),
        ("data", f"{card.data}, in pairs" if card.paired else card.data),
        ("hardware", card.hardware),
        ("training took", "" if card.seconds is None else f"{card.seconds / 60:,.0f} minutes"),
        ("measured", listed(card.metrics)),
        ("measured by", card.metrics_command),
        ("score", listed(card.score or {})),
        ("way back", card.reverse or ""),
        ("critic", card.critic or ""),
        ("judges for", ", ".join(card.classes) if card.task == "critic" else ""),
        ("result", RESULTS[card.result] if card.task == "translate" else ""),
        ("tiles", f"see {card.halo} px around them" if card.halo else ""),
        ("licence", card.licence),
        ("made with", f"img2img {card.version}"),
        ("notes", card.notes),
        ("sha256", card.sha256),
    ]
    return [(title, shown(text)) for title, text in lines if text]


def shown(text: str) -> str:
    """The text of a card, which may be a stranger's, without what would steer a terminal."""
    from img2img.cli.closing import one_line

    return "\n".join(map(one_line, text.split("\n")))


def size(path: Path, card: ModelCard) -> str:
    """Raises ModelError where the file went away since its card was read."""
    from img2img.errors import ModelError

    try:
        content = path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    return f"{content / 1e6:.1f} MB, {card.parameters / 1e6:.1f} M parameters"


def measured(card: ModelCard) -> str:
    """The metrics that are numbers; curves, and on what they were measured, are for `show`."""
    return listed({name: value for name, value in card.metrics.items() if isinstance(value, int | float)})


def listed(values: dict[str, Any]) -> str:
    """A line for each value; what a dictionary or a list of dictionaries holds stands indented below its name."""
    return "\n".join(line for name, value in values.items() for line in _lines(name, value))


def _lines(name: str, value: object) -> list[str]:
    if isinstance(value, dict):
        below = listed(value).splitlines()
    elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        below = _aligned(value)
    else:
        return [f"{name} {_text(value)}"]
    return [name, *(f"  {line}" for line in below)]


def _aligned(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as a table, its columns in the order in which the rows name them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_text(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.rjust, line, widths)) for line in cells]


def tensor(spec: TensorSpec) -> str:
    shape = ", ".join(map(str, spec.shape))
    return f"{spec.name} ({shape}), {spec.unit}, {spec.range[0]:g} to {spec.range[1]:g}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
