"""One run of a colorizer's network decoded in many ways: at other temperatures, saturations, prior corrections."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from threading import local

import numpy as np
import torch
from torch import Tensor

from img2img.errors import ModelError
from img2img.inference.colorizer import Colorizer
from img2img.inference.runtimes.torch_runtime import load_network
from img2img.lab import Floats
from img2img.model_file import ModelCard, find_model, read_card
from img2img.networks.ab_network import AbNetwork
from img2img.recipes import recipe_class
from img2img.recipes.color_classes import prior_correction
from img2img.recipes.colorizer import ColorizerRecipe
from img2img.recipes.recipe import Recipe
from img2img.recipes.weights import load_weights


@dataclass(frozen=True)
class Decoding:
    """What an export may set of a colorizer."""

    temperature: float
    saturation: float
    prior_correction: float


@dataclass(frozen=True)
class Grid:
    """Values to try, all of one with all of the others; a setting without any stays as the model has it."""

    temperatures: Sequence[float] = ()
    saturations: Sequence[float] = ()
    prior_corrections: Sequence[float] = ()

    def __bool__(self) -> bool:
        return bool(self.temperatures or self.saturations or self.prior_corrections)

    def decodings(self, own: Decoding) -> list[Decoding]:
        axes = (
            self.temperatures or [own.temperature],
            self.saturations or [own.saturation],
            self.prior_corrections or [own.prior_correction],
        )
        return [Decoding(*values) for values in product(*axes)]

    def named(self, decoding: Decoding) -> dict[str, float]:
        """What a row of the table is named by: its temperature, and what else varies."""
        varies = {"temperature": True, "saturation": self.saturations, "prior_correction": self.prior_corrections}
        return {name: value for name, value in asdict(decoding).items() if varies[name]}


def decoded_ways(model: str, grid: Grid) -> list[tuple[Decoding, Colorizer]]:
    """The model as it colours with each of the grid's settings; threads may share them all.

    They run in PyTorch, from the .safetensors: for one photo after another the network once. Raises SettingError for a
    setting that cannot be, ModelError for a model that has not got one, or lacks what it takes.
    """
    path = find_model(model)
    card, weights = read_card(path), path.with_suffix(".safetensors")
    own = _own(path, card, grid)
    decodings = grid.decodings(own)
    for decoding in decodings:
        _config(card, **grid.named(decoding))
    network = load_network(weights, card)
    assert isinstance(network, AbNetwork)
    logits = _Logits(network)
    correction = _Correction(weights, card) if grid.prior_corrections else None

    def colorizer(decoding: Decoding) -> Colorizer:
        shift = correction.shift(decoding.prior_correction - own.prior_correction) if correction else None
        return Colorizer(model, runtime=_Decoded(logits, decoding, shift), threads=1)

    return [(decoding, colorizer(decoding)) for decoding in decodings]


def _own(path: Path, card: ModelCard, grid: Grid) -> Decoding:
    """The settings that the model file was exported with."""
    settings = {"saturation": 1.0, **vars(_config(card))}
    wanted = {"temperature": True, "prior_correction": bool(grid.prior_corrections)}
    for name, is_wanted in wanted.items():
        if is_wanted and name not in settings:
            raise ModelError(f"{path}: recipe {card.recipe} has no {name}; leave out --{name.replace('_', '-')}s")
    return Decoding(settings["temperature"], settings["saturation"], settings.get("prior_correction", 0.0))


def _config(card: ModelCard, **settings: float) -> Recipe.Config:
    return recipe_class(card.recipe).Config(**{**card.settings, **settings})


class _Correction:
    """How the logits change when another share of the rarity weights is taken back."""

    def __init__(self, weights: Path, card: ModelCard) -> None:
        config, frequency = _config(card), load_weights(weights).get("frequency")
        assert isinstance(config, ColorizerRecipe.Config)
        if frequency is None:
            raise ModelError(
                f"{weights}: does not say how frequent colours were in training, so nothing of the rarity weights can "
                "be taken back: export the run again, or leave out --prior-corrections"
            )
        self._config, self._frequency = config, frequency

    def shift(self, share: float) -> Tensor:
        """(Q, 1, 1), to add to the logits."""
        return prior_correction(self._frequency, self._config, share)[:, None, None]


class _Logits:
    """A network's logits of the photo that a thread is at, kept until it comes to another."""

    def __init__(self, network: AbNetwork) -> None:
        self.network = network.to(memory_format=torch.channels_last)
        self._kept = local()

    def __call__(self, lightness: Floats) -> Tensor:
        kept: tuple[Floats, Tensor] | None = self._kept.__dict__.get("last")
        if kept is None or not np.array_equal(kept[0], lightness):
            kept = lightness, self.network.logits(torch.from_numpy(lightness))
            self._kept.last = kept
        return kept[1]


class _Decoded:
    """A runtime that gives the ab of one decoding."""

    def __init__(self, logits: _Logits, decoding: Decoding, shift: Tensor | None) -> None:
        self._logits, self._decoding, self._shift = logits, decoding, shift

    @torch.inference_mode()
    def run(self, *arrays: Floats) -> Floats:
        (lightness,) = arrays
        logits = self._logits(lightness)
        shifted = logits if self._shift is None else logits + self._shift
        decoded = self._logits.network.decoded(shifted, self._decoding.temperature, self._decoding.saturation)
        return np.asarray(decoded.numpy(), np.float32)

    def run_all(self, *arrays: Floats) -> tuple[Floats, ...]:
        return (self.run(*arrays),)
