"""The trained discriminator as a feature extractor (DCGAN, arXiv 1511.06434, section 5.1), and its first filters."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from img2img.atomic_file import reason_for
from img2img.data.batches import preview_batch
from img2img.data.image_source import ImageSource
from img2img.errors import DataError, RunError
from img2img.photo.metadata.drawn_by import drawing_exif
from img2img.recipes import recipe_class
from img2img.recipes.generative import GenerativeRecipe
from img2img.runs.previews import preview_grid, save_picture
from img2img.runs.state import load_latest

POOLED = 4
"""Each feature map is max-pooled to this side, as in the paper."""
MOST = 10_000
FEWEST = 20
BATCH = 250


@dataclass(frozen=True)
class Probe:
    """Share of held-out pictures that a linear classifier gets right, from features of three kinds."""

    pixels: float
    untrained: float
    trained: float
    _: KW_ONLY
    train_images: int
    test_images: int


def load_judge(run: Path) -> tuple[GenerativeRecipe, GenerativeRecipe]:
    """A run's recipe as it was saved last, and the same with the weights that it began with, both in eval mode."""
    state = load_latest(run)
    kind = recipe_class(state.recipe)
    torch.manual_seed(state.seed)
    untrained, trained = (kind(kind.Config(**state.config)).eval() for _ in range(2))
    if not (isinstance(trained, GenerativeRecipe) and isinstance(untrained, GenerativeRecipe)) or trained.frames > 1:
        raise RunError(f"{run}: a run of {state.recipe}; features are for those that judge pictures made from noise")
    trained.load_state_dict(state.networks)
    return trained, untrained


def probe(trained: GenerativeRecipe, untrained: GenerativeRecipe, source: ImageSource, *, seed: int = 0) -> Probe:
    """Fit on four fifths of (at most 10,000) labelled pictures, count on the last fifth; of `load_judge`."""
    if len(source.classes) < 2:
        raise DataError(f"{source.name(0)}: no labels to probe with: give digits, or a folder with a folder a class")
    if len(source) < FEWEST:
        raise DataError(f"{source.name(0)}: {len(source)} pictures in all; a probe takes {FEWEST} or more")
    pictures = preview_batch(source, image_size=trained.config.image_size, count=MOST, seed=seed)
    labels, held_out = pictures["label"].numpy(), len(pictures["label"]) // 5
    pixels = trained.real(pictures).flatten(1).numpy()
    kinds = (pixels, embed(untrained, pictures["image"]), embed(trained, pictures["image"]))
    accuracies = (_linear_accuracy(features, labels, held_out) for features in kinds)
    return Probe(*accuracies, train_images=len(labels) - held_out, test_images=held_out)


@torch.no_grad()
def embed(recipe: GenerativeRecipe, images: Tensor) -> NDArray[np.float32]:
    """(N, F): what every layer of the discriminator says of pictures (N, 3, S, S) in [-1, 1]."""
    return np.concatenate([_activations(recipe, some).numpy() for some in torch.split(images, BATCH)])


def _activations(recipe: GenerativeRecipe, images: Tensor) -> Tensor:
    layers, x = recipe.trunk(images)
    seen = []
    for layer in layers:
        x = layer(x)
        if x.ndim == 4 and not isinstance(layer, nn.Flatten):
            seen.append(F.adaptive_max_pool2d(x, min(POOLED, x.shape[-1])).flatten(1))
        elif isinstance(layer, nn.LeakyReLU):
            seen.append(x)
    return torch.cat(seen, 1)


def _linear_accuracy(features: NDArray[np.float32], labels: NDArray[np.int64], held_out: int) -> float:
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), RidgeClassifier(alpha=100.0))
    classifier.fit(features[held_out:], labels[held_out:])
    return float(classifier.score(features[:held_out], labels[:held_out]))


def filter_pictures(recipe: GenerativeRecipe, most: int = 64) -> Tensor:
    """(K, 3, k, k) in [-1, 1]: the kernels of the discriminator's first layer, each over its largest weight; 0 is grey.

    A fully connected layer's weights are as large as a picture. Planes of labels are left out.
    """
    channels, size = recipe.config.image_channels, recipe.config.image_size
    layers, _ = recipe.trunk(torch.zeros(1, 3, size, size))
    weight = next(m.weight.detach() for m in layers.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    kernels = weight.view(-1, channels, size, size) if weight.ndim == 2 else weight[:, :channels]
    kernels = kernels[:most]
    return (kernels / kernels.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)).expand(-1, 3, -1, -1)


def draw_filters(trained: GenerativeRecipe, target: Path) -> None:
    """Write the first layer's filters as a picture, each enlarged to about 64 pixels."""
    kernels = filter_pictures(trained)
    enlarged = F.interpolate(kernels, scale_factor=max(1, 64 // kernels.shape[-1]))
    row = max(width for width in range(1, 9) if len(enlarged) % width == 0)
    try:
        save_picture(preview_grid(enlarged.view(-1, row, *enlarged.shape[1:])), target, drawing_exif("features"))
    except ValueError as error:  # Pillow's for an unknown suffix
        raise RunError(f"{target}: not a picture's name; take .png, .jpg or .webp") from error
    except OSError as error:
        raise RunError(f"{target}: {reason_for(error, 'written')}") from error
