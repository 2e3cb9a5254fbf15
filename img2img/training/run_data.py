"""The settings of a run and its images, which depend on each other: classes and epochs are counted in the images."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from PIL import Image

from img2img.data import PairDirection
from img2img.data.check.look import is_grey
from img2img.data.data_choice import ChosenData
from img2img.data.image_source import ImageSource
from img2img.data.named_data import named_data
from img2img.data.open_source import from_anywhere
from img2img.data.training_data import TrainingData, open_data
from img2img.errors import DataError, SettingError, UsageError
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import chosen_settings, make_config, written_data
from img2img.runs.run_info import RunInfo
from img2img.training.request import TrainingRequest

_log = logging.getLogger(__name__)


def begun_with(recipe: type[Recipe], request: TrainingRequest, *, announce: bool) -> ChosenData:
    """The data of a new run: what the command names, or else the file of settings, or else the recipe's own set.

    Raises as `chosen_data` and `written_data`.
    """
    if request.names_data:
        return _chosen(recipe, request.data, request.domains, request.direction, announce=announce)
    by_domain = written_data(recipe, request.config)
    data = by_domain.pop("data", ())
    return _chosen(recipe, data, by_domain, request.direction, announce=announce)


def _chosen(
    recipe: type[Recipe],
    data: Sequence[str | Path],
    by_domain: Mapping[str, Sequence[str | Path]],
    direction: PairDirection | None,
    *,
    announce: bool,
) -> ChosenData:
    return named_data(
        recipe.name,
        recipe.domains,
        data,
        by_domain,
        paired=recipe.paired,
        direction=direction,
        announce=announce,
    )


def config_and_data(
    recipe: type[Recipe], request: TrainingRequest, chosen: ChosenData, *, announce: bool
) -> tuple[Recipe.Config, TrainingData]:
    """The settings, checked before the data is opened, and with what is counted in it, said on stderr if `announce`.

    Raises SettingError for settings that cannot be, DataError for images that the recipe cannot learn from.
    """
    given: dict[str, Any] = {} if request.steps is None else {"steps": request.steps}
    asked = given | chosen_settings(recipe, request.settings, request.config)
    config = make_config(recipe, request.settings, request.config, request.preset, **given)
    if _steps_asked(recipe, request):
        config = config.for_steps(config.steps)
    if announce:
        _log.info("looking through the images ...")
    data = open_data(chosen.domains, held_out=config.images_held_out(), paired=recipe.paired)
    config = _with_classes(config, data, asked.get("classes"), chosen.named)
    config = _with_channels(config, data, asked="image_channels" in asked, announce=announce)
    config = _with_epochs(config, data, announce=announce)
    if _learns_labels(recipe, config) and not data.classes:
        raise DataError(
            f"{_listed(chosen.named)}: {recipe.name} learns from labelled images, and these have no labels; "
            "put the images of each class into a folder of its own: DIR/cat/1.jpg, DIR/dog/1.jpg ..."
        )
    return config, data


def same_data(
    recipe: type[Recipe], config: Recipe.Config, request: TrainingRequest, info: RunInfo
) -> tuple[TrainingData, RunInfo]:
    """The images that the run began with, or those that the request names now, and the run's record with these.

    Raises DataError when they differ from what the run learns.
    """
    chosen = ChosenData(info.data, info.domains or {recipe.domains[0]: info.data})
    direction = _own_direction(request, info)
    if request.names_data:
        chosen = _chosen(recipe, request.data, request.domains, direction, announce=False)
    data = open_data(chosen.domains, held_out=config.images_held_out(), paired=recipe.paired)
    if not request.names_data and info.images not in (0, data.images):
        now = "1 image" if data.images == 1 else f"{data.images:,} images"
        raise DataError(
            f"{_listed(chosen.named)}: {now}, and the run began with {info.images:,}, so it would go on with other "
            "samples; give --data to accept that"
        )
    learnt = info.classes if _learns_labels(recipe, config) else []
    if learnt and list(data.classes) != learnt:
        raise DataError(
            f"{_listed(chosen.named)}: classes {', '.join(data.classes) or 'none'}, and the "
            f"run learns {', '.join(learnt)}; give data with these"
        )
    if not request.names_data:
        return data, info
    return data, with_data(replace(info, direction=taken_direction(recipe, direction)), chosen, data)


def taken_direction(recipe: type[Recipe], asked: PairDirection | None) -> PairDirection | None:
    """Of the pairs of a recipe that learns from such."""
    return (asked or "a2b") if recipe.paired else None


def with_data(info: RunInfo, chosen: ChosenData, data: TrainingData) -> RunInfo:
    """The run's record, with what it is trained on from here."""
    return replace(
        info,
        data=[from_anywhere(item) for item in chosen.named],
        domains={domain: [from_anywhere(item) for item in items] for domain, items in chosen.domains.items()},
        images=data.images,
        classes=list(data.classes),
    )


