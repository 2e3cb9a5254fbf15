"""What every recipe in the table must keep, and what single recipes promise."""

from typing import Any

import pytest
import torch
from kornia.color import rgb_to_lab
from tiny_recipe import batch, photos, stepper, tiny_recipe
from torch import nn

from img2img.errors import SettingError
from img2img.export.example_inputs import fill_shape
from img2img.losses import ADVERSARIAL_LOSSES
from img2img.networks.quantised_ab import AB_SCALE
from img2img.recipes import RECIPES, photo_lab, recipe_class
from img2img.recipes.color_classes import class_weights, prior_correction, rarity_weights
from img2img.recipes.game import Game, GameConfig
from img2img.recipes.photo_lab import as_rgb, split
from img2img.recipes.settings import make_config
from img2img.recipes.wgan import WassersteinRecipe

GENERATIVE = [name for name in RECIPES if recipe_class(name).task == "generate"]
COLORIZERS = [name for name in RECIPES if recipe_class(name).task == "colorize"]
TRANSLATORS = [name for name in RECIPES if recipe_class(name).task == "translate"]
WASSERSTEIN = [name for name in RECIPES if issubclass(recipe_class(name), WassersteinRecipe)]
ADVERSARIAL = [name for name in RECIPES if issubclass(recipe_class(name).Config, GameConfig)]


@pytest.mark.parametrize("name", RECIPES)
def test_step_updates_every_player_and_returns_finite_scalars(name: str) -> None:
    recipe = tiny_recipe(name)
    before = {key: value.clone() for key, value in recipe.named_parameters()}
    update, optimizers, called = stepper(recipe)
    scalars = recipe.step(batch(recipe), update)
    assert set(called) == set(optimizers)
    assert all(value.ndim == 0 and value.isfinite() and not value.requires_grad for value in scalars.values())
    trained = [(key, value) for key, value in recipe.named_parameters() if value.requires_grad and value.ndim > 1]
    assert all(not torch.equal(before[key], value) for key, value in trained)


@pytest.mark.parametrize("name", RECIPES)
def test_every_parameter_belongs_to_exactly_one_optimizer(name: str) -> None:
    recipe = tiny_recipe(name)
    owned = [id(p) for o in recipe.optimizers().values() for group in o.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in recipe.parameters() if p.requires_grad)


@pytest.mark.parametrize("name", RECIPES)
def test_preview_is_rows_of_pictures_and_draws_no_random_numbers(name: str) -> None:
    recipe = tiny_recipe(name).eval()
    rng = torch.get_rng_state()
    with torch.no_grad():
        rows = recipe.preview(batch(recipe, 2))
    side = {"colorize": 64, "translate": 32, "generate": 8}[recipe.task]
    assert rows.ndim == 5
    assert rows.shape[2:] == (3, side, side)
    assert rows.min() >= -1.01
    assert rows.max() <= 1.01
    assert torch.equal(torch.get_rng_state(), rng)


@pytest.mark.parametrize("name", RECIPES)
def test_exported_network_takes_the_averaged_weights(name: str) -> None:
    recipe = tiny_recipe(name)
    assert recipe.exported in recipe.averaged
    network = type(recipe).exported_network(recipe.config)
    network.load_state_dict(recipe.get_submodule(recipe.exported).state_dict())
    sizes = {"N": 2, "H": 64, "W": 32}
    inputs = [torch.zeros(fill_shape(spec, sizes)) for spec in recipe.inputs(recipe.config)]
    assert [spec.range[0] < spec.range[1] for spec in recipe.inputs(recipe.config)]
    assert list(network.eval()(*inputs).shape) == fill_shape(recipe.outputs(recipe.config)[0], sizes)


