"""The settings that the recipes of translators share."""

from dataclasses import dataclass, replace
from math import inf
from typing import Any, Self

from img2img.recipes.game import AdversarialConfig
from img2img.recipes.translation.diff_augment import AUGMENTATIONS

DISCRIMINATORS = ("projected", "patch")
JUDGING = {"lite1", "lite2"}
AUTHORS: dict[str, Any] = {
    "batch_size": 1,
    "image_size": 256,
    "warmup": 0.0,
    "ema_decay": 0.0,
    "augment": "crop",
    "epochs": 200,
    "constant_share": 0.5,
    "generator_channels": 64,
    "discriminator": "patch",
    "discriminator_channels": 64,
    "lambda_adversarial": 1.0,
    "lambda_perceptual": 0.0,
    "diff_augment": (),
    "generator_lr": 2e-4,
    "discriminator_lr": 2e-4,
    "betas": (0.5, 0.999),
}
"""What CycleGAN and pix2pix, by the same authors and in one framework, have in common."""


@dataclass(frozen=True, kw_only=True)
class TranslatorConfig(AdversarialConfig):
    """How long to train and at which rates, what is held out, and what discriminators see."""

    batch_size: int = 4
    image_size: int = 128
    warmup: float = 0.03
    ema_decay: float = 0.998
    augment: str = "crop"
    epochs: int = 0
    """Passes over the larger of the two sets, in the place of steps; 0: as many steps as `steps` says."""
    held_out: int = 100
    """The last pictures of each set, by name, that no training sees; at most a tenth."""
    constant_share: float = 0.5
    """Share of the run at the full rates; from there they fall in a line to 0."""
    generator_width: float = 1.0
    """Of the residual U-Net: factor on its channels on the way up, whose time and weights grow with its square. With
    --init of a narrower one, or of one with fewer context blocks, it begins as that."""
    context_blocks: int = 0
    """Of the residual U-Net: more residual blocks at 1/16, where a place sees the most around it."""
    adversarial: str = "hinge"
    discriminator: str = "projected"
    """projected: on ImageNet's features; patch: the paper's, which judges patches of 70 x 70 pixels."""
    discriminator_channels: int = 64
    discriminator_features: tuple[str, ...] = ("lite1",)
    """Of the projected discriminators, each with heads of its own: EfficientNet lite1, lite2, or both, which makes a
    step longer. Never Lite0, by which the quality is measured."""
    pretrained: bool = True
    """ImageNet's weights, wherever its features are in use; otherwise random ones, which is for trying things out."""
    lambda_adversarial: float = 1.0
    lambda_perceptual: float = 0.0
    """Weight of how far pictures are apart in ImageNet's features: 1 - their cosine, which is from 0 to 2."""
    diff_augment: tuple[str, ...] = ("color", "translation")
    """What is done to all that the discriminators see: color, translation, cutout."""
    color_strength: float = 0.6
    """Of the color augmentation: 1 is DiffAugment's own."""
    generator_lr: float = 3e-4
    discriminator_lr: float = 1.5e-4
    betas: tuple[float, float] = (0.0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("discriminator", DISCRIMINATORS)
        seen = self.discriminator_features
        named = bool(seen) and set(seen) <= JUDGING and len(set(seen)) == len(seen)
        self.require("discriminator_features", named, "lite1, lite2, or both")
        if self.discriminator != "projected":
            self.require_untouched("discriminator_features", because="only discriminator=projected takes it")
        known = set(self.diff_augment) <= AUGMENTATIONS.keys()
        self.require("diff_augment", known, f"some of {', '.join(AUGMENTATIONS)}, or nothing")
        for name in ("generator_lr", "discriminator_lr"):
            self.require(name, 0 < getattr(self, name) < inf, "above 0")
        for name in ("lambda_adversarial", "lambda_perceptual"):
            self.require(name, 0 <= getattr(self, name) < inf, "0 or more")
        for name in ("epochs", "held_out", "context_blocks"):
            self.require(name, getattr(self, name) >= 0, "0 or more")
        self.require("generator_width", 0 < self.generator_width <= 8, "more than 0, at most 8")
        self.require("discriminator_channels", self.discriminator_channels >= 1, "1 or more")
        self.require("constant_share", 0 <= self.constant_share <= 1, "from 0 to 1")
        self.require("color_strength", 0 <= self.color_strength <= 1, "from 0 to 1")
        self.require("betas", all(0 <= beta < 1 for beta in self.betas), "from 0 to below 1")
        self.require("image_size", self.image_size >= 32, "32 or more")

    def images_held_out(self) -> int:
        return self.held_out

    def passes(self) -> int:
        return self.epochs

    def for_steps(self, count: int) -> Self:
        return replace(self, steps=count, epochs=0)
