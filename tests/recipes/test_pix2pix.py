"""What pix2pix promises beyond what every recipe does."""

from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_recipe import batch, losses, photos, stepper, tiny_recipe

from img2img.errors import SettingError
from img2img.losses import ADVERSARIAL_LOSSES
from img2img.networks.patchgan import PatchGAN
from img2img.networks.pix2pix_unet import Pix2pixUNet
from img2img.networks.projected import ProjectedDiscriminator
from img2img.networks.residual_unet import ResidualUNet
from img2img.recipes import recipe_class
from img2img.recipes.pix2pix import Pix2pixRecipe
from img2img.recipes.settings import make_config

STILL = ("diff_augment=", "generator_lr=1e-30", "discriminator_lr=1e-30")
"""Nothing between the networks and the losses, and networks that stay as they are."""
OURS = ("generator=residual-unet", "dropout=0", "discriminator=projected", "lambda_perceptual=1")


def recipe(*settings: str) -> Pix2pixRecipe:
    made = tiny_recipe("pix2pix", *settings)
    assert isinstance(made, Pix2pixRecipe)
    return made


def test_step_minimises_the_papers_objective() -> None:
    made = recipe(*STILL, "adversarial=bce", "lambda_adversarial=1", "lambda_l1=100", "dropout=0")
    pictures = batch(made)
    a, b = pictures["a"], pictures["b"]
    with torch.no_grad():
        fake = made.generator(a)
        real_share, fake_share = (made.discriminator(torch.cat([a, y], 1)).sigmoid() for y in (b, fake))
        judging = -(real_share.log().mean() + (1 - fake_share).log().mean()) / 2  # "divide the objective by 2"
        fooling = -fake_share.log().mean()  # "instead we maximize log D"
    given = losses(made, pictures)
    assert list(given) == ["discriminator", "generator"]
    assert given["discriminator"].item() == pytest.approx(judging.item(), rel=1e-4)
    assert given["generator"].item() == pytest.approx((fooling + 100 * F.l1_loss(fake, b)).item(), rel=1e-4)


def test_losses_of_a_generator_that_draws_grey_are_those_worked_by_hand() -> None:
    """Black, white and mid grey targets lie 1, 1 and 0 from grey; a discriminator of logits 0 is right by halves."""
    made = recipe(*STILL, "adversarial=bce", "lambda_l1=3", "lambda_adversarial=2")
    for network in (made.generator, made.discriminator):
        torch.nn.init.zeros_([*network.parameters()][-2])
        torch.nn.init.zeros_([*network.parameters()][-1])
    levels = torch.tensor([-1.0, 1.0, 0.0]).view(3, 1, 1, 1).expand(3, 3, 32, 32)
    scalars = made.step({"a": photos(3, 32), "b": levels, "key": torch.arange(3)}, lambda *_: None)
    log2 = torch.tensor(2.0).log().item()
    assert scalars["l1"].item() == pytest.approx(2 / 3)
    assert scalars["discriminator"].item() == pytest.approx(log2)
    assert scalars["generator"].item() == pytest.approx(log2)
    given = losses(made, {"a": photos(3, 32), "b": levels, "key": torch.arange(3)})
    assert given["generator"].item() == pytest.approx(2 * log2 + 3 * 2 / 3)


def test_preset_paper_is_the_authors_recipe() -> None:
    with torch.device("meta"):  # nothing is computed
        made = Pix2pixRecipe(Pix2pixRecipe.Config(**Pix2pixRecipe.presets["paper"]))
        assert isinstance(made.generator, Pix2pixUNet)
        dropped = made.generator.dropped(256, 256)
    assert isinstance(made.discriminator, PatchGAN)
    assert sum(p.numel() for p in made.generator.parameters()) - 64 - 512 == 54_413_955
    assert sum(p.numel() for p in made.discriminator.parameters()) == 2_768_705
    encoder = [tuple(down.state_dict()["0.weight"].shape) for down in made.generator.down]
    widths = [3, 64, 128, 256, 512, 512, 512, 512, 512]  # C64-C128-C256-C512-C512-C512-C512-C512
    assert encoder == [(out, into, 4, 4) for into, out in pairwise(widths)]
    way_up = [*made.generator.up, made.generator.last]
    decoder = [tuple(up.state_dict()["0.weight"].shape[:2]) for up in way_up]
    # CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128, each with what comes across
    assert decoder == [(512, 512), *[(1024, 512)] * 3, (1024, 256), (512, 128), (256, 64), (128, 3)]
    assert dropped == [(512, 2, 2), (512, 4, 4), (512, 8, 8)]
    assert made.game.loss is ADVERSARIAL_LOSSES["bce"]
    for optimizer in made.optimizers().values():
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0)
    # 100 epochs at the full rate, then 100 that fall in a line to 0
    assert [made.lr_multiplier(share) for share in (0.001, 0.5, 0.75, 1.0)] == [1.0, 1.0, 0.5, 0.0]
    config = made.config
    assert (config.batch_size, config.epochs, config.lambda_l1, config.dropout) == (1, 200, 100, 0.5)
    assert (config.ema_decay, config.diff_augment, config.augment) == (0, (), "crop")