@pytest.mark.parametrize(
    "name",
    [name if name == "pix2pix" else pytest.param(name, marks=pytest.mark.slow) for name in (*COLORIZERS, *TRANSLATORS)],
)
def test_a_few_steps_on_one_batch_lower_the_generators_loss(name: Any) -> None:
    from_scratch = {  # the defaults are for weights that --init brings, and for long runs
        "colorizer-gan": ["generator_lr=2e-3"],
        "cyclegan": ["generator_lr=2e-3", "lambda_cycle=100", "betas=0.9,0.99"],
        "pix2pix": ["generator_lr=5e-3", "lambda_l1=100", "dropout=0"],
    }
    recipe = tiny_recipe(name, *from_scratch.get(name, []))
    update, _, _ = stepper(recipe)
    loss = {"colorizer": "loss", "colorizer-gan": "l1", "cyclegan": "cycle", "pix2pix": "l1"}[name]
    # two generators that come back through each other are slower
    steps = {"colorizer": 8, "colorizer-gan": 5, "cyclegan": 20, "pix2pix": 12}[name]
    pictures = batch(recipe)
    values = [float(recipe.step(pictures, update)[loss]) for _ in range(steps)]
    assert values[-1] < 0.9 * values[0]


@pytest.mark.slow
@pytest.mark.parametrize("adversarial", ADVERSARIAL_LOSSES)
def test_every_adversarial_loss_trains_the_colorizer_gan(adversarial: Any) -> None:
    recipe = tiny_recipe("colorizer-gan", f"adversarial={adversarial}", "discriminator_channels=8")
    update, _, called = stepper(recipe)
    scalars = recipe.step(batch(recipe), update)
    assert called == ["discriminator", "generator"]
    assert all(value.isfinite() for value in scalars.values())
    assert ("penalty" in scalars) == ADVERSARIAL_LOSSES[adversarial].gradient_penalty
    norms = [m for m in recipe.discriminator.modules() if isinstance(m, nn.InstanceNorm2d)]
    assert bool(norms) != ADVERSARIAL_LOSSES[adversarial].gradient_penalty


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_each_players_loss_reaches_that_player_alone(name: str) -> None:
    recipe = tiny_recipe(name, "discriminator_channels=8")
    optimizers = recipe.optimizers()

    def update(player, loss) -> None:
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for other, optimizer in optimizers.items():
            touched = [p.grad is not None for group in optimizer.param_groups for p in group["params"]]
            assert any(touched) == (other == player), (player, other)

    recipe.step(batch(recipe), update)


def test_split_and_join_return_the_photo() -> None:
    image = photos()[2:].repeat(3, 1, 1, 1)
    lightness, ab = split(image, torch.arange(3))
    assert torch.allclose(as_rgb(lightness[2:], ab[2:]), image[2:], atol=2e-3)  # the third has CIE's own L*


@pytest.mark.parametrize(("index", "weights"), [(0, (0.299, 0.587, 0.114)), (1, (0.2126, 0.7152, 0.0722))])
def test_grey_is_made_the_ways_users_greys_are_made(index: int, weights: tuple[float, ...]) -> None:
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(3, 3, 2, 2)
    lightness, _ = split(red, torch.tensor([3, 7, 2]))
    grey = rgb_to_lab(torch.full((1, 3, 1, 1), weights[0]))[0, 0, 0, 0]
    assert lightness[index].unique().item() == pytest.approx(grey.item() / 50 - 1, abs=1e-5)


def test_grey_is_bt601_where_nothing_is_said() -> None:
    lightness, _ = split(photos())
    assert torch.equal(lightness, split(photos(), torch.zeros(3, dtype=torch.int64))[0])


def test_chroma_is_the_true_one_however_the_grey_was_made() -> None:
    image = photos()
    _, ab = split(image, torch.arange(3))
    assert torch.allclose(ab * AB_SCALE, rgb_to_lab((image + 1) / 2)[:, 1:], atol=1e-3)


