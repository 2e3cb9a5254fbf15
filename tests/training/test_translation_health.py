"""The health of a translator in training: every failure is provoked by a tiny training, and named."""

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from tiny_run import TINY
from torch import Tensor

from img2img.recipes.cyclegan import CycleganRecipe
from img2img.recipes.settings import make_config
from img2img.recipes.translation.likeness import translation_figures
from img2img.training.health.examination import examine
from img2img.training.health.health import Health

EVERY = 5
TIME_LAPSE = 100
"""Each tiny step stands for as many of a real training, which learns so much more slowly."""

Colour = tuple[float, float, float]
BROWN: Colour = (0.6, 0.1, -0.3)
GREEN: Colour = (-0.4, 0.1, -0.5)
WHITE: Colour = (0.8, 0.8, 0.8)
BLACK: Colour = (-0.9, -0.9, -0.9)
SKY: Colour = (0.5, 0.5, 0.9)


def scenes(subject: Colour, ground: Colour, turn: int) -> Tensor:
    """(4, 3, 32, 32): a rectangle somewhere in the middle of a mottled ground, others every turn."""
    generator = torch.Generator().manual_seed(turn)
    mottled = F.interpolate(torch.rand(4, 3, 8, 8, generator=generator) - 0.5, 32, mode="bilinear") * 0.2
    pictures = torch.tensor(ground).view(1, 3, 1, 1) + mottled
    for picture in pictures:
        top, left, height, width = torch.randint(6, 12, (4,), generator=generator).tolist()
        picture[:, top : top + height, left : left + width] = torch.tensor(subject).view(3, 1, 1)
    return pictures.clamp(-1, 1)


def train(a: tuple[Colour, Colour], b: tuple[Colour, Colour], *settings: str, steps: int) -> Iterator[str]:
    """A real training on such scenes; yields the names of what health finds."""
    torch.manual_seed(0)
    config = make_config(CycleganRecipe, [*TINY["cyclegan"], "diff_augment=", *settings])
    assert isinstance(config, CycleganRecipe.Config)
    recipe = CycleganRecipe(config).train()
    optimizers, health = recipe.optimizers(), Health()

    def update(name: str, loss: Tensor) -> None:
        optimizers[name].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizers[name].step()

    for step in range(1, steps + 1):
        batch = {"a": scenes(*a, 2 * step), "b": scenes(*b, 2 * step + 1), "key": torch.arange(4) + 4 * step}
        scalars = recipe.step(batch, update)
        if step % EVERY == 0:
            measured = examine(recipe, optimizers, batch, scalars)
            found = health.check(
                TIME_LAPSE * step, TIME_LAPSE * steps, measured.scalars, measured.gradient_norms, measured.figures
            )
            yield from (finding.name for finding in found)


@pytest.mark.slow
def test_generator_without_a_discriminator_to_please_changes_nothing() -> None:
    settings = ("generator=residual-unet", "lambda_adversarial=0", "generator_lr=1e-2")
    assert "generator changes nothing" in train((BROWN, GREEN), (WHITE, GREEN), *settings, steps=15)


@pytest.mark.slow
def test_generator_between_dark_on_bright_and_bright_on_dark_inverts() -> None:
    found = train((WHITE, BLACK), (BLACK, WHITE), "generator_lr=5e-3", "lambda_cycle=1", steps=30)
    assert "colours inverted" in found


def test_generator_that_need_not_come_back_repaints_the_background() -> None:
    found = train((BROWN, GREEN), (WHITE, SKY), "generator_lr=5e-3", "lambda_cycle=0", steps=30)
    assert "background repainted" in found


SOUND = {
    "separable": ("generator_lr=2e-3", "lambda_identity=5", "betas=0.5,0.99"),
    "residual-unet": ("generator_lr=2e-3", "lambda_cycle=1"),
}


@pytest.mark.parametrize(
    ("generator", "steps"),
    [("separable", 10), *(pytest.param(name, 25, marks=pytest.mark.slow) for name in SOUND)],
)
def test_sound_training_is_silent(generator: str, steps: int) -> None:
    settings = (f"generator={generator}", *SOUND[generator])
    assert list(train((BROWN, GREEN), (WHITE, GREEN), *settings, steps=steps)) == []


def photo(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


def figure(name: str, became: Callable[[Tensor], Tensor]) -> float:
    return float(translation_figures((photo(), became(photo())))[name])


def test_what_changes_nothing_agrees_with_itself() -> None:
    figures = translation_figures((photo(), photo()))
    assert {name: round(float(value), 5) for name, value in figures.items()} == {
        "change": 0,
        "luma": 1,
        "colour": 1,
        "repainted": 0,
    }


def test_change_is_a_share_of_the_range() -> None:
    assert figure("change", lambda x: x + 0.1) == pytest.approx(0.05)
    assert figure("change", lambda x: -x) == pytest.approx(float(photo().abs().mean()))


def test_negative_opposes_in_light_and_in_colour() -> None:
    assert figure("luma", lambda x: -x) == pytest.approx(-1)
    assert figure("colour", lambda x: -x) == pytest.approx(-1)


def test_brighter_picture_of_less_contrast_agrees() -> None:
    assert figure("luma", lambda x: 0.3 * x + 0.5) == pytest.approx(1)
    assert figure("colour", lambda x: 0.3 * x + 0.5) == pytest.approx(1)


def test_grey_picture_neither_agrees_nor_opposes_in_colour() -> None:
    assert figure("colour", lambda x: x.mean(1, keepdim=True).expand_as(x)) == pytest.approx(0, abs=1e-5)


def test_opposite_hues_of_the_same_luma_oppose_in_colour_alone() -> None:
    grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

    def opposed(x: Tensor) -> Tensor:
        luma = (x * grey).sum(1, keepdim=True)
        return 2 * luma - x

    assert figure("luma", opposed) == pytest.approx(1, abs=1e-5)
    assert figure("colour", opposed) == pytest.approx(-1, abs=1e-5)


def test_only_clear_changes_at_the_border_count_as_repainted() -> None:
    def inside(x: Tensor) -> Tensor:
        changed = x.clone()
        changed[:, :, 2:-2, 3:-3] += 0.5
        return changed

    def left_half(x: Tensor) -> Tensor:
        changed = x.clone()
        changed[:, :, :, :12] += 0.21
        return changed

    assert figure("repainted", inside) == 0
    assert figure("repainted", left_half) == pytest.approx(0.5)
    assert figure("repainted", lambda x: x + 0.19) == 0


def test_figures_are_those_of_the_worst_direction_and_ask_nothing_of_the_host() -> None:
    both = translation_figures((photo(), photo()), (photo(), -photo()))
    one = translation_figures((photo(), -photo()))
    assert both["change"] == 0
    assert all(both[name] == one[name] for name in ("luma", "colour", "repainted"))
    pictures = torch.empty(2, 3, 16, 24, device="meta")  # has no values to ask for
    assert translation_figures((pictures, pictures))["repainted"].is_meta
