"""`img2img models` by itself: what is at hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from img2img.cli.models.show import card_rows, measured, shown, size
from img2img.cli.shared_options import AsJson

AsMarkdown = Annotated[
    bool, typer.Option("--markdown", help="Print the cards of the models that ship as a Markdown page.")
]


def models(context: typer.Context, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """List available models: size, quality, licence; `models show NAME` prints a card.

    Exit code 1 when one of them cannot be used.
    """
    if context.invoked_subcommand is None:
        list_models(as_json, as_markdown)


def list_models(as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """The same as `img2img models` by itself."""
    if as_json:
        _print_json()
        return
    if as_markdown:
        print(markdown())
        return
    from img2img.model_file import available_models, checkpoints

    paths = available_models()
    if not paths:
        print(f"No models in {checkpoints()}: train one with `img2img train`, then `img2img export`.")
        return
    refusals = _print_table(paths)
    _print_added()
    for refusal in refusals:
        print(f"Error: {refusal}", file=sys.stderr)
    if refusals:
        raise typer.Exit(1)


def markdown() -> str:
    """A page of the cards of all models that ship: checkpoints/README.md."""
    from img2img.model_file import read_card, shipped_models

    parts = ["# Models", "Made from the models' own cards by `img2img models --markdown > checkpoints/README.md`."]
    for path in shipped_models():
        card = read_card(path)
        parts += [f"## {path.stem}", "| | |\n|---|---|"]
        for title, text in card_rows(path, card):
            cell = path.name if title == "file" else "<br>".join(text.splitlines())
            parts[-1] += f"\n| {title} | {cell} |"
    return "\n\n".join(parts)


def _print_json() -> None:
    """A card for each model, and its file; of one that cannot be used the reason."""
    from img2img.errors import ModelError
    from img2img.model_file import available_models, read_card

    records, usable = list[dict[str, object]](), True
    for path in available_models():
        try:
            records.append({"file": str(path), **json.loads(read_card(path).to_json())})
        except ModelError as error:
            usable = False
            records.append({"file": str(path), "error": str(error)})
    print(json.dumps(records, indent=2))
    if not usable:
        raise typer.Exit(1)


def _print_table(paths: list[Path]) -> list[str]:
    """Returns why models cannot be used."""
    from img2img.errors import ModelError
    from img2img.model_file import read_card
    from img2img.text_table import text_table

    rows, refusals = list[tuple[str, ...]](), []
    for path in paths:
        try:
            card = read_card(path)
            cells = (card.task, size(path, card), measured(card), card.licence)
        except ModelError as error:
            refusals.append(str(error))
            rows.append((path.stem, "cannot be used", "", "", ""))
        else:
            rows.append((path.stem, *map(shown, cells)))
    print(text_table(("name", "task", "size", "measured", "licence"), rows))
    return refusals


def _print_added() -> None:
    """Where the models lie that did not come with img2img, also those that one of its own hides."""
    from img2img.model_file import shipped_models
    from img2img.model_file.added_folder import added_models

    shipped = {path.stem for path in shipped_models()}
    for path in added_models():
        hidden = f"; hidden by the model of that name that ships: img2img models remove {path.stem}"
        print(f"{path.stem}: added, {path}{hidden if path.stem in shipped else ''}")
