"""Weights as .safetensors, as --init takes them in."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from img2img.errors import ModelError
from img2img.model_file import CARD_KEY, ModelCard
from img2img.networks.projected import ProjectedDiscriminator
from img2img.networks.residual_unet import ResidualUNet
from img2img.recipes.recipe import Recipe

Weights = dict[str, Tensor]
AVERAGED = "ema."
"""What the names of averaged weights begin with in a file of several networks."""


def load_weights(path: Path) -> Weights:
    """The tensors of a .safetensors file; raises ModelError when it is none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a readable .safetensors file ({error})") from error


def initialise(recipe: Recipe, path: Path) -> dict[str, Weights]:
    """Put the file's weights into the recipe's networks; returns the averages, as large as these networks, by
    their names.

    The file holds the one generator that the recipe exports, or any of its networks, named "g_ab.stem.weight", and of
    the averages, "ema.g_ab.stem.weight"; a generator of which it has the average alone starts from that; and perhaps
    buffers of the recipe (`Recipe.beside`). A residual U-Net may be wider here, or see more, than the file's: it begins
    as that, and what is new in it has no effect yet. A projected discriminator may have further networks here. Raises
    ModelError when the weights are another recipe's or another size's.
    """
    weights = load_weights(path)
    beside = {name: weights.pop(name) for name in recipe.beside if name in weights}
    names = [name for name, _ in recipe.named_children()]
    averaged, raw = _shared_out(weights, recipe, names)
    _refuse_unknown(path, weights, [*raw.values(), *averaged.values()], names)
    averages = {name: _load(recipe.get_submodule(name), part, path) for name, part in averaged.items()}
    for name, part in raw.items():
        _load(recipe.get_submodule(name), part, path)
    if beside:
        recipe.begin_with(beside, _settings(path))
    return averages


def _settings(path: Path) -> dict[str, Any]:
    """Those on the file's card; none without a card."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get(CARD_KEY)
    return ModelCard.from_json(text, source=str(path)).settings if text else {}


def _shared_out(
    weights: Weights, recipe: Recipe, names: Iterable[str]
) -> tuple[dict[str, Weights], dict[str, Weights]]:
    """Averages and weights by network; all of them the exported one's where they have its names.

    Those are asked for first: inside it there may be a `generator`, too, as in cgan's.
    """
    alone = {recipe.exported: weights}
    if not weights.keys().isdisjoint(recipe.get_submodule(recipe.exported).state_dict()):
        return {}, alone
    averaged = _by_network(weights, recipe.averaged, AVERAGED)
    raw = _by_network(weights, names, "")
    return averaged, raw if raw or averaged else alone


def _by_network(weights: Weights, networks: Iterable[str], before: str) -> dict[str, Weights]:
    """The weights of each network that is in the file, under the names that it has for them itself."""
    parts = {network: _below(weights, f"{before}{network}.") for network in networks}
    return {network: part for network, part in parts.items() if part}


def _below(weights: Mapping[str, Tensor], prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _refuse_unknown(path: Path, weights: Weights, parts: Iterable[Weights], networks: Iterable[str]) -> None:
    unknown = len(weights) - sum(map(len, parts))
    if unknown:
        raise ModelError(
            f"{path}: weights of another recipe than this: {unknown} of {len(weights)} belong to none of its networks, "
            f"{', '.join(networks)}"
        )


def _load(network: nn.Module, weights: Weights, path: Path) -> Weights:
    """In the network's own precision; returns them as large as the network."""
    grown = _grown(weights, network)
    try:
        network.load_state_dict(grown)
    except RuntimeError as error:
        reason = str(error).splitlines()[1:2]
        raise ModelError(
            f"{path}: weights of another network than this recipe trains ({''.join(reason).strip()[:160]})"
        ) from error
    return grown


def _grown(weights: Weights, network: nn.Module) -> Weights:
    """With what a smaller network lacks: context blocks and further discriminators stay as they are."""
    mine = network.state_dict()
    if isinstance(network, ProjectedDiscriminator):
        return _part(mine, "further.") | weights
    if isinstance(network, ResidualUNet):
        return _part(mine, "context.") | _wider(weights, mine)
    return weights


def _part(weights: Mapping[str, Tensor], prefix: str) -> Weights:
    return {name: value for name, value in weights.items() if name.startswith(prefix)}


def _wider(weights: Weights, mine: Mapping[str, Tensor]) -> Weights:
    """Of a narrower network, for this one: its channels come first, and none of them takes anything from a new one.

    Net2Net (Chen et al. 2016, arXiv 1511.05641) doubles channels instead, which then begin alike. A new channel of a
    norm takes over what an old one has, its statistics for example.
    """
    return {name: _widened(theirs, mine[name]) if name in mine else theirs for name, theirs in weights.items()}


def _widened(theirs: Tensor, mine: Tensor) -> Tensor:
    """(O, I, H, W) or (C,) in the corner of a larger one; as it is where that is of its size, or smaller anywhere."""
    small, large = theirs.shape, mine.shape
    if small == large or len(small) != len(large) or any(few > many for few, many in zip(small, large, strict=True)):
        return theirs
    wide = mine.clone()
    if wide.ndim == 1:
        return theirs.repeat(len(wide) // len(theirs) + 1)[: len(wide)]
    wide[: len(theirs), theirs.shape[1] :] = 0
    wide[tuple(slice(size) for size in theirs.shape)] = theirs
    return wide