@pytest.mark.slow
def test_rare_colours_weigh_more_and_the_mean_weight_is_one() -> None:
    recipe = tiny_recipe("colorizer", "rarity=1.0", "uniform_share=0.5")
    common, rare = 10, 200
    classes = torch.full((1, 1, 10, 10), common)
    classes[0, 0, 0, 0] = rare
    for _ in range(3000):
        weights = rarity_weights(classes, torch.ones(1, 1, 10, 10), recipe.frequency, recipe.smoothing, recipe.config)
    assert weights[0, 0, 0] > 5 * weights[0, 5, 5]
    expected = (recipe.frequency @ recipe.smoothing)[[common, rare]] / 2 + 0.5 / len(recipe.frequency)
    assert (weights[0, 5, 5] / weights[0, 0, 0]).item() == pytest.approx((expected[1] / expected[0]).item(), rel=1e-3)


def test_prior_correction_takes_back_what_the_weights_made_of_the_posterior() -> None:
    """Weights w make the softmax learn w p over its sum: of even weights and of all of them taken back p is left."""
    recipe = tiny_recipe("colorizer", "rarity=0.7", "uniform_share=0.2")
    frequency = torch.softmax(torch.linspace(-4, 4, len(recipe.frequency)), 0)
    w = class_weights(frequency, recipe.smoothing, recipe.config)
    learnt = (w * frequency / (w * frequency).sum()).log()
    for share, expected in ((0, w * frequency), (0.5, w.sqrt() * frequency), (1, frequency)):
        p = torch.softmax(learnt + prior_correction(frequency, recipe.config, share), 0)
        assert torch.allclose(p, expected / expected.sum(), atol=1e-6)


def test_no_rarity_weighs_all_alike() -> None:
    recipe = tiny_recipe("colorizer", "rarity=0.0")
    classes = torch.randint(0, 200, (2, 1, 4, 4))
    weights = rarity_weights(classes, torch.ones(2, 1, 4, 4), recipe.frequency, recipe.smoothing, recipe.config)
    assert torch.allclose(weights, torch.ones(2, 4, 4), atol=1e-4)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("gan", "wgan-gp") else pytest.mark.slow) for name in GENERATIVE]
)
def test_generator_learns_how_bright_the_data_are(name: str) -> None:
    fast = ("generator_lr=3e-3", "discriminator_lr=3e-3", *(("n_critic=2",) if name in WASSERSTEIN else ()))
    recipe = tiny_recipe(name, *fast)
    update, _, _ = stepper(recipe)
    bright = batch(recipe, 8)
    pictures = bright["video" if recipe.frames > 1 else "image"]
    pictures.fill_(0.6)
    before = recipe.samples(bright).mean()
    for turn in range(80 if name == "gan" else 30):  # which has no convolutions
        bright["key"] = torch.arange(len(pictures)) + turn * len(pictures)
        recipe.step(bright, update)
    after = recipe.samples(bright).mean()
    assert abs(before) < 0.3
    assert after > 0.35


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("dcgan", "wgan-gp") else pytest.mark.slow) for name in ADVERSARIAL]
)
@pytest.mark.parametrize("regulariser", ["instance_noise=0.3", "r1=5.0", "r2=5.0"])
def test_every_adversarial_recipe_takes_the_regularisers(name: str, regulariser: str) -> None:
    plain, regular = (tiny_recipe(name, "discriminator_channels=8", *extra) for extra in ((), (regulariser,)))
    results = []
    for recipe in (plain, regular):
        update, _, _ = stepper(recipe)
        results.append(recipe.step(batch(recipe), update))
    assert results[0]["generator"] != results[1]["generator"]
    assert {"r1", "r2"} & results[1].keys() == {"r1", "r2"} & {regulariser.partition("=")[0]}


@pytest.mark.parametrize("name", [name for name in ADVERSARIAL if name not in WASSERSTEIN])
def test_label_smoothing_reaches_the_discriminators_loss(name: str) -> None:
    losses = []
    for smoothing in (0.0, 0.3):
        recipe = tiny_recipe(name, "discriminator_channels=8", f"label_smoothing={smoothing}")
        update, _, _ = stepper(recipe)
        losses.append(recipe.step(batch(recipe), update)["discriminator"])
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", RECIPES)
def test_what_compile_compiles_is_called_in_a_step(name: str) -> None:
    recipe = tiny_recipe(name)
    calls = []
    for network in recipe.compiled():

        def noted(*inputs, network=network):
            calls.append(network)
            return network.forward(*inputs)

        network._compiled_call_impl = noted
    update, _, _ = stepper(recipe)
    recipe.step(batch(recipe), update)
    assert set(calls) == set(recipe.compiled())


