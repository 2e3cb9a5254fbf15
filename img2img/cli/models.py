"""`img2img models`: what is at hand, and what a model's card says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from img2img.model_file import ModelCard, TensorSpec

app = typer.Typer(invoke_without_command=True, help="The models at hand, and their cards.")

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A model at hand, or an .onnx or .safetensors file.")]
AsJson = Annotated[bool, typer.Option("--json", help="The card as JSON.")]


@app.callback()
def models(context: typer.Context) -> None:
    """List the models at hand: size, data, measured quality, licence; `models show NAME` prints a card."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    from img2img.model_file import available_models, checkpoints, read_card

    paths = available_models()
    if not paths:
        print(f"No models in {checkpoints()}: train one with `img2img train`, then `img2img export`.")
        return
    table = Table("name", "task", "size", "data", "measured", "licence")
    for path in paths:
        card = read_card(path)
        table.add_row(path.stem, card.task, size(path, card), card.data, measured(card), card.licence)
    _console().print(table)


@app.command()
def show(model: Name, as_json: AsJson = False) -> None:
    """Print a model's card: what it is, how it was made and how good it was measured to be."""
    from img2img.model_file import find_model, read_card

    path = find_model(model)
    card = read_card(path)
    if as_json:
        print(json.dumps(json.loads(card.to_json()), indent=2, ensure_ascii=False))
        return
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for title, text in rows(path, card):
        table.add_row(title, text)
    _console().print(table)


def rows(path: Path, card: ModelCard) -> list[tuple[str, str]]:
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
        ("recipe", f"{card.recipe}, {card.step:,} steps"),
        ("settings", listed(card.settings)),
        ("data", card.data),
        ("hardware", card.hardware),
        ("measured", listed(card.metrics)),
        ("measured by", card.metrics_command),
        ("score", listed(card.score or {})),
        ("way back", card.reverse or ""),
        ("licence", card.licence),
        ("made with", f"img2img {card.version}"),
        ("notes", card.notes),
        ("sha256", card.sha256),
    ]
    return [(title, text) for title, text in lines if text]


def size(path: Path, card: ModelCard) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB, {card.parameters / 1e6:.1f} M parameters"


def measured(card: ModelCard) -> str:
    """The metrics that are single values; curves and the like are for `show`."""
    return listed({name: value for name, value in card.metrics.items() if not isinstance(value, dict | list)})


def listed(values: dict[str, Any]) -> str:
    return "\n".join(f"{name} {_text(value)}" for name, value in values.items())


def tensor(spec: TensorSpec) -> str:
    shape = ", ".join(map(str, spec.shape))
    return f"{spec.name} ({shape}), {spec.unit}, {spec.range[0]:g} to {spec.range[1]:g}"


def _console() -> Console:
    """As wide as the terminal, or as a card's lines where there is none; brackets are text, not markup."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
