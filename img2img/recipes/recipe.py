"""What a recipe is: the networks of one method, their losses, and one training step that reads like the paper."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import cos, pi
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn, optim

from img2img.choices import one_of
from img2img.errors import SettingError
from img2img.model_file import TensorSpec

Batch = dict[str, Tensor]
Update = Callable[[str, Tensor], None]
PRECISIONS = ("auto", "float32", "bf16")


class Recipe(nn.Module):
    """Owns networks and losses; the trainer calls `step` and knows nothing of what is inside."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """The method's numbers; a field of any recipe can be given as `--set name=value`."""

        augmentations: ClassVar[tuple[str, ...]] = ("none", "flip", "crop", "photo")
        """What `augment` may be."""

        steps: int = 10_000
        """Training steps of the whole schedule."""
        batch_size: int = 16
        image_size: int = 128
        """Side of the square training crops, in pixels."""
        warmup: float = 0.02
        """Share of the run in which the learning rate rises from 0."""
        ema_decay: float = 0.999
        """Decay of the exported weights' moving average, per step."""
        augment: str = "none"
        """What a training picture goes through: none (the middle, shrunk), flip (that, mirrored half of the time), crop
        (shrunk to a little more than the crop, a random crop of that, mirrored half of the time) or photo (random
        crops, flips, tones)."""
        precision: str = "auto"
        """Of the arithmetic of a step: float32; bf16, which rounds what convolutions take in to 8 bits and is worth it
        where the processor has instructions for it (avx512_bf16, amx_bf16 in /proc/cpuinfo); or auto, bf16 on a GPU and
        float32 on a processor. Weights are kept in float32."""

        def __post_init__(self) -> None:
            for name in ("steps", "batch_size", "image_size"):
                self.require(name, getattr(self, name) >= 1, "1 or more")
            self.require("warmup", 0 <= self.warmup < 1, "from 0 to below 1")
            self.require_one_of("augment", self.augmentations)
            self.require("ema_decay", 0 <= self.ema_decay < 1, "from 0 to below 1")
            self.require_one_of("precision", PRECISIONS)

        def require(self, name: str, holds: bool, what: str) -> None:
            """Raise SettingError unless a setting is what it must be; a NaN is nothing that holds."""
            if not holds:
                raise SettingError(f"{name}={getattr(self, name)}: must be {what}")

        def require_one_of(self, name: str, choices: Iterable[str]) -> None:
            """Raise SettingError, with the nearest, unless a setting is one of these words."""
            value, choices = getattr(self, name), list(choices)
            self.require(name, value in choices, one_of(value, choices))

        def require_untouched(self, *names: str, because: str) -> None:
            """Raise SettingError for one that would do nothing, and yet is not at its default."""
            for name in names:
                default = type(self).__dataclass_fields__[name].default
                self.require(name, getattr(self, name) == default, f"{default}: {because}")

        def in_bf16(self, device: torch.device) -> bool:
            return self.precision == "bf16" or (self.precision == "auto" and device.type == "cuda")

        def images_held_out(self) -> int:
            """Of each domain, kept from the training to measure it by."""
            return 0

        def passes(self) -> int:
            """Epochs that the training shall last; 0 where its steps are what counts."""
            return 0

        def for_steps(self, count: int) -> Self:
            """With as many steps, whatever was counted before."""
            return replace(self, steps=count)

        def for_classes(self, count: int) -> Self:
            """With as many labels as there are in the data, where the recipe learns labels."""
            return self

        def in_color(self) -> Self:
            """For images in colour, where the recipe draws grey ones by default."""
            return self

    name: ClassVar[str]
    task: ClassVar[Literal["colorize", "translate", "generate"]]
    averaged: ClassVar[tuple[str, ...]]
    """Names of the generators whose weights are averaged; the average is what previews show and export writes."""
    exported: ClassVar[str]
    """Name of the averaged generator that becomes the model file."""
    way_back: ClassVar[str | None] = None
    """Name of the averaged generator that undoes it, for a recipe that trains both ways at once."""
    domains: ClassVar[tuple[str, ...]] = ("image",)
    """Names in a batch of the images from each source: one, or "a" and "b"."""
    paired: ClassVar[bool] = False
    """Whether "a" and "b" of a sample are the two sides of a pair; if not, each has an order and crops of its own."""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings that belong together under a name, for `--preset`; what is set beside them wins."""
    output_scale: ClassVar[float]
    """What one unit of the output stands for in the unit that a person thinks in; parity is measured in that."""
    output_unit: ClassVar[str]
    """Its name, in the plural."""
    size_multiple: ClassVar[int]
    export_settings: ClassVar[tuple[str, ...]] = ()
    """Settings that may still change when the trained weights are exported."""

    beside: ClassVar[tuple[str, ...]] = ()
    """Names of buffers that a .safetensors of its exported network may hold beside that: those that the recipe has are
    written by an export and given to `begin_with`."""

    progress: Tensor
    """Scalar: the share of the run that is done, in [0, 1); the trainer sets it before each step."""
    frames = 1
    """Pictures in one training sample; above 1 the batch holds "video" in the place of "image"."""
    batches_per_step = 1
    """How many batches one step takes, joined along N: the n_critic of a Wasserstein critic."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("progress", torch.zeros(()), persistent=False)

    @property
    def samples_per_step(self) -> int:
        """Over all processes."""
        return self.batches_per_step * self.config.batch_size

    @classmethod
    def exported_network(cls, config: Config) -> nn.Module:
        """The network of the model file, freshly initialised."""
        raise NotImplementedError

    @classmethod
    def inputs(cls, config: Config) -> tuple[TensorSpec, ...]:
        """What the exported network takes; a size that varies is "N", "H" or "W"."""
        raise NotImplementedError

    @classmethod
    def outputs(cls, config: Config) -> tuple[TensorSpec, ...]:
        """What the exported network gives."""
        raise NotImplementedError

    @classmethod
    def with_options(cls, network: nn.Module) -> nn.Module:
        """The exported network as its graph has it: with an optional input (WithOptionalInput) where there is one.

        The network itself may be changed.
        """
        return network

    @classmethod
    def further_outputs(cls, network: nn.Module) -> tuple[TensorSpec, ...]:
        """What the graph gives beside `outputs`: the other output of `with_options`."""
        return ()

    @classmethod
    def about(cls, network: nn.Module, beside: Mapping[str, Tensor]) -> dict[str, Any]:
        """Further fields of the card, which the exported network and what lies `beside` it tell."""
        return {}

    @classmethod
    def sides_multiple(cls, config: Config) -> int:
        """What the sides of its pictures must be multiples of."""
        return cls.size_multiple

    @classmethod
    def result(cls, config: Config) -> Literal["change", "picture"]:
        """What a photo gets of a translator that saw a small copy of it: the change that it made, or its picture."""
        return "change"

    @classmethod
    def native_size(cls, config: Config) -> int:
        """Side, in pixels, of the pictures that the exported network is best at."""
        return config.image_size

    def start(self) -> None:
        """Bring in what a new run starts from (pretrained weights); not called when resuming."""

    def begin_with(self, beside: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
        """Bring in what `--init` held beside the generator, which is loaded already, and that file's settings."""

    @classmethod
    def settle(cls, network: nn.Module, config: Config, beside: Mapping[str, Tensor]) -> None:
        """Change the weights of a network that is exported, in place, where a setting of the export asks for it."""

    def compiled(self) -> tuple[nn.Module, ...]:
        """What `--compile` compiles: networks that `step` calls, none of which is differentiated twice."""
        return tuple(self.get_submodule(name) for name in self.averaged)

    def optimizers(self) -> dict[str, optim.Optimizer]:
        """One optimizer a player, under the names that `step` gives to `update`."""
        raise NotImplementedError

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        """One step of the algorithm on a batch; returns scalars to record."""
        raise NotImplementedError

    def reached(self, progress: float) -> None:
        """Called after each step with the share of the run that is now done, in (0, 1]; asks no device for a value."""

    def samples(self, batch: Batch) -> Tensor:
        """(N, C, H, W) in [-1, 1]: what the generators make of a batch; its variety is watched while training."""
        raise NotImplementedError

    def figures(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars that say more of how the generators do on a batch, for the watch over a training's health."""
        return {}

    def preview(self, batch: Batch) -> Tensor:
        """(N, K, 3, H, W) in [-1, 1]: for each sample a row of K pictures. Draws no random numbers."""
        raise NotImplementedError

    def lr_multiplier(self, progress: float) -> float:
        """Factor on every learning rate at `progress` in [0, 1]: linear warm-up, then half a cosine to 0."""
        if progress < self.config.warmup:
            return progress / self.config.warmup
        return (1 + cos(pi * (progress - self.config.warmup) / (1 - self.config.warmup))) / 2


def trained(*networks: nn.Module) -> list[nn.Parameter]:
    """The parameters that an optimizer of the networks is for."""
    return [parameter for network in networks for parameter in network.parameters() if parameter.requires_grad]


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Let gradients flow through the networks without collecting any for their parameters."""
    parameters = trained(*networks)
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
