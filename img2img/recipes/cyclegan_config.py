"""The settings of `cyclegan`."""

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

from img2img.networks.blocks import Norm, channel_norm
from img2img.networks.resnet import UPSAMPLING
from img2img.networks.settling_norm import SettlingNorm
from img2img.recipes.translation.subject_class import ANIMAL, class_indices
from img2img.recipes.translation.translator_config import AUTHORS, TranslatorConfig

JUDGED_INSIDE: dict[str, frozenset[str]] = {
    "neither": frozenset(),
    "a": frozenset("a"),
    "b": frozenset("b"),
    "both": frozenset("ab"),
}
GENERATORS = ("residual-unet", "separable", "resnet")
NORMS: dict[str, Norm] = {"instance": channel_norm, "act": SettlingNorm}


@dataclass(frozen=True, kw_only=True)
class CycleganConfig(TranslatorConfig):
    """Ours; the paper's are `PAPER`."""

    augmentations: ClassVar[tuple[str, ...]] = (*TranslatorConfig.augmentations, "light")
    augment: str = "crop"
    """As for other recipes, or light: crop, and 3 of 10 pictures of either kind darker, warmer or colder, as in the
    evening, where one kind has more such pictures than the other."""
    steps: int = 6000
    generator: str = "residual-unet"
    """residual-unet: a light one that adds a change to the picture; resnet: the paper's; separable: that, of
    separable convolutions."""
    norm: str = "instance"
    """Of the residual U-Net. instance: by each picture's own statistics, which learns best from scratch, and puts
    stripes on the grass where the animal is small; act: the same at first, then for good by their averages, which puts
    none there, for a run that begins with a trained network."""
    settle_at: float = 0.5
    """Share of the run after which norm=act keeps the averages; for a run that begins with a trained network best
    within its warm-up; 0: after the first batch."""
    encoder_lr: float = 0.0
    """Of the residual U-Net's encoders, beside generator_lr; 0: they stay as ImageNet taught them."""
    generator_channels: int = 64
    """Of the ResNets, at the picture's own size; four times as many between the residual blocks."""
    blocks: int = 9
    """Residual blocks of the ResNets."""
    up: str = "transposed"
    """How the ResNets enlarge: transposed as in the paper, resize, which leaves no checkerboards, or bilinear."""
    spectral_norm: bool = False
    """Of the patch discriminators, which keeps them 1-Lipschitz; the projected ones always have it."""
    lambda_cycle: float = 3.0
    """Weight of the cycle loss: how far a picture is, there and back, from itself (L1)."""
    cycle_end: float = 1.0
    """Factor on lambda_cycle at the last step; it gets there in a line from 1."""
    lambda_identity: float = 0.0
    """Weight of the identity loss: how much a generator changes what is of its target's kind already (L1)."""
    lambda_change: float = 0.0
    """Weight of how much a generator changes its picture, up to some 13 grey levels a pixel: what no discriminator asks
    for stays as it was. After the self-regularization of Shrivastava et al. 2017 (arXiv 1612.07828), which is an L1."""
    lambda_outside: float = 0.0
    """Weight of the change outside of the subject (L1), as far as a classifier of ImageNet tells where that is."""
    judged_inside: str = "neither"
    """Which discriminators see only the change where the subject is, and elsewhere the picture as it was, so that they
    ask for none there: neither, the one of a, the one of b, or both. After Mejjati et al. 2018 (arXiv 1806.02311),
    whose generators learn where that is."""
    subject: str = ANIMAL
    """Of both kinds of pictures, for lambda_outside and judged_inside: animal, or a class of ImageNet, such as
    orange."""
    pool_size: int = 0
    """Pictures in each image pool; 0: the discriminators see the newest ones only."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("generator", GENERATORS)
        self.require_one_of("norm", NORMS)
        self.require_one_of("up", UPSAMPLING)
        self.require_one_of("judged_inside", JUDGED_INSIDE)
        for name in ("encoder_lr", "lambda_cycle", "cycle_end", "lambda_identity", "lambda_change", "lambda_outside"):
            self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
        if self.generator != "residual-unet":
            unknown = ("generator_width", "context_blocks", "norm", "encoder_lr")
            self.require_untouched(*unknown, because="only generator=residual-unet takes it")
        class_indices(self.subject)
        self.require("settle_at", 0 <= self.settle_at <= 1, "from 0 to 1")
        self.require("generator_channels", self.generator_channels >= 1, "1 or more")
        for name in ("blocks", "pool_size"):
            self.require(name, getattr(self, name) >= 0, "0 or more")
        multiple = 4 if self.discriminator == "patch" and self.generator != "residual-unet" else 32
        self.require("image_size", self.image_size % multiple == 0, f"a multiple of {multiple}")


PAPER: dict[str, Any] = {
    **AUTHORS,
    "adversarial": "least-squares",
    "generator": "resnet",
    "blocks": 9,
    "up": "transposed",
    "spectral_norm": False,
    "lambda_cycle": 10.0,
    "cycle_end": 1.0,
    "lambda_identity": 5.0,
    "lambda_change": 0.0,
    "lambda_outside": 0.0,
    "judged_inside": "neither",
    "pool_size": 50,
}
"""The settings of arXiv 1703.10593 and of the authors' code, who held nothing out; held_out=0 does as they did."""
