"""The commands, each imported and built when it is called or shown: all of them are a tenth of a small photo's time."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import typer
from typer.main import get_group

from img2img.cli.command_group import Commands, Recipes
from img2img.cli.conversion_command import ConversionCommand


def _colorize(app: typer.Typer) -> None:
    from img2img.cli.colorize import colorize

    app.command(cls=ConversionCommand, short_help="Colour photos, folders, archives and films.")(colorize)


def _translate(app: typer.Typer) -> None:
    from img2img.cli.translate import translate

    summary = "Turn photos of one kind into another: horses into zebras."
    app.command(cls=ConversionCommand, short_help=summary)(translate)


def _suggest(app: typer.Typer) -> None:
    from img2img.cli.suggest import suggest

    app.command(short_help="Show the likeliest colours at a place in a photo.")(suggest)


def _serve(app: typer.Typer) -> None:
    from img2img.cli.serve import serve

    app.command(short_help="Serve a web page for old photos, and an HTTP API.")(serve)


def _models(app: typer.Typer) -> None:
    from img2img.cli import models

    app.add_typer(models.app, name="models", cls=Commands)


def _provenance(app: typer.Typer) -> None:
    from img2img.cli.provenance import provenance

    app.command(short_help="Show what pictures say about how they were made.")(provenance)


def _train(app: typer.Typer) -> None:
    from img2img.cli.training import train

    app.add_typer(train.app, name="train", cls=Recipes, short_help="Train a model on your own pictures.")


def _data(app: typer.Typer) -> None:
    from img2img.cli.training import data

    app.add_typer(data.app, name="data", cls=Commands)


def _runs(app: typer.Typer) -> None:
    from img2img.cli.training import runs

    app.add_typer(runs.app, name="runs", cls=Commands)


def _export(app: typer.Typer) -> None:
    from img2img.cli.training.export import export

    app.command(short_help="Export a training run as model files.")(export)


def _import(app: typer.Typer) -> None:
    from img2img.cli.training.import_model import import_model

    app.command("import", short_help="Convert a checkpoint of CycleGAN, pix2pix or CUT.")(import_model)


def _evaluate(app: typer.Typer) -> None:
    from img2img.cli.training.evaluate import evaluate

    app.command(short_help="Measure a model, or compare pictures with real ones.")(evaluate)


def _features(app: typer.Typer) -> None:
    from img2img.cli.training.features import features

    app.command(short_help="Show what a trained discriminator has learnt to see.")(features)


def _generate(app: typer.Typer) -> None:
    from img2img.cli.generate import generate

    app.command(short_help="Draw pictures from noise.")(generate)


def _directions(app: typer.Typer) -> None:
    from img2img.cli import directions

    summary = "Find the directions that steer what a model draws."
    app.add_typer(directions.app, name="directions", cls=Commands, short_help=summary)


_ADDED_BY: dict[str, Callable[[typer.Typer], None]] = {
    "colorize": _colorize,
    "translate": _translate,
    "suggest": _suggest,
    "serve": _serve,
    "models": _models,
    "provenance": _provenance,
    "train": _train,
    "data": _data,
    "runs": _runs,
    "export": _export,
    "import": _import,
    "evaluate": _evaluate,
    "features": _features,
    "generate": _generate,
    "directions": _directions,
}


_VALUES = {
    "IntParamType": "N",
    "IntRange": "N",
    "FloatParamType": "X",
    "FloatRange": "X",
    "TyperPath": "PATH",
    "StringParamType": "TEXT",
}
"""What the help calls a value; Typer's own words are those of a program, <int range>."""


def _with_named_values(command: Any) -> Any:
    for each in getattr(command, "commands", {}).values():
        _with_named_values(each)
    for param in command.params:
        if param.metavar is None and param.param_type_name == "option" and not param.is_flag:
            param.metavar = _VALUES.get(type(param.type).__name__)
    return command


class CommandTable(MutableMapping[str, Any]):
    """Typer's commands by their names; to ask whether there is one builds none."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            app = typer.Typer(rich_markup_mode=None)
            _ADDED_BY[name](app)
            self._built[name] = _with_named_values(get_group(app).commands[name])
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in _ADDED_BY

    def __iter__(self) -> Iterator[str]:
        return iter(_ADDED_BY)

    def __len__(self) -> int:
        return len(_ADDED_BY)

    def __setitem__(self, name: str, command: Any) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("the table of commands is fixed")