@pytest.mark.parametrize(("frames", "size", "fits"), [(4, 8, True), (8, 32, True), (4, 32, False), (8, 64, False)])
def test_videos_are_at_least_as_often_halved_as_their_pictures(frames: int, size: int, fits: bool) -> None:
    settings = [f"frames={frames}", f"image_size={size}", "generator_channels=2", "discriminator_channels=2"]
    if not fits:
        with pytest.raises(SettingError, match="or more: as often halved"):
            make_config(recipe_class("tgan"), settings)
        return
    recipe = tiny_recipe("tgan", *settings)
    update, _, _ = stepper(recipe)
    recipe.step(batch(recipe), update)


def test_lab_equals_kornias() -> None:
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    rgb[0, :, 0] = torch.linspace(0, 0.02, 16)  # where both curves are lines
    assert torch.allclose(photo_lab.to_lab(rgb), rgb_to_lab(rgb), atol=1e-4)


def test_parts_of_a_batch_make_the_loss_of_the_whole() -> None:
    recipe = tiny_recipe("colorizer").eval()
    whole = batch(recipe, 4)
    losses = []
    for part in (whole, *({key: value[half] for key, value in whole.items()} for half in (slice(2), slice(2, 4)))):
        recipe.frequency.fill_(1 / len(recipe.frequency))
        losses.append(recipe.step(part, lambda *_: None)["loss"])
    assert losses[0] == pytest.approx(float(losses[1] + losses[2]) / 2, rel=1e-5)


def test_instance_noise_falls_to_nothing_at_the_end() -> None:
    game = Game(make_config(recipe_class("dcgan"), ["instance_noise=0.5"]))
    x, key = torch.zeros(64, 1, 8, 8), torch.arange(64)
    spread = [float(game._noisy(x, key, torch.tensor(progress), "test").std()) for progress in (0.0, 0.5, 1.0)]
    assert spread == pytest.approx([0.5, 0.25, 0.0], abs=0.01)


@pytest.mark.parametrize(("name", "setting"), [("wgan-gp", "steps=1"), ("dcgan", "adversarial=relativistic")])
def test_label_smoothing_is_refused_where_there_are_no_labels(name: str, setting: str) -> None:
    with pytest.raises(SettingError, match="no labels"):
        make_config(recipe_class(name), [setting, "label_smoothing=0.1"])


def test_relativistic_players_are_right_about_a_pair_or_wrong() -> None:
    """Of logits 2 and 0 for real samples, -1 and 3 for fake ones, one pair is the right way round."""
    game = Game(make_config(recipe_class("dcgan"), ["adversarial=relativistic"]))
    real, fake, key = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0]), torch.arange(2)
    _, figures = game.discriminator(lambda x: x, real, fake, key, torch.tensor(0.0))
    assert (float(figures["real_right"]), float(figures["fake_right"])) == (0.5, 0.5)


@pytest.mark.parametrize("name", WASSERSTEIN)
def test_critic_is_updated_n_critic_times_each_on_a_batch_of_its_own(name: str) -> None:
    recipe = tiny_recipe(name, "n_critic=3")
    update, _, called = stepper(recipe)
    seen = []
    recipe.critic.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    joined = batch(recipe)
    recipe.step(joined, update)
    assert called == ["critic"] * 3 + ["generator"]
    real = recipe.real(joined).chunk(3)
    for turn in real:
        assert any(one.shape == turn.shape and torch.equal(one, turn) for one in seen)