def test_instance_norms_of_a_batch_of_one_are_the_papers_batch_norms() -> None:
    torch.manual_seed(0)
    ours = recipe().generator
    papers = Pix2pixUNet(4, 5)
    papers.load_state_dict(ours.state_dict(), strict=False)  # all but the running statistics
    picture = photos(1, 64)
    assert torch.allclose(ours(picture), papers.train()(picture), atol=1e-5)


def test_dropout_is_a_function_of_the_sample_and_off_when_pictures_are_drawn() -> None:
    made = recipe(*STILL)
    pictures = batch(made, 4)
    a, key = pictures["a"], pictures["key"]
    whole = made._drawn(a, key)
    assert torch.equal(whole, made._drawn(a, key))
    assert torch.allclose(whole[2:], made._drawn(a[2:], key[2:]), atol=1e-6)
    assert not torch.allclose(whole, made._drawn(a, key + 4), atol=1e-3)
    assert torch.equal(made.samples(pictures), made.generator(a))
    assert not torch.allclose(whole, made.generator(a), atol=1e-3)


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    made = recipe("dropout=0.25")
    assert isinstance(made.generator, Pix2pixUNet)
    factors = made._dropout(made.generator, torch.zeros(40, 3, 32, 32), torch.arange(40))
    assert [tuple(one.shape[1:]) for one in factors] == made.generator.dropped(32, 32)
    for one in factors:
        assert sorted(set(one.flatten().tolist())) == pytest.approx([0, 4 / 3])
        assert (one == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("discriminator", ["patch", pytest.param("projected", marks=pytest.mark.slow)])
def test_discriminator_sees_the_input_beside_the_picture_and_both_augmented_alike(discriminator: str) -> None:
    made = recipe(f"discriminator={discriminator}", "diff_augment=color,translation", "dropout=0")
    seen = []
    looks = made.get_submodule("discriminator.features" if discriminator == "projected" else "discriminator")
    looks.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    pictures = batch(made)
    same = {**pictures, "b": pictures["a"]}
    made.step(same, lambda *_: None)
    if discriminator == "projected":
        given, real = seen[:2]
    else:
        given, real = seen[0].chunk(2, 1)
    assert torch.equal(given, real)
    assert not torch.equal(given, pictures["a"])


PROJECTED = [pytest.param(loss, "projected", marks=pytest.mark.slow) for loss in ADVERSARIAL_LOSSES if loss != "hinge"]


@pytest.mark.parametrize(
    ("adversarial", "discriminator"),
    [*((loss, "patch") for loss in ADVERSARIAL_LOSSES), ("hinge", "projected"), *PROJECTED],
)
def test_every_adversarial_loss_trains_every_discriminator(adversarial: Any, discriminator: str) -> None:
    made = recipe(f"adversarial={adversarial}", f"discriminator={discriminator}")
    update, _, called = stepper(made)
    scalars = made.step(batch(made, 2), update)
    assert called == ["discriminator", "generator"]
    assert all(value.isfinite() for value in scalars.values())
    assert ("penalty" in scalars) == ADVERSARIAL_LOSSES[adversarial].gradient_penalty


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        (("dropout=0.5",), 40),
        pytest.param((*OURS, "result=picture"), 15, marks=pytest.mark.slow),
        pytest.param((*OURS, "result=change"), 15, marks=pytest.mark.slow),
    ],
)
def test_inverting_pictures_is_learnt_in_a_few_steps(settings: tuple[str, ...], steps: int) -> None:
    made = recipe(*settings, "generator_lr=5e-3", "lambda_l1=100", "discriminator_lr=1e-4")
    update, _, _ = stepper(made)
    a = photos(4, 32)
    for turn in range(steps):
        made.step({"a": a, "b": -a, "key": torch.arange(4) + 4 * turn}, update)
    new = photos(8, 32)[4:]
    with torch.no_grad():
        before, after = F.l1_loss(new, -new), F.l1_loss(made.eval().generator(new), -new)
    assert after < 0.5 * before


