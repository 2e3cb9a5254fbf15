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
            list[str] | None,
            typer.Option(
                help="Folder of images, .tar shard or the word digits; repeatable [default: the recipe's own set].",
                metavar="DIR_OR_TAR",
            ),
        ] = None,
        out: Annotated[Path | None, typer.Option(help=f"The run's folder [default: runs/{recipe}].")] = None,
        steps: Annotated[int | None, typer.Option(min=1, help="Length of the whole schedule.")] = None,
        init: Annotated[Path | None, typer.Option(help="Start from these weights (.safetensors).")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last state.")] = False,
        seed: Annotated[int | None, typer.Option(help="Fixes every random choice [default: 0].")] = None,
        device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
        config: Annotated[
            Path | None, typer.Option(help="Settings from a file of lines NAME = VALUE (TOML).", metavar="FILE")
        ] = None,
        settings: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="NAME=VALUE", help="Change one of the recipe's numbers; repeatable."),
        ] = None,
        workers: Annotated[
            int | None, typer.Option(min=0, help="Processes that decode images [default: by data and device].")
        ] = None,
        cache: Annotated[str, typer.Option(help="Keep the decoded images in: auto, device, memory or none.")] = "auto",
        compile: Annotated[bool, typer.Option("--compile", help="Compile the generators.")] = False,
        log_every: Annotated[int, typer.Option(min=1, help="Steps between records.")] = 50,
        save_every: Annotated[int, typer.Option(min=1, help="Steps between saved states.")] = 500,
        keep: Annotated[int, typer.Option(min=1, help="How many saved states are kept.")] = 3,
        preview_every: Annotated[int, typer.Option(min=1, help="Steps between preview grids.")] = 500,
        health_every: Annotated[int, typer.Option(min=1, help="Steps between looks at the run's health.")] = 100,
        tensorboard: Annotated[
            bool, typer.Option("--tensorboard", help="Write the figures and previews for TensorBoard, too.")
        ] = False,
    ) -> None:
        from img2img.training.start import Request, start
        from img2img.training.trainer import Pace

        pace = Pace(
            log_every=log_every,
            save_every=save_every,
            preview_every=preview_every,
            health_every=health_every,
            workers=workers,
            cache=cache,
            keep=keep,
        )
        run = out or Path("runs") / recipe
        request = Request(
            recipe,
            data or (),
            run,
            steps=steps,
            init=init,
            resume=resume,
            seed=seed,
            device=device,
            settings=settings or (),
            pace=pace,
            config=config,
            compile=compile,
            tensorboard=tensorboard,
        )
        trainer = start(request)
        trainer.train()
        if trainer.processes.leads:
            typer.echo(f"{run}: done; next: img2img export {run} -o {recipe}.onnx", err=True)

    return train


for _name, _entry in RECIPES.items():
    app.command(_name, help=_entry.summary)(_command(_name))
