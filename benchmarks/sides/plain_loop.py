"""Training as a plain script does it: the other side of benchmarks/train_step.py.

Networks, losses and batches are the recipe's, with PyTorch's own layers. Plain is all around them: float32, the default
memory format, eager, images decoded and augmented by loader workers at every step, latents from the device's generator,
an optimizer as PyTorch makes it that is asked for nothing, no averages, and a look at every loss after every step.
"""

import time
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from img2img.data.batches import training_batches
from img2img.data.image_source import ImageSource
from img2img.networks.blocks import ConvNormAct
from img2img.networks.quick_gradients import ChannelNorm, DepthwiseConv2d
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Recipe


def steps_per_second(
    recipe: Recipe, sources: Mapping[str, ImageSource], *, warm: int, workers: int, device: torch.device
) -> float:
    """Trains `recipe.config.steps` steps; those after the first `warm` count."""
    config, samples = recipe.config, recipe.samples_per_step
    recipe.to(device).train()
    make_plain(recipe)
    optimizers = recipe.optimizers()
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["fused"] = None

    def update(name: str, loss: Tensor) -> None:
        optimizers[name].zero_grad()
        torch.autograd.backward(loss)
        optimizers[name].step()

    batches = training_batches(
        sources,
        image_size=config.image_size,
        batch_size=config.batch_size,
        batches_per_step=recipe.batches_per_step,
        augment=config.augment,
        frames=recipe.frames,
        first=0,
        stop=config.steps * samples,
        seed=0,
        workers=workers,
        cache="none",
        device=device,
        paired=recipe.paired,
    )
    started = time.perf_counter()
    for step, batch in enumerate(batches):
        if step == warm:
            started = time.perf_counter()
        scalars = recipe.step(batch, update)
        _ = {name: scalar.item() for name, scalar in scalars.items()}
    return (config.steps - warm) / (time.perf_counter() - started)


def make_plain(recipe: Recipe) -> None:
    """Layers as PyTorch has them; latents as a script draws them, in one call, not numbers of each sample."""
    for layer in recipe.modules():
        if isinstance(layer, DepthwiseConv2d | ChannelNorm):
            layer.forward = partial(type(layer).__base__.forward, layer)  # type: ignore[method-assign, union-attr]
        elif isinstance(layer, ConvNormAct):
            layer.folds = False
    if isinstance(recipe, GenerativeRecipe):
        size = recipe.config.z_dim
        recipe.latents = lambda key, purpose: torch.randn(len(key), size, device=key.device)  # type: ignore[method-assign]
