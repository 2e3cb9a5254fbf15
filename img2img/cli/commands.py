"""The commands, each imported and built when it is called or shown: all of them are a tenth of a small photo's time."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import typer
from typer.main import get_group

from img2img.cli.command_group import Commands, Recipes
from img2img.cli.conversion_command import ConversionCommand


def _colorize(app: typer.Typer) -> None:
    from img2img.cli.colorize import colorize

    app.command(cls=ConversionCommand)(colorize)


def _translate(app: typer.Typer) -> None:
    from img2img.cli.translate import translate

    app.command(cls=ConversionCommand)(translate)


def _suggest(app: typer.Typer) -> None:
    from img2img.cli.suggest import suggest

    app.command()(suggest)


def _serve(app: typer.Typer) -> None:
    from img2img.cli.serve import serve

    app.command()(serve)


def _models(app: typer.Typer) -> None:
    from img2img.cli import models

    app.add_typer(models.app, name="models", cls=Commands)


def _provenance(app: typer.Typer) -> None:
    from img2img.cli.provenance import provenance

    app.command()(provenance)


def _train(app: typer.Typer) -> None:
    from img2img.cli.training import train

    app.add_typer(train.app, name="train", cls=Recipes)


def _data(app: typer.Typer) -> None:
    from img2img.cli.training import data

    app.add_typer(data.app, name="data", cls=Commands)


def _runs(app: typer.Typer) -> None:
    from img2img.cli.training import runs

    app.add_typer(runs.app, name="runs", cls=Commands)


def _export(app: typer.Typer) -> None:
    from img2img.cli.training.export import export

    app.command()(export)


def _import(app: typer.Typer) -> None:
    from img2img.cli.training.import_model import import_model

    app.command("import")(import_model)


def _evaluate(app: typer.Typer) -> None:
    from img2img.cli.training.evaluate import evaluate

    app.command()(evaluate)


def _features(app: typer.Typer) -> None:
    from img2img.cli.training.features import features

    app.command()(features)


def _generate(app: typer.Typer) -> None:
    from img2img.cli.generate import generate

    app.command()(generate)


def _directions(app: typer.Typer) -> None:
    from img2img.cli import directions

    app.add_typer(directions.app, name="directions", cls=Commands)


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


class CommandTable(MutableMapping[str, Any]):
    """Typer's commands by their names; to ask whether there is one builds none."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            app = typer.Typer(rich_markup_mode=None)
            _ADDED_BY[name](app)
            self._built[name] = get_group(app).commands[name]
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