def _learns_labels(recipe: type[Recipe], config: Recipe.Config) -> bool:
    return any(spec.name == "label" for spec in recipe.inputs(config))


def _own_direction(request: TrainingRequest, info: RunInfo) -> PairDirection | None:
    """The run's; or the command's, of an older run that does not say its own and whose data is named again."""
    if info.direction is None and request.names_data:
        return request.direction
    if request.direction not in (None, info.direction):
        own = f"the run's own, {info.direction}" if info.direction else "the run's own"
        raise UsageError(f"--direction {request.direction}: --resume goes on in {own}; leave it out")
    return info.direction


def _with_classes(
    config: Recipe.Config, data: TrainingData, asked: int | None, named: Sequence[str | Path]
) -> Recipe.Config:
    if not data.classes:
        return config
    if asked not in (None, len(data.classes)):
        raise SettingError(
            f"classes={asked}: {_listed(named)} has {len(data.classes)}; leave out classes, since they are counted"
        )
    return config.for_classes(len(data.classes))


def _with_channels(config: Recipe.Config, data: TrainingData, *, asked: bool, announce: bool) -> Recipe.Config:
    """In colour where the images are, unless the channels were asked for."""
    colored = config.in_color()
    if asked or colored == config or not all(map(_has_color, data.train.values())):
        return config
    if announce:
        _log.info("image_channels: 3, since the images are in colour; --set image_channels=1 draws in grey")
    return colored


def _has_color(source: ImageSource) -> bool:
    """Whether most of up to 16 images, spread over the source, are in colour."""
    looked_at = range(0, len(source), max(1, len(source) // 16))
    return sum(not is_grey(Image.fromarray(source.rgb(index))) for index in looked_at) > len(looked_at) / 2


def _steps_asked(recipe: type[Recipe], request: TrainingRequest) -> bool:
    """Whether steps were asked for, in the place of epochs, in what wins over the rest: the command, then its file.

    Raises SettingError where both are asked for in one place.
    """
    given: dict[str, Any] = {} if request.steps is None else {"steps": request.steps}
    places = {
        "the command": given | chosen_settings(recipe, request.settings, None),
        f"{request.config}": chosen_settings(recipe, (), request.config),
    }
    for place, asked in places.items():
        if "steps" in asked and asked.get("epochs"):
            raise SettingError(
                f"{place}: steps={asked['steps']} and epochs={asked['epochs']} both say how long to train; give one"
            )
        if asked.keys() & {"steps", "epochs"}:
            return "steps" in asked
    return False


def _with_epochs(config: Recipe.Config, data: TrainingData, *, announce: bool) -> Recipe.Config:
    """With as many steps as its epochs take, where it has some."""
    epochs = config.passes()
    if not epochs:
        return config
    steps = ceil(epochs * data.epoch / config.batch_size)
    if announce:
        passes = "1 epoch" if epochs == 1 else f"{epochs:,} epochs"
        _log.info("%s of %s images: %s steps", passes, f"{data.epoch:,}", f"{steps:,}")
    return replace(config, steps=steps)


def _listed(named: Sequence[str | Path]) -> str:
    return ", ".join(map(str, named))