def test_weights_of_the_wgan_critic_stay_clipped() -> None:
    recipe = tiny_recipe("wgan", "clip=0.02", "discriminator_lr=0.1")
    update, _, _ = stepper(recipe)
    recipe.step(batch(recipe), update)
    assert max(p.abs().max() for p in recipe.critic.parameters()) <= 0.02


def test_no_singular_value_is_above_one_after_a_step_of_singular_value_clipping() -> None:
    for name in ("wgan-svc", "tgan"):
        recipe = tiny_recipe(name, "discriminator_lr=0.1")
        update, _, _ = stepper(recipe)
        recipe.step(batch(recipe), update)
        kernels = [p.detach().flatten(1) for p in recipe.critic.parameters() if p.ndim > 1]
        largest = [float(torch.linalg.svdvals(kernel)[0]) for kernel in kernels]
        assert max(largest) <= 1 + 1e-5
        assert max(largest) > 0.99  # the rate is high enough for the clipping to have had something to do


def test_spectral_norm_by_power_iteration_is_near_the_true_one() -> None:
    recipe = tiny_recipe("wgan-sn")
    update, _, _ = stepper(recipe)
    for _ in range(5):
        recipe.step(batch(recipe), update)
    normalised = [m.weight.detach().flatten(1) for m in recipe.critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for kernel in normalised:
        assert float(torch.linalg.svdvals(kernel)[0]) == pytest.approx(1.0, rel=0.1)


def test_critic_without_batch_norm_judges_every_sample_alone() -> None:
    images, size = photos(4, 16).mean(1, keepdim=True), "image_size=16"
    for name, regulariser in (("wgan-gp", "r1=0"), ("wgan-svc", "r1=0"), ("wgan", "r1=1"), ("wgan", "r2=1")):
        critic = tiny_recipe(name, size, regulariser).critic
        assert torch.allclose(critic(images)[1:2], critic(images[1:2]), atol=1e-6)
    assert not [
        m for m in tiny_recipe("wgan-sn", size).critic.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    ]
    batch_norm = tiny_recipe("wgan", size).critic
    assert not torch.allclose(batch_norm(images)[1:2], batch_norm(images[1:2]), atol=1e-6)


def test_label_reaches_both_players_of_the_cgan() -> None:
    recipe = tiny_recipe("cgan")
    z, labels = torch.zeros(2, 4), torch.eye(10)[[3, 7]]
    three, seven = recipe.generator(z, labels)
    assert not torch.allclose(three, seven)
    image = photos(1, 8).mean(1, keepdim=True).expand(2, -1, -1, -1)
    recipe.discriminator.eval()
    logits = recipe.discriminator(image, labels)
    assert logits[0] != logits[1]


def test_embedding_of_a_picture_is_never_trained_and_keeps_its_statistics() -> None:
    recipe = tiny_recipe("cgan", "condition=embedding", "image_size=32")
    encoder = recipe.generator.embedding.encoder
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    update, _, _ = stepper(recipe)
    recipe.step(batch(recipe), update)
    assert all(torch.equal(before[key], value) for key, value in encoder.state_dict().items())
    rows = recipe.preview(batch(recipe, 2))
    assert rows.shape == (2, 9, 3, 32, 32)


def test_frames_of_a_video_differ_from_each_other() -> None:
    recipe = tiny_recipe("tgan").eval()
    video = recipe.generator(torch.randn(1, 4, generator=torch.Generator().manual_seed(0)))
    assert video.shape == (1, 1, 4, 8, 8)
    assert all(not torch.equal(video[:, :, t], video[:, :, t + 1]) for t in range(3))


@pytest.mark.parametrize("name", RECIPES)
def test_table_tells_the_task_of_each_recipe_and_whether_it_takes_pairs(name: str) -> None:
    recipe = recipe_class(name)
    assert (RECIPES[name].task, RECIPES[name].paired) == (recipe.task, recipe.paired)
    assert RECIPES[name].presets == tuple(recipe.presets)
    assert recipe.domains == ("a", "b") or not recipe.paired
