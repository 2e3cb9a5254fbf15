"""The settings of `cyclegan`."""

from dataclasses import dataclass
from math import inf
from typing import Any

from img2img.networks.resnet import UPSAMPLING
from img2img.recipes.game import AdversarialConfig
from img2img.recipes.translation.diff_augment import AUGMENTATIONS

GENERATORS = ("residual-unet", "separable", "resnet")
DISCRIMINATORS = ("projected", "patch")


@dataclass(frozen=True, kw_only=True)
class CycleganConfig(AdversarialConfig):
    """Ours; the paper's are `PAPER`."""

    steps: int = 6000
    batch_size: int = 4
    image_size: int = 128
    warmup: float = 0.03
    ema_decay: float = 0.998
    augment: str = "crop"
    epochs: int = 0
    """Passes over the larger of the two sets, in the place of steps; 0: as many steps as `steps` says."""
    held_out: int = 100
    """The last pictures of each set, by name, that no training sees."""
    constant_share: float = 0.5
    """Share of the run at the full rates; from there they fall in a line to 0."""
    adversarial: str = "hinge"
    generator: str = "residual-unet"
    """residual-unet: a light one that adds a change to the picture; resnet: the paper's; separable: that, of
    separable convolutions."""
    generator_channels: int = 64
    """Of the ResNets, at the picture's own size; four times as many between the residual blocks."""
    blocks: int = 9
    """Residual blocks of the ResNets."""
    up: str = "transposed"
    """How the ResNets enlarge: transposed as in the paper, resize, which leaves no checkerboards, or bilinear."""
    discriminator: str = "projected"
    """projected: on ImageNet's features; patch: the paper's, which judges patches of 70 x 70 pixels."""
    discriminator_channels: int = 64
    spectral_norm: bool = False
    """Of the patch discriminators, which keeps them 1-Lipschitz; the projected ones always have it."""
    pretrained: bool = True
    """Frozen networks have ImageNet's weights; otherwise random ones, which is for trying things out."""
    lambda_adversarial: float = 1.0
    lambda_cycle: float = 3.0
    """Weight of the cycle loss: how far a picture is, there and back, from itself (L1)."""
    cycle_end: float = 1.0
    """Factor on lambda_cycle at the last step; it gets there in a line from 1."""
    lambda_perceptual: float = 0.0
    """Weight of the same in ImageNet's features: 1 - their cosine, which is from 0 to 2."""
    lambda_identity: float = 0.0
    """Weight of the identity loss: how much a generator changes what is of its target's kind already (L1)."""
    pool_size: int = 0
    """Pictures in each image pool; 0: the discriminators see the newest ones only."""
    diff_augment: tuple[str, ...] = ("color", "translation")
    """What is done to all that the discriminators see: color, translation, cutout."""
    color_strength: float = 0.6
    """Of the color augmentation: 1 is DiffAugment's own."""
    generator_lr: float = 3e-4
    discriminator_lr: float = 1.5e-4
    betas: tuple[float, float] = (0.0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("generator", self.generator in GENERATORS, f"one of {', '.join(GENERATORS)}")
        self.require("discriminator", self.discriminator in DISCRIMINATORS, f"one of {', '.join(DISCRIMINATORS)}")
        self.require("up", self.up in UPSAMPLING, f"one of {', '.join(UPSAMPLING)}")
        known = set(self.diff_augment) <= AUGMENTATIONS.keys()
        self.require("diff_augment", known, f"some of {', '.join(AUGMENTATIONS)}, or nothing")
        for name in ("generator_lr", "discriminator_lr"):
            self.require(name, 0 < getattr(self, name) < inf, "above 0")
        for name in ("lambda_adversarial", "lambda_cycle", "cycle_end", "lambda_perceptual", "lambda_identity"):
            self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
        for name in ("generator_channels", "discriminator_channels"):
            self.require(name, getattr(self, name) >= 1, "1 or more")
        for name in ("epochs", "held_out", "blocks", "pool_size"):
            self.require(name, getattr(self, name) >= 0, "0 or more")
        self.require("constant_share", 0 <= self.constant_share <= 1, "from 0 to 1")
        self.require("color_strength", 0 <= self.color_strength <= 1, "from 0 to 1")
        self.require("betas", all(0 <= beta < 1 for beta in self.betas), "from 0 to below 1")
        self.require("image_size", self.image_size >= 32, "32 or more")
        multiple = 4 if self.discriminator == "patch" and self.generator != "residual-unet" else 32
        self.require("image_size", self.image_size % multiple == 0, f"a multiple of {multiple}")

    def images_held_out(self) -> int:
        return self.held_out

    def passes(self) -> int:
        return self.epochs


PAPER: dict[str, Any] = {
    "batch_size": 1,
    "image_size": 256,
    "warmup": 0.0,
    "ema_decay": 0.0,
    "augment": "crop",
    "epochs": 200,
    "constant_share": 0.5,
    "adversarial": "least-squares",
    "generator": "resnet",
    "generator_channels": 64,
    "blocks": 9,
    "up": "transposed",
    "discriminator": "patch",
    "discriminator_channels": 64,
    "spectral_norm": False,
    "lambda_adversarial": 1.0,
    "lambda_cycle": 10.0,
    "cycle_end": 1.0,
    "lambda_perceptual": 0.0,
    "lambda_identity": 5.0,
    "pool_size": 50,
    "diff_augment": (),
    "generator_lr": 2e-4,
    "discriminator_lr": 2e-4,
    "betas": (0.5, 0.999),
}
"""The settings of arXiv 1703.10593 and of the authors' code, who held nothing out; held_out=0 does as they did."""
