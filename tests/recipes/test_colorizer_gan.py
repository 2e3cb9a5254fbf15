"""The adversarial colorizer: two kinds of discriminator, two kinds of anchor."""

import pytest
import torch
from kornia.color import rgb_to_lab
from tiny_colorizer import drawn_frequency
from tiny_recipe import batch, stepper, tiny_recipe
from torch import Tensor

from img2img.errors import SettingError
from img2img.networks.projected import ProjectedDiscriminator
from img2img.recipes.color_classes import prior_correction
from img2img.recipes.colorizer_gan import ColorizerGanRecipe
from img2img.recipes.photo_lab import as_rgb
from img2img.recipes.recipe import Recipe

PROJECTED = ("discriminator=projected", "discriminator_channels=8")
CROSS_ENTROPY = ("lambda_l1=0", "lambda_cross_entropy=1", "generator_lr=5e-3")


def gan(*settings: str) -> ColorizerGanRecipe:
    recipe: Recipe = tiny_recipe("colorizer-gan", *settings)
    assert isinstance(recipe, ColorizerGanRecipe)
    return recipe


@pytest.mark.parametrize(
    "discriminator", [(), pytest.param(PROJECTED, marks=pytest.mark.slow)], ids=["patch", "projected"]
)
def test_cross_entropy_alone_is_an_anchor_as_well(discriminator: tuple[str, ...]) -> None:
    recipe = gan(*discriminator, *CROSS_ENTROPY)
    update, _, called = stepper(recipe)
    steps = [recipe.step(batch(recipe), update) for _ in range(6)]
    assert called[:2] == ["discriminator", "generator"]
    assert float(steps[-1]["cross_entropy"]) < 0.9 * float(steps[0]["cross_entropy"])


def test_projected_discriminator_sees_the_coloured_picture_and_keeps_its_features() -> None:
    recipe = gan(*PROJECTED)
    assert isinstance(recipe.discriminator, ProjectedDiscriminator)
    seen: list[Tensor] = []
    recipe.discriminator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    fixed = {name: value.clone() for name, value in recipe.discriminator.features.state_dict().items()}
    pictures = batch(recipe)
    lightness, ab = recipe.seen(pictures)
    update, _, _ = stepper(recipe)
    recipe.step(pictures, update)
    assert torch.equal(seen[0], as_rgb(lightness, ab))
    assert all(torch.equal(value, fixed[name]) for name, value in recipe.discriminator.features.state_dict().items())


def test_gradients_through_colours_outside_srgb_and_through_black_are_finite() -> None:
    lightness = torch.linspace(-1, 1, 9).view(1, 1, 3, 3)
    ab = torch.full((1, 2, 3, 3), 1.0).requires_grad_()
    torch.autograd.backward(as_rgb(lightness, ab).square().sum())
    assert ab.grad is not None
    assert ab.grad.isfinite().all()


def test_gradient_of_a_colour_inside_srgb_is_that_of_lab() -> None:
    """By finite differences, in the direction of a."""
    rgb = torch.tensor([0.6, 0.4, 0.5]).view(1, 3, 1, 1)
    lab = rgb_to_lab(rgb)
    lightness, ab = lab[:, :1] / 50 - 1, (lab[:, 1:] / 110).requires_grad_()
    torch.autograd.backward(as_rgb(lightness, ab)[0, 0].sum())
    with torch.no_grad():
        step = torch.tensor([1e-2, 0]).view(1, 2, 1, 1)
        slope = float((as_rgb(lightness, ab + step) - as_rgb(lightness, ab - step))[0, 0, 0, 0]) / 2e-2
    assert ab.grad is not None
    assert float(ab.grad[0, 0, 0, 0]) == pytest.approx(slope, rel=0.02)


def test_frequencies_of_the_colorizer_it_starts_from_go_on() -> None:
    recipe = gan(*CROSS_ENTROPY)
    frequency = drawn_frequency(len(recipe.frequency))
    bias = recipe.generator.unet.head.bias
    assert bias is not None
    before = bias.detach().clone()
    then = {"rarity": 0.5, "uniform_share": 0.5, "prior_correction": 0.5}
    recipe.begin_with({"frequency": frequency}, then)
    assert torch.equal(recipe.frequency, frequency)
    assert torch.allclose(before - bias, prior_correction(frequency, recipe.config, 0.5), atol=1e-6)


def test_without_cross_entropy_nothing_is_counted() -> None:
    recipe = gan()
    assert "frequency" not in recipe.state_dict()
    recipe.begin_with({"frequency": drawn_frequency(10)}, {})


def test_unknown_discriminator_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"discriminator.*patch, projected"):
        gan("discriminator=dinosaur")
