"""What every recipe in the table must keep, and what single recipes promise."""

import pytest
import torch
from kornia.color import rgb_to_lab
from torch import nn

from img2img.losses import ADVERSARIAL_LOSSES
from img2img.networks.quantised_ab import AB_SCALE
from img2img.onnx_graph import fill_shape
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.photo_lab import join, split
from img2img.recipes.recipe import Recipe
from img2img.training.settings import make_config


def tiny_recipe(name: str, *settings: str) -> Recipe:
    torch.manual_seed(0)
    recipe_type = recipe_class(name)
    return recipe_type(make_config(recipe_type, ["pretrained=false", *settings])).train()


def photos(count: int = 3, size: int = 64) -> torch.Tensor:
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return nn.functional.interpolate(coarse, size, mode="bilinear")


def batch(count: int = 3) -> dict[str, torch.Tensor]:
    return {"image": photos(count), "key": torch.arange(count)}


def stepper(recipe: Recipe):
    """An `update` as the trainer gives it, that records whom it was called for."""
    optimizers, called = recipe.optimizers(), []

    def update(name, loss):
        called.append(name)
        optimizers[name].zero_grad()
        loss.backward()
        optimizers[name].step()

    return update, optimizers, called


@pytest.mark.parametrize("name", RECIPES)
def test_step_updates_every_player_and_returns_finite_scalars(name):
    recipe = tiny_recipe(name)
    before = {key: value.clone() for key, value in recipe.named_parameters()}
    update, optimizers, called = stepper(recipe)
    scalars = recipe.step(batch(), update)
    assert set(called) == set(optimizers)
    assert all(value.ndim == 0 and value.isfinite() and not value.requires_grad for value in scalars.values())
    assert all(not torch.equal(before[key], value) for key, value in recipe.named_parameters() if value.ndim > 1)


@pytest.mark.parametrize("name", RECIPES)
def test_every_parameter_belongs_to_exactly_one_optimizer(name):
    recipe = tiny_recipe(name)
    owned = [id(p) for o in recipe.optimizers().values() for group in o.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in recipe.parameters())


@pytest.mark.parametrize("name", RECIPES)
def test_preview_is_rows_of_pictures_and_draws_no_random_numbers(name):
    recipe = tiny_recipe(name).eval()
    rng = torch.get_rng_state()
    with torch.no_grad():
        rows = recipe.preview(batch(2))
    assert rows.shape == (2, 3, 3, 64, 64)
    assert torch.equal(torch.get_rng_state(), rng)


@pytest.mark.parametrize("name", RECIPES)
def test_exported_network_takes_the_averaged_weights(name):
    recipe = tiny_recipe(name)
    assert recipe.exported in recipe.averaged
    network = type(recipe).exported_network(recipe.config)
    network.load_state_dict(recipe.get_submodule(recipe.exported).state_dict())
    sizes = {"N": 2, "H": 64, "W": 32}
    inputs = [torch.zeros(fill_shape(spec, sizes)) for spec in recipe.inputs(recipe.config)]
    assert list(network.eval()(*inputs).shape) == fill_shape(recipe.outputs(recipe.config)[0], sizes)


@pytest.mark.parametrize("name", RECIPES)
def test_a_few_steps_on_one_batch_lower_the_generators_loss(name):
    from_scratch = {"colorizer-gan": ["generator_lr=2e-3"]}  # its default is for weights that --init brings
    recipe = tiny_recipe(name, *from_scratch.get(name, []))
    update, _, _ = stepper(recipe)
    loss = "loss" if name == "colorizer" else "l1"
    values = [float(recipe.step(batch(), update)[loss]) for _ in range(12)]
    assert values[-1] < 0.9 * values[0]


@pytest.mark.parametrize("adversarial", ADVERSARIAL_LOSSES)
def test_every_adversarial_loss_trains_the_colorizer_gan(adversarial):
    recipe = tiny_recipe("colorizer-gan", f"adversarial={adversarial}", "discriminator_channels=8")
    update, _, called = stepper(recipe)
    scalars = recipe.step(batch(), update)
    assert called == ["discriminator", "generator"]
    assert all(value.isfinite() for value in scalars.values())
    assert (scalars["penalty"] > 0) == ADVERSARIAL_LOSSES[adversarial].gradient_penalty
    norms = [m for m in recipe.discriminator.modules() if isinstance(m, nn.InstanceNorm2d)]
    assert bool(norms) != ADVERSARIAL_LOSSES[adversarial].gradient_penalty


def test_generator_step_leaves_no_gradient_in_the_discriminator():
    recipe = tiny_recipe("colorizer-gan", "discriminator_channels=8")
    optimizers = recipe.optimizers()

    def update(name, loss):
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        if name == "generator":
            assert all(p.grad is None for p in recipe.discriminator.parameters())
        else:
            assert all(p.grad is None for p in recipe.generator.parameters())

    recipe.step(batch(), update)


def test_split_and_join_return_the_photo():
    image = photos()[2:].repeat(3, 1, 1, 1)
    lightness, ab = split(image, torch.arange(3))
    assert torch.allclose(join(lightness[2:], ab[2:]), image[2:], atol=2e-3)  # the third has CIE's own L*


@pytest.mark.parametrize(("index", "weights"), [(0, (0.299, 0.587, 0.114)), (1, (0.2126, 0.7152, 0.0722))])
def test_grey_is_made_the_ways_users_greys_are_made(index, weights):
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(3, 3, 2, 2)
    lightness, _ = split(red, torch.tensor([3, 7, 2]))
    grey = rgb_to_lab(torch.full((1, 3, 1, 1), weights[0]))[0, 0, 0, 0]
    assert lightness[index].unique().item() == pytest.approx(grey.item() / 50 - 1, abs=1e-5)


def test_grey_is_bt601_where_nothing_is_said():
    lightness, _ = split(photos())
    assert torch.equal(lightness, split(photos(), torch.zeros(3, dtype=torch.int64))[0])


def test_chroma_is_the_true_one_however_the_grey_was_made():
    image = photos()
    _, ab = split(image, torch.arange(3))
    assert torch.allclose(ab * AB_SCALE, rgb_to_lab((image + 1) / 2)[:, 1:], atol=1e-3)


def test_rare_colours_weigh_more_and_the_mean_weight_is_one():
    recipe = tiny_recipe("colorizer", "rarity=1.0", "uniform_share=0.5")
    common, rare = 10, 200
    classes = torch.full((1, 1, 10, 10), common)
    classes[0, 0, 0, 0] = rare
    for _ in range(3000):
        weights = recipe._rarity_weights(classes, torch.ones(1, 1, 10, 10))
    assert weights[0, 0, 0] > 5 * weights[0, 5, 5]
    expected = (recipe.frequency @ recipe.smoothing)[[common, rare]] / 2 + 0.5 / len(recipe.frequency)
    assert (weights[0, 5, 5] / weights[0, 0, 0]).item() == pytest.approx((expected[1] / expected[0]).item(), rel=1e-3)


def test_no_rarity_weighs_all_alike():
    recipe = tiny_recipe("colorizer", "rarity=0.0")
    weights = recipe._rarity_weights(torch.randint(0, 200, (2, 1, 4, 4)), torch.ones(2, 1, 4, 4))
    assert torch.allclose(weights, torch.ones(2, 4, 4), atol=1e-4)
