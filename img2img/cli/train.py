"""`img2img train RECIPE`: one command a recipe, made from the table of recipes."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from img2img.recipes import RECIPES

app = typer.Typer(
    help="Train a model on your own pictures; every run can be stopped and resumed.", no_args_is_help=True
)


def _command(recipe: str) -> Callable[..., None]:
    def train(
        data: Annotated[
            list[Path] | None,
            typer.Option(help="Folder of images or .tar shard; repeatable.", metavar="DIR_OR_TAR"),
        ] = None,
        out: Annotated[Path | None, typer.Option(help=f"The run's folder [default: runs/{recipe}].")] = None,
        steps: Annotated[int | None, typer.Option(min=1, help="Length of the whole schedule.")] = None,
        init: Annotated[Path | None, typer.Option(help="Start from these weights (.safetensors).")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last state.")] = False,
        seed: Annotated[int | None, typer.Option(help="Fixes every random choice [default: 0].")] = None,
        device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
        settings: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="NAME=VALUE", help="Change one of the recipe's numbers; repeatable."),
        ] = None,
        workers: Annotated[int, typer.Option(min=0, help="Processes that decode images.")] = 0,
        log_every: Annotated[int, typer.Option(min=1, help="Steps between records.")] = 50,
        save_every: Annotated[int, typer.Option(min=1, help="Steps between saved states.")] = 500,
        preview_every: Annotated[int, typer.Option(min=1, help="Steps between preview grids.")] = 500,
    ) -> None:
        from img2img.training.start import Request, start
        from img2img.training.trainer import Pace

        pace = Pace(log_every, save_every, preview_every, workers=workers)
        run = out or Path("runs") / recipe
        request = Request(
            recipe, data or (), run, steps, init, resume, seed, device, settings or (), pace
        )  # fmt: skip
        start(request).train()
        typer.echo(f"{run}: done; next: img2img export {run} -o {recipe}.onnx", err=True)

    return train


for _name, _entry in RECIPES.items():
    app.command(_name, help=_entry.summary)(_command(_name))
