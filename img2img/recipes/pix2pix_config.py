"""The settings of `pix2pix`."""

from dataclasses import dataclass
from math import inf
from typing import Any

from img2img.recipes.translation.translator_config import AUTHORS, TranslatorConfig

GENERATORS = ("residual-unet", "unet")
RESULTS = ("picture", "change")


@dataclass(frozen=True, kw_only=True)
class Pix2pixConfig(TranslatorConfig):
    """Ours; the paper's are `PAPER`."""

    steps: int = 4000
    generator: str = "residual-unet"
    """residual-unet: a light one on ImageNet's features, which learn along; unet: the paper's."""
    result: str = "picture"
    """picture: the generator draws all of its picture; change: residual-unet adds to the one that it is given, for
    pairs of one picture, such as a damaged and a restored one. A photo then keeps its own sharpness."""
    generator_channels: int = 64
    """Of the U-Net, at half the picture's size; eight times as many from a sixteenth on."""
    levels: int = 8
    """How often the U-Net halves a picture, whose sides must be multiples of 2 ** levels."""
    dropout: float = 0.0
    """Share of the U-Net's deepest features that are dropped at random while it trains."""
    lambda_l1: float = 100.0
    """Weight of the L1 distance between what is drawn and the target."""
    lambda_perceptual: float = 10.0
    lambda_adversarial: float = 0.3
    generator_lr: float = 1e-3
    discriminator_lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("generator", GENERATORS)
        results = RESULTS if self.generator == "residual-unet" else RESULTS[:1]
        self.require("result", self.result in results, f"{' or '.join(results)} with generator={self.generator}")
        self.require("lambda_l1", 0 <= self.lambda_l1 < inf, "0 or more")
        self.require("generator_channels", self.generator_channels >= 1, "1 or more")
        self.require("levels", 4 <= self.levels <= 10, "from 4 to 10")
        self.require("dropout", 0 <= self.dropout < 1, "from 0 to below 1")
        if self.generator != "unet":
            self.require_untouched("dropout", because="only generator=unet takes it")
        else:
            unknown = ("generator_width", "context_blocks")
            self.require_untouched(*unknown, because="only generator=residual-unet takes it")
        multiple = self.sides_multiple
        self.require("image_size", self.image_size % multiple == 0, f"a multiple of {multiple}")

    @property
    def sides_multiple(self) -> int:
        """Of a training picture's sides."""
        drawn = 2**self.levels if self.generator == "unet" else 16
        looked_at = 32 if self.discriminator == "projected" or self.lambda_perceptual else 1
        return max(drawn, looked_at)


PAPER: dict[str, Any] = {
    **AUTHORS,
    "adversarial": "bce",
    "generator": "unet",
    "result": "picture",
    "levels": 8,
    "dropout": 0.5,
    "lambda_l1": 100.0,
}
"""The settings of arXiv 1611.07004 and of the authors' code, who held nothing out; held_out=0 does as they did.

Where they have batch norms there are instance norms with a scale and a shift, which at a batch of 1 are the same.
"""
