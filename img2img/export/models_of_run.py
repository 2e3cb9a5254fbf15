"""From a run to its model files: one, or for a recipe that trains both ways two that name each other, and a critic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from img2img.atomic_file import check_target
from img2img.errors import DataError, ExportError, SettingError
from img2img.export.card import card_of, facts
from img2img.export.critic import ExportedCritic, export_critic
from img2img.export.files import write_model, write_weights
from img2img.export.onnx_graph import to_onnx
from img2img.export.parity import Parity, check_parity, measure_parity
from img2img.export.rounding import round_to_half
from img2img.export.targets import check_critic, files_of, targets_of
from img2img.export.training_pictures import training_pictures
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.recipes.settings import make_config
from img2img.runs.state import TrainState, load_best, load_latest
from img2img.saved_states import best_file


@dataclass(frozen=True)
class _Generator:
    """A generator with its kernels rounded to half, as a graph, and how well the two agree."""

    network: nn.Module
    graph: bytes
    parity: list[Parity]


@dataclass(frozen=True)
class Export:
    """What was written, the parity of each model at each size, and in a sentence what could not be done."""

    files: list[Path]
    parity: list[Parity]
    note: str = ""


def export_run(
    run: Path,
    target: Path,
    *,
    tolerance: float,
    reverse: Path | None = None,
    which: str | None = None,
    weights: Path | None = None,
    critic: Path | None = None,
    settings: tuple[str, ...] = (),
    about: Mapping[str, Any] = {},
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda doing: None,
) -> Export:
    """Write `target` (.onnx) and the .safetensors beside it.

    A recipe that trains both ways has the way back written as well: to `reverse`, or as `targets.reverse_name` beside
    the target. `which` is the "best" state or the "last"; without it the best where the run has one. `weights`
    (.safetensors) takes every network of the run, to train on from. `critic` (.onnx) takes what photos are scored by,
    measured on the run's pictures, if they are still where they were. `settings` change what does not touch the weights
    (temperature); `about` holds fields of the card. `tell` is told what is being done.
    Raises ExportError for a file that is there already, unless `overwrite`, and when a graph drifts from PyTorch by
    more than `tolerance` in the recipe's unit; nothing is written then.
    """
    state = chosen_state(run, which)
    recipe = recipe_class(state.recipe)
    targets = targets_of(recipe, target, reverse, weights)
    if critic:
        check_critic(recipe, critic, targets.values())
    for file in files_of(targets.values(), weights, critic):
        check_target(file, overwrite=overwrite, error=ExportError)
    _check_request(recipe, settings, about)
    config = make_config(recipe, settings, **state.config)
    models = {path: _exported(name, path, state, recipe, config, tell) for name, path in targets.items()}
    judge, note = _critic_of(run, critic, state, recipe, config, tell) if critic else (None, "")
    parity = [one for model in models.values() for one in model.parity] + (judge.parity if judge else [])
    check_parity(parity, tolerance, run)
    card = replace(card_of(run, state, recipe, config), **about)
    for (path, model), domain in zip(models.items(), recipe.domains, strict=False):
        tell(f"{path}: measuring how far it sees, writing it")
        own = facts(model.network, model.graph, recipe, card, _beside(state, recipe))
        own |= {"name": path.stem, "reverse": next((other.stem for other in models if other != path), None)}
        if judge:
            own |= {"critic": judge.path.stem, "score": judge.scores[domain]}
        write_model(path, model.graph, model.network, replace(card, **own), _beside(state, recipe))
    if weights:
        write_weights(weights, state, replace(card, name=weights.stem))
    if judge:
        judge.write(card, [path.stem for path in models])
    written = [*models, *([judge.path] if judge else []), *([weights] if weights else [])]
    return Export(written, parity, note)


def _critic_of(
    run: Path,
    path: Path,
    state: TrainState,
    recipe: type[Recipe],
    config: Recipe.Config,
    tell: Callable[[str], None],
) -> tuple[ExportedCritic | None, str]:
    """None, and why, without the run's pictures."""
    tell(f"{path}: measuring the run's pictures")
    try:
        pictures = training_pictures(run, held_out=state.config.get("held_out", 0))
        pretrained = state.config.get("pretrained", True)
        return export_critic(path, pictures, recipe.inputs(config), seed=state.seed, pretrained=pretrained), ""
    except DataError as error:
        return None, f"no critic was written, so photos get no score: {error}"


def chosen_state(run: Path, which: str | None = None) -> TrainState:
    """The "best" state or the "last"; the best where nothing is said and there is one."""
    best = which == "best" or (which is None and best_file(run).is_file())
    return load_best(run) if best else load_latest(run)


def _check_request(recipe: type[Recipe], settings: tuple[str, ...], about: Mapping[str, Any]) -> None:
    fixed = [text for text in settings if text.partition("=")[0] not in recipe.export_settings]
    if fixed:
        choices = ", ".join(recipe.export_settings) or "none"
        raise SettingError(f"--set {fixed[0]}: the training fixed that; what an export may set: {choices}")
    if "native_size" in about and recipe.task == "generate":
        raise SettingError(f"--native-size: {recipe.name} draws at the size it was trained at; leave it out")


def _exported(
    name: str,
    path: Path,
    state: TrainState,
    recipe: type[Recipe],
    config: Recipe.Config,
    tell: Callable[[str], None],
) -> _Generator:
    tell(f"{path}: making its graph")
    network = recipe.exported_network(config)
    network.load_state_dict(_averaged_weights(state.ema, name))
    recipe.settle(network, config, _beside(state, recipe))
    round_to_half(network.eval())
    graph = to_onnx(network, recipe, config)
    tell(f"{path}: comparing it with PyTorch")
    return _Generator(network, graph, measure_parity(path.stem, network, graph, recipe, config))


def _averaged_weights(ema: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"averages.{name}."
    return {key.removeprefix(prefix): value for key, value in ema.items() if key.startswith(prefix)}


def _beside(state: TrainState, recipe: type[Recipe]) -> dict[str, Tensor]:
    return {name: state.networks[name] for name in recipe.beside if name in state.networks}