@pytest.mark.slow
def test_frozen_features_stay_and_the_pretrained_encoder_learns() -> None:
    made = recipe(*OURS)
    assert isinstance(made.generator, ResidualUNet)
    assert isinstance(made.discriminator, ProjectedDiscriminator)
    frozen = {name: value.clone() for name, value in made.named_buffers() if "features" in name or "running" in name}
    learnt = {name: value.clone() for name, value in made.generator.encoder.named_parameters()}
    update, _, _ = stepper(made)
    made.step(batch(made, 2), update)
    now = dict(made.named_buffers())
    assert len(frozen) > 100
    assert all(torch.equal(value, now[name]) for name, value in frozen.items())
    assert all(not torch.equal(value, learnt[name]) for name, value in made.generator.encoder.named_parameters())


def test_parts_of_a_batch_make_the_losses_of_the_whole() -> None:
    made = recipe(*STILL[1:], "diff_augment=color,translation")
    whole = batch(made, 4)
    halves = [{name: value[part] for name, value in whole.items()} for part in (slice(2), slice(2, 4))]
    first, second = (losses(made, half) for half in halves)
    for name, loss in losses(made, whole).items():
        assert loss == pytest.approx(float(first[name] + second[name]) / 2, rel=1e-4)


@pytest.mark.parametrize("settings", [pytest.param(OURS, marks=pytest.mark.slow), ("dropout=0.5",)])
def test_step_asks_nothing_of_the_host(settings: tuple[str, ...]) -> None:
    made = recipe(*settings, "instance_noise=0.1")
    pictures = {name: value.to("meta") for name, value in batch(made).items()}  # has no values to ask for
    made.to("meta")
    scalars = made.step(pictures, lambda _, loss: loss.backward())  # type: ignore[no-untyped-call]
    assert all(value.is_meta for value in scalars.values())


def test_preview_shows_input_output_and_target() -> None:
    made = recipe().eval()
    pictures = batch(made, 2)
    with torch.no_grad():
        row = made.preview(pictures)
        assert torch.equal(row, torch.stack([pictures["a"], made.samples(pictures), pictures["b"]], 1))


@pytest.mark.slow
def test_imagenet_weights_are_brought_in_at_the_start() -> None:
    made = Pix2pixRecipe(Pix2pixRecipe.Config(image_size=32, discriminator_channels=4))
    assert isinstance(made.generator, ResidualUNet)
    before = made.generator.encoder.state_dict()["stem.0.weight"].clone()
    made.start()
    assert not torch.equal(made.generator.encoder.state_dict()["stem.0.weight"], before)


def test_exported_pictures_have_sides_that_the_generator_can_halve() -> None:
    for settings, multiple, result in (
        (["levels=7", "generator=unet"], 128, "picture"),
        (["result=change"], 16, "change"),
    ):
        config = make_config(Pix2pixRecipe, settings)
        assert (Pix2pixRecipe.sides_multiple(config), Pix2pixRecipe.result(config)) == (multiple, result)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["generator=resnet"], "one of residual-unet, unet"),
        (["discriminator=pixel"], "one of projected, patch"),
        (["result=sum"], "picture or change"),
        (["generator=unet", "levels=7", "result=change"], "must be picture with generator=unet"),
        (["image_size=48"], "a multiple of 32"),
        (["generator=unet", "image_size=128"], "a multiple of 256"),
        (["levels=3"], "from 4 to 10"),
        (["dropout=0.5"], "must be 0.0: only generator=unet takes it"),
        (["generator_width=2", "generator=unet"], "must be 1.0: only generator=residual-unet takes it"),
        (["context_blocks=1", "generator=unet"], "must be 0: only generator=residual-unet takes it"),
        (["discriminator_features=lite2", "discriminator=patch"], "only discriminator=projected takes it"),
        (["generator=unet", "image_size=256", "dropout=1"], "from 0 to below 1"),
        (["lambda_l1=-1"], "0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(settings: list[str], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make_config(recipe_class("pix2pix"), settings)
