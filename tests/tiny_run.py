"""Trainings small enough for a test: a request for each recipe, what a run left behind, and a crash in the middle."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from img2img.runs.state import TrainState
from img2img.training.pace import Pace
from img2img.training.request import TrainingRequest
from img2img.training.trainer import Trainer

COLORIZER = ("batch_size=2", "image_size=32", "pretrained=false")
GAN = (
    *("batch_size=2", "image_size=8", "image_channels=1", "z_dim=4", "generator_channels=4"),
    *("discriminator_channels=4", "ema_decay=0.9"),
)
WASSERSTEIN = (*GAN, "n_critic=2")
CYCLEGAN = (
    *("batch_size=2", "image_size=32", "held_out=0", "generator=separable", "discriminator=patch", "pretrained=false"),
    *("generator_channels=4", "discriminator_channels=4", "blocks=1", "pool_size=3", "ema_decay=0.9"),
)
PIX2PIX = (
    *("batch_size=2", "image_size=32", "held_out=0", "generator=unet", "levels=5", "dropout=0.5"),
    *("discriminator=patch", "pretrained=false", "lambda_perceptual=0", "ema_decay=0.9"),
    *("generator_channels=4", "discriminator_channels=4"),
)
TINY = {
    "colorizer": COLORIZER,
    "colorizer-gan": (*COLORIZER, "discriminator_channels=8"),
    "cyclegan": CYCLEGAN,
    "pix2pix": PIX2PIX,
    "gan": GAN,
    "dcgan": (*GAN, "instance_noise=0.1", "augment=flip"),
    "cgan": GAN,
    "wgan": WASSERSTEIN,
    "wgan-gp": WASSERSTEIN,
    "wgan-sn": WASSERSTEIN,
    "wgan-svc": WASSERSTEIN,
    "tgan": (*GAN, "n_critic=1", "frames=4"),
}
"""Settings for each recipe of the table."""

QUICK = Pace(log_every=1, save_every=2, preview_every=1000, preview_count=1)


def request(data: Path | str, out: Path, recipe: str = "gan", **changes: Any) -> TrainingRequest:
    return replace(
        TrainingRequest(
            recipe, [data] if data else [], out, steps=6, settings=TINY[recipe], seed=3, device="cpu", pace=QUICK
        ),
        **changes,
    )


def again(data: Path | str, out: Path, recipe: str = "gan", **changes: Any) -> TrainingRequest:
    """The request that resumes the run of `request`."""
    return request(data, out, recipe, **{"resume": True, "settings": (), "seed": None, "steps": None, **changes})


def in_classes(photos: Path, folder: Path) -> Path:
    """The photos as an ImageFolder of two classes."""
    for index, path in enumerate(sorted(photos.iterdir())):
        target = folder / ("cat", "dog")[index % 2]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def command(recipe: str, *words: str, settings: bool = True) -> list[str]:
    """`img2img train RECIPE` as a process of its own."""
    tiny = [word for setting in TINY[recipe] for word in ("--set", setting)] if settings else []
    return [sys.executable, "-m", "img2img", "train", recipe, "--device", "cpu", *tiny, *words]


def assert_equal_states(a: TrainState, b: TrainState) -> None:
    assert (a.step, a.samples) == (b.step, b.samples)
    assert (a.networks.keys(), a.ema.keys()) == (b.networks.keys(), b.ema.keys())
    assert torch.equal(a.torch_rng, b.torch_rng)
    assert a.python_rng == b.python_rng
    for name in ("networks", "ema"):
        for key, value in getattr(a, name).items():
            assert torch.equal(value, getattr(b, name)[key]), f"{name}.{key}"
    for name, optimizer in a.optimizers.items():
        assert optimizer["param_groups"] == b.optimizers[name]["param_groups"]
        for index, moments in optimizer["state"].items():
            for key, value in moments.items():
                assert torch.equal(value, b.optimizers[name]["state"][index][key])


class Crashed(Exception):
    pass


def train_until(trainer: Trainer, step: int) -> None:
    """Stop as a crash would: in the middle of nowhere, with only the saved states left behind."""
    original = trainer._train_step

    def stop_at(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if trainer.step == step:
            raise Crashed
        return original(batch)

    trainer._train_step = stop_at  # type: ignore[method-assign]
    with pytest.raises(Crashed):
        trainer.train()
