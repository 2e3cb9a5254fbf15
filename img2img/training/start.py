"""From a command's words to a running trainer: a new run, one that goes on, or one that starts from weights."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from img2img.errors import DataError, ModelError, SettingError
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.training.image_source import open_source
from img2img.training.run_folder import RunFolder, RunInfo, versions
from img2img.training.settings import make_config
from img2img.training.state import load_latest
from img2img.training.trainer import Pace, Trainer
from img2img.training.weights import initialise


@dataclass(frozen=True)
class Request:
    """What `img2img train NAME` was asked for."""

    recipe: str
    data: Sequence[Path]
    out: Path
    steps: int | None = None
    init: Path | None = None
    resume: bool = False
    seed: int | None = None
    device: str = "auto"
    settings: Sequence[str] = ()
    pace: Pace = field(default_factory=Pace)


def pick_device(name: str) -> torch.device:
    """`auto` is the GPU where there is one; raises SettingError for a device that is not here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SettingError("--device cuda: PyTorch sees no CUDA GPU here; leave --device away")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise SettingError(f"--device {name}: no such device; take cpu or cuda") from error


def start(request: Request) -> Trainer:
    """A trainer that is ready to `train()`."""
    return _go_on(request) if request.resume else _begin(request)


def _begin(request: Request) -> Trainer:
    given = {} if request.steps is None else {"steps": request.steps}
    if not request.data:
        raise DataError(
            f"img2img train {request.recipe} needs colour photos: --data FOLDER or --data SHARD.tar (repeatable)"
        )
    recipe_type = recipe_class(request.recipe)
    config = make_config(recipe_type, request.settings, **given)
    source = open_source(request.data)
    if request.init and not request.init.exists():
        raise ModelError(f"{request.init}: no such file; --init takes a .safetensors")
    seed, device = request.seed or 0, pick_device(request.device)
    torch.manual_seed(seed)
    recipe = recipe_type(config)
    recipe.start()
    if request.init:
        initialise(recipe.get_submodule(recipe.exported), request.init)
    folder = RunFolder(request.out)
    folder.create(_describe(request, recipe, seed, device, len(source)))
    return Trainer(recipe, source, folder, seed=seed, device=device, pace=request.pace)


def _go_on(request: Request) -> Trainer:
    """Everything comes from the run itself, but for --steps, --data and --device when given."""
    folder = RunFolder(request.out)
    info = folder.read_info()
    if info.recipe != request.recipe:
        raise SettingError(f"{request.out}: a run of {info.recipe}, not of {request.recipe}")
    if request.settings or request.init or request.seed is not None:
        raise SettingError("--resume goes on with the run's own settings: leave --set, --seed and --init away")
    state = load_latest(request.out)
    recipe_type = recipe_class(info.recipe)
    config = recipe_type.Config(**state.config)
    if request.steps and request.steps != config.steps:
        print(
            f"schedule stretched: {config.steps} -> {request.steps} steps; the learning rate jumps to its new curve",
            file=sys.stderr,
        )
        config = replace(config, steps=request.steps)
    source = open_source(request.data or [Path(path) for path in info.data])
    if not request.data and info.images not in (0, len(source)):
        raise DataError(
            f"{', '.join(info.data)}: {len(source):,} images, and the run began with {info.images:,}, so it would go "
            "on with other samples; give --data to accept that"
        )
    device = pick_device(request.device)
    recipe = recipe_type(config)
    trainer = Trainer(recipe, source, folder, seed=state.seed, device=device, pace=request.pace)
    trainer.resume(state)
    folder.write_info(replace(info, config=asdict(config)))
    return trainer


def _describe(request: Request, recipe: Recipe, seed: int, device: torch.device, images: int) -> RunInfo:
    return RunInfo(
        recipe=recipe.name,
        config=asdict(recipe.config),
        seed=seed,
        data=[str(path.resolve()) for path in request.data],
        init=str(request.init) if request.init else None,
        command=shlex.join(["img2img", *sys.argv[1:]]),
        versions=versions(),
        hardware=_hardware(device),
        images=images,
    )


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} of {os.cpu_count()} CPU cores, {platform.machine()}"
