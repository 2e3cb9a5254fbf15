"""From a command's words to a running trainer: a new run, one that goes on, or one that starts from weights."""

import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from img2img.errors import DataError, ModelError, SettingError
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.training.cache import settled_cache
from img2img.training.data_choice import chosen_data
from img2img.training.distributed import OneProcess, processes_from
from img2img.training.image_source import ImageSource, from_anywhere, open_source
from img2img.training.machine import command_line, hardware, loader_processes, pick_device
from img2img.training.run_folder import RunFolder, RunInfo, versions
from img2img.training.schedule import schedule_change
from img2img.training.settings import chosen_settings, make_config
from img2img.training.state import load_latest
from img2img.training.trainer import Pace, Trainer
from img2img.training.weights import initialise


@dataclass(frozen=True)
class Request:
    """What `img2img train NAME` was asked for."""

    recipe: str
    data: Sequence[str | Path]
    """Folders, .tar shards or the word "digits"; empty for the recipe's default set, or the run's own."""
    out: Path
    steps: int | None = None
    init: Path | None = None
    resume: bool = False
    seed: int | None = None
    device: str = "auto"
    settings: Sequence[str] = ()
    pace: Pace = field(default_factory=Pace)
    config: Path | None = None
    compile: bool = False
    tensorboard: bool = False


def start(request: Request) -> Trainer:
    """A trainer that is ready to `train()`."""
    return _go_on(request) if request.resume else _begin(request)


def _begin(request: Request) -> Trainer:
    recipe_type, processes = recipe_class(request.recipe), processes_from()
    folder = RunFolder(request.out)
    folder.refuse_another_run()
    data = request.data or chosen_data(request.recipe, announce=processes.leads)
    config, source = _config_and_source(recipe_type, request, data)
    if request.init and not request.init.exists():
        raise ModelError(f"{request.init}: no such file; --init takes a .safetensors")
    seed, device = request.seed or 0, pick_device(request.device, processes.local_rank)
    torch.manual_seed(seed)
    random.seed(seed)
    recipe = recipe_type(config)
    recipe.start()
    if request.init:
        initialise(recipe.get_submodule(recipe.exported), request.init)
    pace = _settled(request.pace, source, recipe, device)
    if processes.leads:
        info = RunInfo(
            recipe=recipe.name,
            config=asdict(recipe.config),
            seed=seed,
            data=[from_anywhere(item) for item in data],
            init=str(request.init) if request.init else None,
            command=command_line(processes),
            versions=versions(),
            hardware=hardware(device),
            images=len(source),
            classes=list(source.classes),
            processes=processes.world,
            cache=pace.cache,
        )
        folder.create(info)
    return _trainer(replace(request, pace=pace), recipe, source, folder, seed, device, processes)


def _go_on(request: Request) -> Trainer:
    """Everything comes from the run itself, but for --steps, --data and --device when given."""
    folder, processes = RunFolder(request.out), processes_from()
    info = folder.read_info()
    if info.recipe != request.recipe:
        raise SettingError(f"{request.out}: a run of {info.recipe}, not of {request.recipe}")
    if request.settings or request.init or request.config or request.seed is not None:
        raise SettingError(
            "--resume goes on with the run's own settings: leave --set, --config, --seed and --init away"
        )
    state = load_latest(request.out)
    recipe_type = recipe_class(info.recipe)
    config = recipe_type.Config(**state.config)
    source = _same_source(request, info)
    recipe = recipe_type(replace(config, steps=request.steps or config.steps))
    if recipe.config.steps != config.steps:
        change = schedule_change(recipe, state.step, config.steps, recipe.config.steps)
        if processes.leads:
            print(change, file=sys.stderr)
    device = pick_device(request.device, processes.local_rank)
    kept = request.pace if request.pace.cache != "auto" else replace(request.pace, cache=info.cache)
    request = replace(request, pace=_settled(kept, source, recipe, device))
    trainer = _trainer(request, recipe, source, folder, state.seed, device, processes)
    trainer.resume(state)
    if processes.leads:
        folder.write_info(replace(info, config=asdict(recipe.config)))
    return trainer


def _settled(pace: Pace, source: ImageSource, recipe: Recipe, device: torch.device) -> Pace:
    """With where the decoded images are kept, and how many processes decode them."""
    config = recipe.config
    cache = settled_cache(
        pace.cache,
        source,
        image_size=config.image_size,
        augment=config.augment,
        samples=config.steps * recipe.batches_per_step * config.batch_size,
        device=device,
    )
    workers = loader_processes(device) if pace.workers is None and cache == "none" else pace.workers or 0
    return replace(pace, cache=cache, workers=workers)


def _trainer(
    request: Request,
    recipe: Recipe,
    source: ImageSource,
    folder: RunFolder,
    seed: int,
    device: torch.device,
    processes: OneProcess,
) -> Trainer:
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")  # TF32, for what autocast leaves in float32
        torch.backends.cudnn.benchmark = True  # every step has the same shapes: worth trying out what is fastest
    processes.join(device)
    return Trainer(
        recipe,
        source,
        folder,
        seed=seed,
        device=device,
        pace=request.pace,
        processes=processes,
        compile=request.compile,
        tensorboard=request.tensorboard,
    )


def _config_and_source(
    recipe: type[Recipe], request: Request, data: Sequence[str | Path]
) -> tuple[Recipe.Config, ImageSource]:
    """The settings, checked before the data is opened, and with the number of classes that it has."""
    given: dict[str, Any] = {} if request.steps is None else {"steps": request.steps}
    config = make_config(recipe, request.settings, request.config, **given)
    source = open_source(data)
    if "classes" in {field.name for field in fields(config)} and source.classes:
        counted: dict[str, Any] = {"classes": len(source.classes)}
        asked = chosen_settings(recipe, request.settings, request.config).get("classes")
        if asked not in (None, len(source.classes)):
            raise SettingError(
                f"classes={asked}: {', '.join(map(str, data))} has {len(source.classes)}; leave classes away, since "
                "they are counted"
            )
        config = replace(config, **counted)
    if any(spec.name == "label" for spec in recipe.inputs(config)) and not source.classes:
        raise DataError(
            f"{', '.join(map(str, data))}: {recipe.name} learns from labelled images, and these have no labels; "
            "put the images of each class into a folder of its own: DIR/cat/1.jpg, DIR/dog/1.jpg ..."
        )
    return config, source


def _same_source(request: Request, info: RunInfo) -> ImageSource:
    """The images that the run began with, or those that --data gives now."""
    source = open_source(request.data or info.data)
    if not request.data and info.images not in (0, len(source)):
        now = "1 image" if len(source) == 1 else f"{len(source):,} images"
        raise DataError(
            f"{', '.join(info.data)}: {now}, and the run began with {info.images:,}, so it would go on with other "
            "samples; give --data to accept that"
        )
    if info.classes and list(source.classes) != info.classes:
        raise DataError(
            f"{', '.join(map(str, request.data or info.data))}: classes {', '.join(source.classes) or 'none'}, and the "
            f"run learns {', '.join(info.classes)}; give data with these"
        )
    return source
