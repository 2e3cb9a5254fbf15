"""`img2img train RECIPE`: one command a recipe, made from the table of recipes."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from img2img.cli.shared_options import choice_option
from img2img.cli.training.train_options import (
    CachePlace,
    Compile,
    HealthEvery,
    Init,
    Keep,
    LogEvery,
    Minutes,
    PreviewEvery,
    Resume,
    SaveEvery,
    Seed,
    Settings,
    Steps,
    Tensorboard,
    TrainingDevice,
    Workers,
)
from img2img.data import PairDirection
from img2img.recipes import RECIPES, check_preset, check_setting, split_assignment

app = typer.Typer(
    help="Train a model on your own pictures; every run can be stopped and resumed.", no_args_is_help=True
)


_DATA_HELP = (
    "Folder of images, .tar shard, 'shards-*.tar' or the word digits; repeatable, ITEM=WEIGHT sets its share of the "
    "samples [default: the recipe's own set]."
)
_TWO_SETS_HELP = "Folder with trainA and trainB in it; or twice, a and then b [default: the recipe's own set]."


def _side(name: str, what: str, *, shown: bool) -> Any:
    """The option of one of two sets, or of both in one."""
    told = f"{what}; repeatable, also as ITEM=WEIGHT."
    return typer.Option(name, hidden=not shown, help=told, metavar="DIR_OR_TAR")


def _command(recipe: str) -> Callable[..., None]:
    translates, paired = RECIPES[recipe].task == "translate", RECIPES[recipe].paired
    both = "tables [a] and [b], or [ab]," if paired else "tables [a] and [b]"
    tables = both if translates else "a table [data]"

    def print_settings(wanted: bool) -> None:
        if wanted:
            from img2img.recipes import recipe_class
            from img2img.recipes.setting_list import preset_list, setting_list

            listed = recipe_class(recipe)
            print("\n".join([*setting_list(listed), *preset_list(listed)]))
            raise typer.Exit

    def train(
        data: Annotated[
            list[str] | None, typer.Option(help=_TWO_SETS_HELP if translates else _DATA_HELP, metavar="DIR_OR_TAR")
        ] = None,
        a: Annotated[list[str] | None, _side("--a", "Images to translate", shown=translates)] = None,
        b: Annotated[list[str] | None, _side("--b", "What they become", shown=translates)] = None,
        ab: Annotated[
            list[str] | None, _side("--ab", "Pictures of both side by side, a on the left", shown=paired)
        ] = None,
        direction: Annotated[
            PairDirection | None,
            choice_option(PairDirection, hidden=not paired, help="b2a learns to make a from b [default: a2b]."),
        ] = None,
        out: Annotated[Path | None, typer.Option(help=f"The run's folder [default: runs/{recipe}].")] = None,
        steps: Steps = None,
        init: Init = None,
        resume: Resume = False,
        seed: Seed = None,
        device: TrainingDevice = "auto",
        config: Annotated[
            Path | None,
            typer.Option(
                help=f"Read settings from a TOML file of lines NAME = VALUE; it may name the data, too, "
                f'if the command does not: {tables} of lines "PATH" = WEIGHT.',
                metavar="FILE",
            ),
        ] = None,
        settings: Settings = None,
        preset: Annotated[
            str | None,
            typer.Option(
                hidden=not RECIPES[recipe].presets,
                help=f"A named group of settings: {', '.join(RECIPES[recipe].presets)}. --set overrides them.",
                metavar="NAME",
            ),
        ] = None,
        workers: Workers = None,
        cache: CachePlace = "auto",
        compile: Compile = False,
        log_every: LogEvery = 50,
        save_every: SaveEvery = 500,
        keep: Keep = 3,
        preview_every: PreviewEvery = 500,
        health_every: HealthEvery = 100,
        evaluate_every: Annotated[
            int,
            typer.Option(min=0, hidden=not translates, help="Steps between measurements of quality; 0 for none."),
        ] = 1000,
        minutes: Minutes = None,
        tensorboard: Tensorboard = False,
        list_settings: Annotated[
            bool,
            typer.Option(
                "--list-settings",
                callback=print_settings,
                is_eager=True,
                help="Print the settings with their defaults, and exit.",
            ),
        ] = False,
    ) -> None:
        until = None if minutes is None else time.monotonic() + 60 * minutes

        from img2img.errors import RunError
        from img2img.interrupt import breaking_in_once
        from img2img.recipes.setting_list import setting_names
        from img2img.runs.run_folder import RunFolder
        from img2img.runs.run_info import read_outline
        from img2img.saved_states import stopping_place

        run = out or Path("runs") / recipe
        named = {name: images for name, images in (("a", a), ("b", b), ("ab", ab)) if images}
        if resume:
            read_outline(run)  # before torch is imported
        else:
            RunFolder(run).refuse_another_run()  # likewise, and before data are read
        if preset is not None:
            check_preset(recipe, RECIPES[recipe].presets, preset)
        known = setting_names(recipe) if settings else []
        for each in settings or ():
            check_setting(recipe, known, split_assignment(each)[0], f"--set {each}")
        if (data or named) and not resume:
            _refuse_missing(recipe, data or (), named, direction)
        if os.environ.get("RANK", "0") == "0":  # of several processes the first
            typer.echo("loading PyTorch ...", err=True)

        from img2img.training.pace import Pace
        from img2img.training.request import TrainingRequest
        from img2img.training.start import start

        pace = Pace(
            log_every=log_every,
            save_every=save_every,
            preview_every=preview_every,
            health_every=health_every,
            evaluate_every=evaluate_every,
            workers=workers,
            cache=cache,
            keep=keep,
            until=until,
        )
        request = TrainingRequest(
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
            domains=named,
            direction=direction,
            preset=preset,
        )
        with breaking_in_once():
            trainer = start(request)
            try:
                trainer.train()
            except KeyboardInterrupt:
                if trainer.processes.leads:
                    typer.echo(stopping_place(run, trainer.step), err=True)
                raise
            except RunError:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun ends all when one died: the reason comes first
                raise
        if trainer.processes.leads:
            ended = f"{run}: done; next: {_next_command(recipe, run)}"
            typer.echo(ended if trainer.done else stopping_place(run, trainer.step), err=True)

    return train


def _refuse_missing(
    recipe: str, data: Sequence[str], named: Mapping[str, Sequence[str]], direction: PairDirection | None
) -> None:
    from img2img.data.data_item import refuse_missing
    from img2img.data.named_data import named_data

    entry = RECIPES[recipe]
    domains = ("a", "b") if entry.task == "translate" else ("image",)
    chosen = named_data(recipe, domains, data, named, paired=entry.paired, direction=direction, announce=False)
    for words in chosen.domains.values():
        refuse_missing(words)


def _next_command(recipe: str, run: Path) -> str:
    if RECIPES[recipe].task == "generate":
        return f"img2img generate --model {run}"
    if RECIPES[recipe].task == "translate" and not RECIPES[recipe].paired:
        return f"img2img export {run} -o a2b.onnx --reverse b2a.onnx"
    return f"img2img export {run} -o {recipe}.onnx"


for _name, _entry in RECIPES.items():
    _epilog = f"What --set and --config can change: img2img train {_name} --list-settings"
    app.command(_name, help=_entry.summary, epilog=_epilog)(_command(_name))
