"""From a command's words to a running trainer: a new run, one that goes on, or one that starts from weights."""

import logging
import random
from dataclasses import asdict, replace

import torch

from img2img.atomic_file import exists
from img2img.data.cache import settled_cache
from img2img.data.training_data import TrainingData
from img2img.device import pick_device
from img2img.errors import ModelError, SettingError
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.weights import initialise
from img2img.runs.run_folder import RunFolder, versions
from img2img.runs.run_info import RunInfo
from img2img.runs.state import load_latest
from img2img.training.launch import command_line, computes_bf16, hardware, loader_processes
from img2img.training.pace import Pace
from img2img.training.processes.distributed import OneProcess, processes_from
from img2img.training.request import TrainingRequest
from img2img.training.run_data import begun_with, config_and_data, same_data, taken_direction, with_data
from img2img.training.schedule import schedule_change
from img2img.training.trainer import Trainer
from img2img.training.validation import validation

_log = logging.getLogger(__name__)


def start(request: TrainingRequest) -> Trainer:
    """A trainer that is ready to `train()`."""
    return _go_on(request) if request.resume else _begin(request)


def _begin(request: TrainingRequest) -> Trainer:
    recipe_type, processes = recipe_class(request.recipe), processes_from()
    folder = RunFolder(request.out)
    folder.refuse_another_run()
    chosen = begun_with(recipe_type, request, announce=processes.leads)
    config, data = config_and_data(recipe_type, request, chosen, announce=processes.leads)
    if request.init and not exists(request.init):
        raise ModelError(f"{request.init}: no such file; --init takes a .safetensors")
    seed, device = request.seed or 0, pick_device(request.device, processes.local_rank)
    torch.manual_seed(seed)
    random.seed(seed)
    if processes.leads:
        _log.info("%s images; building the networks ...", f"{data.images:,}")
        if config.precision == "auto" and computes_bf16(device):
            _log.info("this processor has bfloat16: with --set precision=bf16 a step takes 0.6 to 0.9 of the time")
    recipe = recipe_type(config)
    recipe.start()
    averaged = initialise(recipe, request.init) if request.init else {}
    pace = _settled(request.pace, data, recipe, device)
    if processes.leads:
        info = RunInfo(
            recipe=recipe.name,
            config=asdict(recipe.config),
            seed=seed,
            data=[],
            init=str(request.init) if request.init else None,
            command=command_line(processes),
            versions=versions(),
            hardware=hardware(device),
            processes=processes.world,
            cache=pace.cache,
            direction=taken_direction(recipe_type, request.direction),
        )
        folder.create(with_data(info, chosen, data))
    trainer = _trainer(replace(request, pace=pace), recipe, data, folder, seed, device, processes)
    trainer.ema.start_from(averaged)
    return trainer


def _go_on(request: TrainingRequest) -> Trainer:
    """Everything comes from the run itself, but for --steps, --data and --device when given."""
    folder, processes = RunFolder(request.out), processes_from()
    info = folder.read_info()
    if info.recipe != request.recipe:
        raise SettingError(f"{request.out}: a run of {info.recipe}, not of {request.recipe}")
    if request.settings or request.init or request.config or request.preset or request.seed is not None:
        raise SettingError(
            "--resume goes on with the run's own settings: leave out --set, --config, --preset, --seed and --init"
        )
    state = load_latest(request.out)
    recipe_type = recipe_class(info.recipe)
    config = recipe_type.Config(**state.config)
    data, now = same_data(recipe_type, config, request, info)
    recipe = recipe_type(config if request.steps in (None, config.steps) else config.for_steps(request.steps))
    if recipe.config.steps != config.steps:
        change = schedule_change(recipe, state.step, config.steps, recipe.config.steps)
        if processes.leads:
            _log.info("%s", change)
    device = pick_device(request.device, processes.local_rank)
    kept = request.pace if request.pace.cache != "auto" else replace(request.pace, cache=info.cache)
    request = replace(request, pace=_settled(kept, data, recipe, device))
    trainer = _trainer(request, recipe, data, folder, state.seed, device, processes)
    trainer.resume(state)
    if processes.leads:
        if now.domains != info.domains and folder.quality():
            _log.info(
                "quality: measured on other held-out images from here; older figures, best.pt's too, are no match"
            )
        folder.write_info(replace(now, config=asdict(recipe.config)))
    return trainer


def _settled(pace: Pace, data: TrainingData, recipe: Recipe, device: torch.device) -> Pace:
    """With where the decoded images are kept, and how many processes decode them."""
    config = recipe.config
    cache = settled_cache(
        pace.cache,
        data.train.values(),
        image_size=config.image_size,
        augment=config.augment,
        samples=config.steps * recipe.samples_per_step,
        device=device,
    )
    workers = loader_processes(device) if pace.workers is None and cache == "none" else pace.workers or 0
    return replace(pace, cache=cache, workers=workers)


def _trainer(
    request: TrainingRequest,
    recipe: Recipe,
    data: TrainingData,
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
    measured = processes.leads and recipe.task == "translate" and request.pace.evaluate_every
    return Trainer(
        recipe,
        data,
        folder,
        seed=seed,
        device=device,
        pace=request.pace,
        processes=processes,
        compile=request.compile,
        tensorboard=request.tensorboard,
        validation=validation(recipe, data, folder, device) if measured else None,
    )
