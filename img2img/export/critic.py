"""A critic of a run's domains: one small model of how likely a photo is among the training pictures of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from img2img.data.image_source import ImageSource
from img2img.errors import DataError
from img2img.export.files import write_graph
from img2img.export.gaussian import Features, Gaussian, fit_gaussian, held_out_log_likelihoods
from img2img.export.onnx_graph import graph_of
from img2img.export.parity import Parity, measure_graph
from img2img.export.rounding import round_to_bytes, round_to_half
from img2img.inference.scorer import LOG_LIKELIHOOD, as_seen, quantiles_of
from img2img.model_file import ModelCard, TensorSpec
from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.photo import Photo
from img2img.randomness import derive_seed

MULTIPLE = 32
"""Of a picture's sides: frozen features end at 1/32 of them."""
SEEN = 128
"""A critic's pictures have about so many pixels a side: fewer than any photo has, so that sharpness is no clue."""
COARSEST = 2
"""The scales of the features that are looked at, 1/16 and 1/32: AUC of held-out horses 0.956, 0.958 with all four."""
MOST = 2_000
"""Pictures of a domain that are looked at; of more, so many by seed."""
FEWEST = 3
"""Each is judged by a Gaussian of others, which takes two."""


class LogLikelihood(nn.Module):
    """(N, D) -> (N,), as `Gaussian.log_likelihoods`, of a whitening in half precision, as the file holds it.

    Its numbers are at most 1, times a scale: features that vary little would have it beyond what half precision holds.
    """

    def __init__(self, gaussian: Gaussian) -> None:
        super().__init__()
        largest = float(np.abs(gaussian.whitening).max())
        self.whiten = nn.Linear(*gaussian.whitening.shape)
        self.scale = nn.Parameter(torch.tensor(largest))
        with torch.no_grad():
            self.whiten.weight.copy_(torch.from_numpy(gaussian.whitening / largest))
            round_to_half(self.whiten)
            self.whiten.bias.copy_(-self.whiten.weight.double() @ torch.from_numpy(gaussian.mean))

    def forward(self, features: Tensor) -> Tensor:
        whitened: Tensor = self.scale * self.whiten(features)
        return -whitened.square().sum(1) / 2


class Critic(nn.Module):
    """(1, 3, H, W) in [-1, 1], sides multiples of 32 -> (1, K): how likely a picture is in each of K domains.

    The log-likelihood, up to a constant, of ImageNet's features averaged over places, by a Gaussian for each domain.
    """

    def __init__(self, features: FrozenFeatures) -> None:
        super().__init__()
        self.features = _with_parameters(features)
        self.domains = nn.ModuleList()

    def embed(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, D)."""
        return torch.cat([scale.mean((2, 3)) for scale in self.features(x)[-COARSEST:]], 1)

    def forward(self, x: Tensor) -> Tensor:
        embedded = self.embed(x)
        return torch.stack([domain(embedded) for domain in self.domains], 1)


@dataclass(frozen=True)
class ExportedCritic:
    """A critic as a graph, how well the two agree, and what goes onto each translator's card as its `score`."""

    path: Path
    network: Critic
    graph: bytes
    parity: list[Parity]
    scores: Mapping[str, dict[str, float]]
    """By domain."""

    def write(self, card: ModelCard, judged_for: Sequence[str]) -> None:
        """With what the run's card says; `judged_for` are the translators of the first domain, of the second ..."""
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        about: dict[str, Any] = {"classes": tuple(judged_for), "parameters": parameters}
        sizes: dict[str, Any] = {"native_size": SEEN, "size_multiple": MULTIPLE}
        output = _log_likelihoods(len(judged_for))
        card = replace(card, name=self.path.stem, task="critic", outputs=(output,), **about, **sizes)
        write_graph(self.path, self.graph, card)


def export_critic(
    path: Path, pictures: Mapping[str, ImageSource], takes: Sequence[TensorSpec], *, seed: int, pretrained: bool = True
) -> ExportedCritic:
    """Fit to the training pictures of each domain, which `takes` says how to give; parity is of the log-likelihood.

    Raises DataError for fewer than FEWEST pictures of a domain.
    """
    critic, scores = fit_critic(pictures, seed=seed, pretrained=pretrained)
    graph = graph_of(critic, takes, [_log_likelihoods(len(pictures))], MULTIPLE)
    parity = measure_graph(path.stem, critic, graph, takes, scale=1, unit="of a log-likelihood")
    return ExportedCritic(path, critic, graph, parity, scores)


@torch.no_grad()
def fit_critic(
    pictures: Mapping[str, ImageSource], *, seed: int, pretrained: bool = True
) -> tuple[Critic, dict[str, dict[str, float]]]:
    """A critic of these domains in eval mode, and by domain the quantiles of its pictures, each judged by others."""
    critic, scores = Critic(FrozenFeatures("lite1", pretrained=pretrained)).eval(), {}
    round_to_bytes(critic.features)
    for domain, source in pictures.items():
        if len(source) < FEWEST:
            raise DataError(f"{source.name(0)}: {len(source)} pictures are too few for a critic; it takes {FEWEST}")
        embedded = _embedded(critic, source, derive_seed(seed, "critic", len(source)))
        critic.domains.append(LogLikelihood(fit_gaussian(embedded)))
        scores[domain] = quantiles_of(held_out_log_likelihoods(embedded, seed).tolist())
    return critic, scores


def _embedded(critic: Critic, source: ImageSource, seed: int) -> Features:
    """(N, D), of at most MOST pictures, seen as `img2img.inference.scorer` sees photos."""
    drawn = np.random.default_rng(seed).permutation(len(source))[:MOST]
    seen = (as_seen(Photo(source.rgb(int(index)), "RGB"), SEEN, MULTIPLE) for index in drawn)
    return np.concatenate([critic.embed(torch.from_numpy(picture)).double().numpy() for picture in seen])


def _log_likelihoods(domains: int) -> TensorSpec:
    unit = "log-likelihood, up to a constant, among the training pictures of each domain"
    return TensorSpec(LOG_LIKELIHOOD, (1, domains), unit, (-1e6, 0))


def _with_parameters(features: nn.Module) -> nn.Module:
    """Their weights, which a training keeps as buffers, are weights of this model: counted and stored as such."""
    for module in features.modules():
        for name, buffer in list(module.named_buffers(recurse=False)):
            delattr(module, name)
            module.register_parameter(name, nn.Parameter(buffer, requires_grad=False))
    return features
