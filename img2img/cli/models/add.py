"""`img2img models add` and `remove`: names for models that did not come with img2img."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from img2img.model_file.adding.add import AddedModel
    from img2img.transfer import TransferProgress

ModelSource = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="An .onnx file made by img2img, a run's folder, https://...#sha256=HEX, or "
        "hf:OWNER/NAME@REVISION[:FILE] on the Hugging Face hub (model.onnx if no FILE is given).",
    ),
]
NewName = Annotated[
    str | None, typer.Option(metavar="NAME", help="The name to give it. By default the one on its card.")
]
Replacing = Annotated[bool, typer.Option("--overwrite", help="Replace a model that was added under this name.")]
Unchecked = Annotated[
    bool, typer.Option("--unchecked", help="Download without a SHA-256 or a commit to check the file against.")
]
_NEXT = {
    "colorize": "img2img colorize PHOTO --model",
    "translate": "img2img translate PHOTO --model",
    "generate": "img2img generate --model",
    "critic": "img2img models show",
}


def add(source: ModelSource, name: NewName = None, overwrite: Replacing = False, unchecked: Unchecked = False) -> None:
    """Add a model of your own, or of someone else's, under a name that every command then knows.

    The file is copied or downloaded to your data folder (IMG2IMG_HOME names another), along with the reverse
    model and the critic that its card names if they lie beside it. Nothing in it is run. If a download breaks off, the
    same command continues it.

    \b
    Examples:
      img2img models add snow.onnx
      img2img models add runs/snow                        a training run, exported first
      img2img models add 'https://example.org/snow.onnx#sha256=...' --name winter
      img2img models add hf:OWNER/NAME@COMMIT:snow.onnx
    """
    from img2img.inference.run_model import settled_model
    from img2img.model_file.adding.add import add_model, check_new_name

    if name is not None:
        check_new_name(name, overwrite=overwrite)
    with _transfer() as progress:
        added = add_model(settled_model(source), name=name, overwrite=overwrite, unchecked=unchecked, progress=progress)
    _print_what_came(added)


def _print_what_came(added: AddedModel) -> None:
    from img2img.cli.closing import one_line

    print(f"{added.name}: added, {added.folder}")
    for name, file in added.files.items():
        print(one_line(f"  {name}.onnx, {len(file.content) / 1e6:,.1f} MB, from {file.origin}"))
        print(f"  sha256 {file.sha256}")
    for each in added.missing:
        lack = f"{each.what}, {each.name}, is missing, so {each.option} will not work: add it too"
        print(one_line(f"{added.name}: {lack}"), file=sys.stderr)
    print(f"next: {_NEXT[added.card.task]} {added.name}")


@contextmanager
def _transfer() -> Iterator[TransferProgress]:
    """How much has come; and at Ctrl-C, what was fetched by then."""
    from img2img.progress_bar import counted_progress

    fetched = 0
    try:
        with counted_progress("downloading", unit="bytes") as show:

            def progress(here: int, total: int | None) -> None:
                nonlocal fetched
                fetched = here
                show(here, total)

            yield progress
    except KeyboardInterrupt:
        if fetched:
            print(f"stopped; {fetched / 1e6:,.1f} MB are kept: the same command goes on from there", file=sys.stderr)
        raise
