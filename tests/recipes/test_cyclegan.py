"""What CycleGAN promises beyond what every recipe does."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_recipe import batch, losses, stepper, tiny_recipe
from torch import Tensor, nn

from img2img.errors import SettingError
from img2img.losses import ADVERSARIAL_LOSSES, change_around, faint_change
from img2img.networks.projected import ProjectedDiscriminator
from img2img.networks.residual_unet import ResidualUNet
from img2img.networks.resnet import ResnetGenerator
from img2img.networks.settling_norm import settling_norms
from img2img.recipes import recipe_class
from img2img.recipes.cyclegan import CycleganRecipe
from img2img.recipes.cyclegan_config import GENERATORS
from img2img.recipes.settings import make_config

PLAIN = ("diff_augment=", "pool_size=0", "generator_lr=1e-30", "discriminator_lr=1e-30")
"""Nothing between the networks and the losses, and networks that stay as they are."""


def recipe(*settings: str) -> CycleganRecipe:
    made = tiny_recipe("cyclegan", *settings)
    assert isinstance(made, CycleganRecipe)
    return made


def test_step_minimises_the_papers_objective() -> None:
    made = recipe(*PLAIN, "adversarial=least-squares", "lambda_cycle=10", "lambda_identity=5")
    pictures = batch(made)
    a, b = pictures["a"], pictures["b"]
    with torch.no_grad():
        fake_b, fake_a = made.g_ab(a), made.g_ba(b)
        fooling = (made.d_b(fake_b) - 1).square().mean() + (made.d_a(fake_a) - 1).square().mean()
        cycle = F.l1_loss(made.g_ba(fake_b), a) + F.l1_loss(made.g_ab(fake_a), b)
        identity = F.l1_loss(made.g_ab(b), b) + F.l1_loss(made.g_ba(a), a)
        judging = sum(
            ((judge(real) - 1).square().mean() + judge(fake).square().mean()) / 2
            for judge, real, fake in ((made.d_a, a, fake_a), (made.d_b, b, fake_b))
        )
    given = losses(made, pictures)
    assert list(given) == ["generators", "discriminators"]  # in the authors' order
    assert given["generators"].item() == pytest.approx((fooling + 10 * cycle + 5 * identity).item(), rel=1e-4)
    assert given["discriminators"].item() == pytest.approx(judging.item(), rel=1e-4)


def test_change_outside_of_the_subject_is_priced_at_its_weight_in_both_directions() -> None:
    made = recipe(*PLAIN, "lambda_outside=20", "subject=zebra")
    pictures = batch(made)
    a, b = pictures["a"], pictures["b"]
    assert made.subject
    assert made.subject.subject.nonzero().tolist() == [[340]]
    around_a, around_b = made.subject.surroundings(a), made.subject.surroundings(b)
    with torch.no_grad():
        outside = change_around(made.g_ab(a), a, around_a) + change_around(made.g_ba(b), b, around_b)
    plain = recipe(*PLAIN)
    without, given = losses(plain, pictures), losses(made, pictures)
    assert (given["generators"] - without["generators"]).item() == pytest.approx(20 * outside.item(), rel=1e-3)
    assert given["discriminators"] == without["discriminators"]
    assert made.state_dict().keys() == plain.state_dict().keys()
    assert not list(made.subject.parameters())


@pytest.mark.parametrize("inside", [("a",), ("b",), ("a", "b")])
def test_discriminators_judge_what_changed_where_the_subject_is_on_the_picture_as_it_was(inside: Sequence[str]) -> None:
    which = "both" if len(inside) == 2 else inside[0]
    made = recipe(*PLAIN, "adversarial=least-squares", "lambda_cycle=0", f"judged_inside={which}")
    pictures = batch(made)
    a, b = pictures["a"], pictures["b"]
    assert made.subject
    around_a, around_b = made.subject.surroundings(a), made.subject.surroundings(b)
    with torch.no_grad():
        judged_a, judged_b = made.g_ba(b), made.g_ab(a)
        if "a" in inside:
            judged_a = around_b * b + (1 - around_b) * judged_a
        if "b" in inside:
            judged_b = around_a * a + (1 - around_a) * judged_b
        fooling = (made.d_b(judged_b) - 1).square().mean() + (made.d_a(judged_a) - 1).square().mean()
        judging = sum(
            ((judge(real) - 1).square().mean() + judge(fake).square().mean()) / 2
            for judge, real, fake in ((made.d_a, a, judged_a), (made.d_b, b, judged_b))
        )
    given = losses(made, pictures)
    assert given["generators"].item() == pytest.approx(fooling.item(), rel=1e-4)
    assert given["discriminators"].item() == pytest.approx(judging.item(), rel=1e-4)


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_term_can_be_computed_in_bf16(generator: str) -> None:
    terms = ("lambda_identity=1", "lambda_change=1", "lambda_outside=1", "lambda_perceptual=1", "r1=1", "r2=1")
    made = recipe(f"generator={generator}", "judged_inside=both", "pool_size=2", *terms)
    with torch.autocast("cpu", torch.bfloat16):
        given = losses(made, batch(made))
    assert len(given) == 2
    assert all(loss.isfinite() for loss in given.values())


def test_nothing_is_asked_for_where_no_subject_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe("lambda_cycle=0", "judged_inside=both")
    assert made.subject
    monkeypatch.setattr(made.subject, "surroundings", lambda pictures: torch.ones_like(pictures[:, :1]))
    gradients = []

    def update(name: str, loss: torch.Tensor) -> None:
        if name == "generators":
            loss.backward()  # type: ignore[no-untyped-call]
            gradients.extend(p.grad for net in (made.g_ab, made.g_ba) for p in net.parameters() if p.grad is not None)

    made.step(batch(made), update)
    assert gradients
    assert not any(gradient.any() for gradient in gradients)


def test_unknown_subject_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="subject=sorrell: no such class; did you mean sorrel"):
        recipe("subject=sorrell")


def test_change_is_priced_at_its_weight_in_both_directions() -> None:
    made = recipe(*PLAIN, "lambda_change=2.5")
    pictures = batch(made)
    a, b = pictures["a"], pictures["b"]
    with torch.no_grad():
        change = faint_change(made.g_ab(a), a) + faint_change(made.g_ba(b), b)
    without = losses(recipe(*PLAIN), pictures)
    given = losses(made, pictures)
    assert (given["generators"] - without["generators"]).item() == pytest.approx(2.5 * change.item(), rel=1e-3)
    assert given["discriminators"] == without["discriminators"]
    assert made.step(pictures, lambda *_: None)["change"].item() == pytest.approx(change.item() / 2, rel=1e-4)


def test_preset_paper_is_the_authors_recipe() -> None:
    with torch.device("meta"):  # nothing is computed
        made = CycleganRecipe(CycleganRecipe.Config(**CycleganRecipe.presets["paper"]))
    assert isinstance(made.g_ab, ResnetGenerator)
    assert sum(p.numel() for p in made.g_ab.parameters()) == 11_372_931
    assert sum(p.numel() for p in made.d_a.parameters()) == 2_763_841
    assert (made.pool_a.size, made.pool_b.images.shape) == (50, (50, 3, 256, 256))
    assert made.game.loss is ADVERSARIAL_LOSSES["least-squares"]
    optimizers = made.optimizers()
    for name in ("generators", "discriminators"):
        (group,) = optimizers[name].param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 0)
    # 100 epochs at the full rate, then 100 that fall in a line to 0
    assert [made.lr_multiplier(share) for share in (0.001, 0.5, 0.75, 1.0)] == [1.0, 1.0, 0.5, 0.0]
    config = made.config
    assert (config.batch_size, config.epochs, config.lambda_cycle, config.lambda_identity) == (1, 200, 10, 5)
    assert (config.ema_decay, config.diff_augment, config.augment) == (0, (), "crop")


def test_rate_rises_stays_and_falls() -> None:
    made = recipe("warmup=0.1", "constant_share=0.6")
    expected = [0.5, 1.0, 1.0, 0.5, 0.0]
    assert [made.lr_multiplier(share) for share in (0.05, 0.1, 0.6, 0.8, 1.0)] == pytest.approx(expected)
    assert recipe("warmup=0", "constant_share=1").lr_multiplier(1.0) == 1.0


def test_cycle_weight_goes_in_a_line_to_its_end() -> None:
    made = recipe("lambda_cycle=8", "cycle_end=0.25")
    weights = []
    for share in (0.0, 0.5, 1.0):
        made.progress.fill_(share)
        weights.append(float(made._weights()["cycle"]))
    assert weights == [8, 5, 2]


def test_norms_follow_real_pictures_alone_until_they_settle() -> None:
    made = recipe("generator=residual-unet", "norm=act", "settle_at=0.5", "lambda_identity=1", *PLAIN[2:])
    pictures = batch(made, 2)
    first = [next(settling_norms(generator)) for generator in (made.g_ab, made.g_ba)]
    given: list[list[Tensor]] = [[], []]
    for norm, tensors in zip(first, given, strict=True):
        norm.register_forward_pre_hook(lambda _, inputs, tensors=tensors: tensors.append(inputs[0].detach().clone()))
    for turn, progress in enumerate((0.25, 0.5, 0.75)):
        assert bool(first[0].settled) == (turn > 1)
        losses(made, pictures)
        made.reached(progress)
    assert [len(tensors) for tensors in given] == [9, 9]  # three passes a step: from its own domain, back, and of other
    for norm, tensors in zip(first, given, strict=True):
        assert (norm.measured, norm.settled) == (2, 1)
        assert torch.allclose(norm.mean, torch.stack([tensors[0], tensors[3]]).mean((0, 1, 3, 4)), atol=1e-5)
        assert not torch.allclose(norm.mean, tensors[1].mean((0, 2, 3)), atol=1e-5)


def test_discriminators_are_shown_what_the_pools_return() -> None:
    made = recipe("pool_size=2", "batch_size=1", *PLAIN[2:], "diff_augment=")
    seen = []
    made.d_b.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    for turn in range(8):
        pictures = {name: value[:1] + 0.01 * turn for name, value in batch(made).items() if name != "key"}
        before = made.pool_b.images.clone()
        losses(made, {**pictures, "key": torch.tensor([turn])})
        made_now, _, judged = seen
        seen.clear()
        older = before.float() / 127.5 - 1
        assert torch.equal(judged, made_now) or any(torch.equal(judged[0], one) for one in older)
    assert made.pool_b.filled == 2


PROJECTED = [pytest.param(loss, "projected", marks=pytest.mark.slow) for loss in ADVERSARIAL_LOSSES if loss != "hinge"]


@pytest.mark.parametrize(
    ("adversarial", "discriminator"),
    [*((loss, "patch") for loss in ADVERSARIAL_LOSSES), ("hinge", "projected"), *PROJECTED],
)
def test_every_adversarial_loss_trains_every_discriminator(adversarial: Any, discriminator: str) -> None:
    made = recipe(f"adversarial={adversarial}", f"discriminator={discriminator}")
    update, _, called = stepper(made)
    scalars = made.step(batch(made, 2), update)
    assert called == ["generators", "discriminators"]
    assert all(value.isfinite() for value in scalars.values())
    penalised = ADVERSARIAL_LOSSES[adversarial].gradient_penalty
    assert ("penalty" in scalars) == penalised
    norms = [m for m in [*made.d_a.modules(), *made.d_b.modules()] if isinstance(m, nn.InstanceNorm2d | nn.GroupNorm)]
    assert bool(norms) != penalised


@pytest.mark.parametrize("generator", [pytest.param("residual-unet", marks=pytest.mark.slow), "separable", "resnet"])
def test_every_generator_trains_in_both_directions(generator: str) -> None:
    made = recipe(f"generator={generator}", "spectral_norm=true", "generator_lr=1e-3")
    update, _, _ = stepper(made)
    pictures = batch(made, 2)
    before = made.preview(pictures)
    made.step(pictures, update)
    changed = (made.preview(pictures) != before).flatten(2).any(2)
    assert changed.all(0).tolist() == [False, True, True, False, True, True]


def test_encoders_learn_at_a_rate_of_their_own_where_they_have_one() -> None:
    made = recipe("generator=residual-unet", "encoder_lr=1e-6", "generator_lr=1e-3", "betas=0,0.9")
    drawing, seeing = made.optimizers()["generators"].param_groups
    ways = (made.g_ab, made.g_ba)
    assert (drawing["lr"], seeing["lr"]) == (1e-3, 1e-6)
    assert len(seeing["params"]) == sum(len([*way.encoder.parameters()]) for way in ways)
    assert len({*drawing["params"], *seeing["params"]}) == sum(len([*way.parameters()]) for way in ways)
    before = {name: value.clone() for name, value in made.g_ab.named_parameters()}
    update, _, _ = stepper(made)
    made.step(batch(made, 2), update)
    moved = {name: (value - before[name]).abs().max().item() for name, value in made.g_ab.named_parameters()}
    # Adam's first step is the rate itself
    assert max(far for name, far in moved.items() if name.startswith("encoder")) == pytest.approx(1e-6, rel=0.2)
    assert max(far for name, far in moved.items() if not name.startswith("encoder")) == pytest.approx(1e-3, rel=0.2)


@pytest.mark.slow
def test_frozen_encoders_stay_what_they_were_while_training() -> None:
    made = recipe("generator=residual-unet", "discriminator=projected")
    assert isinstance(made.g_ab, ResidualUNet)
    assert isinstance(made.d_a, ProjectedDiscriminator)
    before = {name: value.clone() for name, value in made.named_buffers() if "features" in name}
    before |= {name: value.clone() for name, value in made.state_dict().items() if "encoder" in name}
    update, _, _ = stepper(made)
    made.step(batch(made, 2), update)
    now = {**dict(made.named_buffers()), **made.state_dict()}
    assert len(before) > 100
    assert all(torch.equal(value, now[name]) for name, value in before.items())


def test_augmentation_reaches_the_discriminators_and_no_generator() -> None:
    plain, augmented = recipe(*PLAIN), recipe(*PLAIN[1:], "diff_augment=color,translation,cutout")
    scalars = [made.step(batch(made), lambda *_: None) for made in (plain, augmented)]
    assert scalars[0]["cycle"] == scalars[1]["cycle"]
    assert scalars[0]["generator"] != scalars[1]["generator"]
    assert scalars[0]["discriminator"] != scalars[1]["discriminator"]


def test_parts_of_a_batch_make_the_losses_of_the_whole() -> None:
    made = recipe(*PLAIN[1:], "adversarial=least-squares")
    whole = batch(made, 4)
    halves = [{name: value[part] for name, value in whole.items()} for part in (slice(2), slice(2, 4))]
    first, second = (losses(made, half) for half in halves)
    for name, loss in losses(made, whole).items():
        assert loss == pytest.approx(float(first[name] + second[name]) / 2, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        ("generator=residual-unet", "norm=act", "discriminator=projected", "lambda_perceptual=1"),
        ("spectral_norm=true",),
    ],
)
def test_step_asks_nothing_of_the_host(settings: tuple[str, ...]) -> None:
    made = recipe(*settings, "lambda_identity=1", "pool_size=2", "instance_noise=0.1")
    pictures = {name: value.to("meta") for name, value in batch(made).items()}  # has no values to ask for
    made.to("meta")
    scalars = made.step(pictures, lambda _, loss: loss.backward())
    assert all(value.is_meta for value in [*scalars.values(), *made.figures(pictures).values()])


def test_samples_and_previews_show_both_directions_and_the_ways_back() -> None:
    made = recipe().eval()
    pictures = batch(made, 2)
    with torch.no_grad():
        row = made.preview(pictures)
        assert torch.equal(made.samples(pictures), row[:, 1])
        assert torch.equal(row[:, 0], pictures["a"])
        assert torch.equal(row[:, 2], made.g_ba(row[:, 1]))
        assert torch.equal(row[:, 3], pictures["b"])
        assert torch.equal(row[:, 4], made.g_ba(pictures["b"]))
        assert torch.equal(row[:, 5], made.g_ab(row[:, 4]))


@pytest.mark.slow
def test_imagenet_weights_are_brought_in_at_the_start() -> None:
    made = CycleganRecipe(make_config(CycleganRecipe, ["image_size=32", "discriminator_channels=4"]))
    before = made.g_ab.encoder.stem[0].weight.clone()
    made.start()
    assert not torch.equal(made.g_ab.encoder.stem[0].weight, before)
    assert torch.equal(made.g_ab.encoder.stem[0].weight, made.g_ba.encoder.stem[0].weight)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["generator=unet"], "one of residual-unet, separable, resnet"),
        (["discriminator=pixel"], "one of projected, patch"),
        (["diff_augment=color,flip"], "some of color, translation, cutout, or nothing"),
        (["discriminator_features=lite0"], "lite1, lite2, or both"),
        (["discriminator_features="], "lite1, lite2, or both"),
        (["discriminator_features=lite1,lite1"], "lite1, lite2, or both"),
        (["discriminator_features=lite2", "discriminator=patch"], "only discriminator=projected takes it"),
        (["generator_width=2", "generator=resnet"], "must be 1.0: only generator=residual-unet takes it"),
        (["context_blocks=1", "generator=separable"], "must be 0: only generator=residual-unet takes it"),
        (["norm=act", "generator=separable"], "must be instance: only generator=residual-unet takes it"),
        (["encoder_lr=1e-4", "generator=resnet"], "must be 0.0: only generator=residual-unet takes it"),
        (["up=bicubic"], "one of transposed, resize, bilinear"),
        (["image_size=16"], "32 or more"),
        (["image_size=48"], "a multiple of 32"),
        (["generator=resnet", "discriminator=patch", "image_size=50"], "a multiple of 4"),
        (["constant_share=1.5"], "from 0 to 1"),
        (["lambda_cycle=-1"], "0 or more"),
        (["pool_size=-1"], "0 or more"),
        (["settle_at=1.5"], "from 0 to 1"),
        (["norm=batch"], "one of instance, act"),
        (["generator_lr=0"], "above 0"),
        (["betas=1,0.9"], "from 0 to below 1"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(settings: list[str], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make_config(recipe_class("cyclegan"), settings)


def test_resnet_and_patches_train_at_any_multiple_of_four() -> None:
    make_config(recipe_class("cyclegan"), ["generator=resnet", "discriminator=patch", "image_size=68"])


def test_augmentations_are_given_as_a_list_or_as_nothing() -> None:
    assert make_config(CycleganRecipe, ["diff_augment=cutout, color"]).diff_augment == ("cutout", "color")
    assert make_config(CycleganRecipe, ["diff_augment="]).diff_augment == ()
