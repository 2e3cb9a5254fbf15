"""The discriminators of a run that trains both ways as one small model: how strange a picture is to each domain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from img2img.errors import SettingError
from img2img.export.files import write_graph
from img2img.export.onnx_graph import fold_batch_norms, graph_of
from img2img.export.parity import Parity, measure_graph
from img2img.export.rounding import round_to_bytes, round_to_half
from img2img.model_file import ModelCard, TensorSpec
from img2img.networks.projected import ProjectedDiscriminator
from img2img.recipes.recipe import Recipe
from img2img.runs.state import TrainState

MULTIPLE = 32
"""Of a picture's sides: frozen features end at 1/32 of them, and patches need as many pixels."""

LOGITS = TensorSpec("critic", (1, 2), "lowest logit, for the pictures of each domain", (-1e6, 1e6))


class Critic(nn.Module):
    """(1, 3, H, W) in [-1, 1], sides multiples of 32 -> (1, 2): for each domain the lowest logit of a picture.

    Lowest over places, then the mean over scales: a picture is as strange as its strangest part. That tells strangers
    from held-out pictures better than the mean over places does (AUC of horses 0.82 for 0.79, of zebras 0.94 for 0.92).
    The discriminators become a part of it: their spectral norms are multiplied out, and those on frozen features share
    them.
    """

    def __init__(self, discriminators: Sequence[nn.Module]) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(_plain(one) for one in discriminators)
        self.features: nn.Module | None = None
        projected = [one for one in self.discriminators if isinstance(one, ProjectedDiscriminator)]
        if projected and len(projected) == len(self.discriminators):
            self.features = _with_parameters(projected[0].features)
            for one in projected:
                del one.features

    def forward(self, x: Tensor) -> Tensor:
        if self.features is None:
            logits = [one(x) for one in self.discriminators]
        else:
            features = self.features(x)
            logits = [cast(ProjectedDiscriminator, one).judged(features) for one in self.discriminators]
        return torch.stack([one.amin((2, 3)).mean(1) for one in logits], 1)


@dataclass(frozen=True)
class ExportedCritic:
    """A critic with its kernels rounded, frozen ones to 8 bits, as a graph, and how well the two agree."""

    path: Path
    network: Critic
    graph: bytes
    parity: list[Parity]

    def write(self, card: ModelCard, judged_for: Sequence[str]) -> None:
        """With what the run's card says; `judged_for` are the translators of the first domain, of the second ..."""
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        about: dict[str, Any] = {"outputs": (LOGITS,), "classes": tuple(judged_for), "parameters": parameters}
        card = replace(card, name=self.path.stem, task="critic", size_multiple=MULTIPLE, **about)
        write_graph(self.path, self.graph, card)


def export_critic(path: Path, state: TrainState, recipe: type[Recipe], config: Recipe.Config) -> ExportedCritic:
    """The raw discriminators of a state; parity is in hundredths of a logit."""
    critic, takes = critic_of(state, recipe, config), recipe.inputs(config)
    graph = graph_of(fold_batch_norms(critic), takes, [LOGITS], MULTIPLE)
    parity = measure_graph(path.stem, critic, graph, takes, scale=100, unit="hundredths of a logit")
    return ExportedCritic(path, critic, graph, parity)


def critic_of(state: TrainState, recipe: type[Recipe], config: Recipe.Config) -> Critic:
    """In eval mode; raises SettingError for a recipe that has no discriminator for each of two domains."""
    trained = recipe(config)
    trained.load_state_dict(state.networks)
    names = [f"d_{domain}" for domain in recipe.domains]
    if missing := [name for name in names if name not in dict(trained.named_children())]:
        raise SettingError(f"--critic: {recipe.name} has no {missing[0]} to judge pictures by; leave it out")
    critic = Critic([trained.get_submodule(name) for name in names]).eval()
    round_to_half(critic.discriminators)
    if critic.features is not None:
        round_to_bytes(critic.features)
    return critic


def _plain(discriminator: nn.Module) -> nn.Module:
    """Every parametrised kernel as the number that it is in eval mode."""
    for module in discriminator.eval().modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    return discriminator


def _with_parameters(features: nn.Module) -> nn.Module:
    """Their weights, which a training keeps as buffers, are weights of this model: counted and stored as such."""
    for module in features.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            delattr(module, name)
            module.register_parameter(name, nn.Parameter(buffer, requires_grad=False))
    return features
