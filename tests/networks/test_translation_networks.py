from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from img2img.networks.blocks import TransposedUp, channel_norm
from img2img.networks.imagenet.encoder import PYRAMID_CHANNELS, EfficientNetLite
from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.networks.patchgan import PatchGAN
from img2img.networks.pix2pix_unet import Pix2pixUNet
from img2img.networks.projected import ProjectedDiscriminator
from img2img.networks.residual_unet import ResidualUNet
from img2img.networks.resnet import ResnetGenerator
from img2img.networks.settling_norm import SettlingNorm


def picture(count: int = 2, height: int = 64, width: int = 96) -> Tensor:
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_players_of_the_paper_have_the_authors_parameters_but_for_biases_that_norms_take_away() -> None:
    """The authors' code says 11.378 M and 2.765 M, with biases in front of instance norms, which do nothing."""
    assert size(ResnetGenerator()) + 64 + 128 + 256 + 18 * 256 + 128 + 64 == 11_378_179
    assert size(PatchGAN(3)) + 128 + 256 + 512 == 2_764_737


def test_unet_has_the_authors_parameters_but_for_biases_at_its_two_normless_convolutions() -> None:
    """The authors' code says 54.414 M for unet_256 with batch norms, 41.829 M for unet_128."""
    with torch.device("meta"):  # nothing is computed
        assert size(Pix2pixUNet()) - 64 - 512 == 54_413_955
        assert size(Pix2pixUNet(levels=7)) - 64 - 512 == 41_828_995


def test_patch_discriminator_of_pairs_has_the_authors_parameters() -> None:
    """The authors' code says 2.769 M for 6 channels with batch norms, which have as many scales and shifts."""
    assert size(PatchGAN(6, norm=channel_norm)) == 2_768_705


def test_dropout_of_the_unet_lies_behind_its_three_deepest_levels_up() -> None:
    network = Pix2pixUNet(4, 5, norm=channel_norm).eval()
    assert network.dropped(64, 96) == [(32, 4, 6), (16, 8, 12), (8, 16, 24)]
    with torch.device("meta"):
        assert Pix2pixUNet(64, 8, norm=channel_norm).dropped(256, 256) == [(512, 2, 2), (512, 4, 4), (512, 8, 8)]
    seen: list[Tensor] = []
    for up in network.up[:3]:
        up.register_forward_hook(lambda _, __, output: seen.append(output))
    pictures = picture()
    plain = network(pictures)
    assert [tuple(one.shape[1:]) for one in seen] == network.dropped(64, 96)
    ones = [torch.ones(2, *shape) for shape in network.dropped(64, 96)]
    assert torch.equal(network(pictures, ones), plain)
    for level in range(3):
        some = [*ones[:level], torch.zeros_like(ones[level]), *ones[level + 1 :]]
        assert not torch.equal(network(pictures, some), plain)


def test_separable_blocks_have_a_kernel_for_each_channel_and_one_across() -> None:
    plain, separable = (ResnetGenerator(8, 1, separable=separable) for separable in (False, True))
    inner = 4 * 8
    assert size(plain) - size(separable) == 2 * (9 * inner**2 - (9 * inner + inner**2))


GENERATORS = [
    (partial(ResnetGenerator, 4, 1), (20, 28)),
    (partial(ResnetGenerator, 4, 1, up="resize"), (20, 28)),
    (partial(ResnetGenerator, 4, 1, down="blurred", up="bilinear"), (20, 28)),
    (partial(ResnetGenerator, 4, 1, separable=True), (20, 28)),
    (partial(Pix2pixUNet, 4, 5, norm=channel_norm), (64, 96)),
    (ResidualUNet, (48, 80)),
    (partial(ResidualUNet, norm=SettlingNorm), (48, 80)),
    (partial(ResidualUNet, adds=False), (48, 80)),
]


@pytest.mark.parametrize(("build", "sides"), GENERATORS)
def test_generator_keeps_the_size_and_the_range(build: Any, sides: Any) -> None:
    translated = build().eval()(picture(2, *sides))
    assert translated.shape == (2, 3, *sides)
    assert translated.abs().max() <= 1


@pytest.mark.parametrize(("build", "sides"), GENERATORS)
def test_generator_translates_each_picture_alone_in_training_too(build: Any, sides: Any) -> None:
    network, pictures = build().train(), picture(2, *sides)
    assert torch.allclose(network(pictures)[1:], network(pictures[1:]), atol=1e-5)


@pytest.mark.parametrize(("build", "sides"), GENERATORS)
def test_gradient_reaches_all_that_is_trained_and_the_picture(build: Any, sides: Any) -> None:
    network, pictures = build(), picture(2, *sides).requires_grad_()
    network(pictures).square().mean().backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in trained)
    assert pictures.grad is not None
    assert pictures.grad.any()


def test_resnet_starts_with_small_weights_as_the_paper_does() -> None:
    weights = torch.cat([p.flatten() for p in ResnetGenerator(16, 2).parameters() if p.ndim > 1])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)


def test_channel_norm_is_instance_norm() -> None:
    x = torch.randn(2, 5, 7, 9) * 3 + 1
    assert torch.allclose(channel_norm(5, affine=False)(x), nn.InstanceNorm2d(5)(x), atol=1e-5)


@pytest.mark.parametrize("kernel", [3, 4])
def test_transposed_convolution_doubles_the_size_whatever_its_kernel(kernel: int) -> None:
    assert TransposedUp(4, 6, kernel=kernel)(torch.randn(1, 4, 5, 7)).shape == (1, 6, 10, 14)


def test_residual_unet_is_as_small_as_it_says() -> None:
    network = ResidualUNet()
    assert size(network) == 806_019
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 105_251


@pytest.mark.parametrize(
    ("width", "channels", "trained"),
    [(0.1, (8, 8, 4, 4), 4_835), (1, (96, 64, 48, 20), 105_251), (2, (192, 128, 96, 40), 342_467)],
)
def test_wider_residual_unet_has_more_channels_on_the_way_up(
    width: float, channels: tuple[int, ...], trained: int
) -> None:
    network = ResidualUNet(width=width)
    assert (*(up.project.out_channels for up in network.decoder), network.project.out_channels) == channels
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == trained
    assert size(network.encoder) == size(ResidualUNet().encoder)
    assert network(picture()).shape == picture().shape


def test_context_of_the_residual_unet_begins_without_effect_and_is_learnt() -> None:
    plain, network, pictures = ResidualUNet(), ResidualUNet(context=2).train(), picture()
    network.load_state_dict(plain.state_dict(), strict=False)
    assert torch.equal(network(pictures), plain.train()(pictures))
    assert size(network) - size(plain) == 2 * 2 * (112 * 25 + 112 * 112 + 2 * 112)
    network(pictures).square().mean().backward()
    assert all(block.layers[-1][-1][1].weight.grad.any() for block in network.context)


@pytest.mark.parametrize("training", [True, False])
def test_residual_unet_without_a_change_gives_the_picture_back(training: bool) -> None:
    network, pictures = ResidualUNet().train(training), picture()
    nn.init.zeros_(network.head.weight)
    assert torch.allclose(network(pictures), pictures, atol=1e-6)


def test_residual_unet_begins_with_a_slight_change() -> None:
    pictures = picture()
    change = (ResidualUNet().eval()(pictures) - pictures).abs().mean()
    assert 0.005 < change < 0.3


def test_residual_unet_that_does_not_add_draws_from_grey_and_may_learn_all_of_it() -> None:
    network, pictures = ResidualUNet(adds=False, learns=True).train(), picture()
    assert all(p.requires_grad for p in network.parameters())
    nn.init.zeros_(network.head.weight)
    assert torch.equal(network(pictures), torch.zeros_like(pictures))


def test_residual_unet_stays_within_the_range_and_can_come_back_from_beyond_it() -> None:
    network, pictures = ResidualUNet().train(), picture()
    with torch.no_grad():
        network.head.bias.fill_(5.0)
    output = network(pictures)
    assert output.max() <= 1 + 1e-6
    assert network.eval()(pictures).max() <= 1
    output.sum().backward()
    assert network.head.bias.grad.min() > 0


def test_encoder_of_the_residual_unet_keeps_its_statistics_in_training() -> None:
    network = ResidualUNet().train()
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    network(picture()).mean().backward()
    assert all(torch.equal(before[name], value) for name, value in network.encoder.state_dict().items())
    assert not network.encoder.training
    assert network.decoder.training


def test_first_five_stages_give_the_first_levels_of_the_whole_pyramid() -> None:
    whole, part = EfficientNetLite(3).eval(), EfficientNetLite(3, stages=5).eval()
    part.load_state_dict({name: value for name, value in whole.state_dict().items() if name in part.state_dict()})
    levels = whole.pyramid(picture())
    assert [level.shape[1] for level in levels] == list(PYRAMID_CHANNELS)
    assert [96 // level.shape[3] for level in levels] == [2, 4, 8, 16, 32]
    assert all(torch.equal(one, other) for one, other in zip(part.pyramid(picture()), levels, strict=False))
    assert len(part.pyramid(picture())) == 4


@pytest.mark.parametrize("variant", ["lite0", "lite1", "lite2"])
def test_frozen_features_are_the_encoders_own(variant: str) -> None:
    encoder = EfficientNetLite(3, variant).eval()
    encoder.load_imagenet()
    features = FrozenFeatures(variant, pretrained=True).train()(picture())
    for ours, theirs in zip(features, encoder.pyramid(picture())[1:], strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.detach().abs().max()))


def test_nothing_of_frozen_features_is_trained_or_saved() -> None:
    features = FrozenFeatures("lite1", pretrained=False)
    assert not list(features.parameters())
    assert not features.state_dict()
    assert not [layer for layer in features.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert features.double()(picture().double())[0].dtype == torch.float64  # and yet it moves along


def test_features_without_pretrained_weights_are_always_the_same_and_draw_no_random_numbers() -> None:
    rng = torch.get_rng_state()
    one = FrozenFeatures("lite1", pretrained=False)
    assert torch.equal(torch.get_rng_state(), rng)
    torch.rand(1)
    other = FrozenFeatures("lite1", pretrained=False)
    pairs = zip(one(picture()), other(picture()), strict=True)
    assert all(torch.equal(a, b) and a.std() > 0 for a, b in pairs)


@pytest.fixture(scope="module")
def projected() -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(8, pretrained=False)


def test_every_scale_of_a_projected_discriminator_weighs_the_same_in_a_mean(projected: ProjectedDiscriminator) -> None:
    seen = []
    hooks = [head.register_forward_hook(lambda *args: seen.append(args[-1])) for head in projected.heads]
    logits = projected.eval()(picture())
    for hook in hooks:
        hook.remove()
    assert logits.shape == (2, 4, 4, 6)
    assert [tuple(one.shape[2:]) for one in seen] == [(4, 6), (4, 6), (4, 6), (2, 3)]
    mean_of_means = torch.stack([torch.relu(1 - one).mean() for one in seen]).mean()
    assert torch.relu(1 - logits).mean().item() == pytest.approx(mean_of_means.item(), rel=1e-5)


def test_coarse_features_reach_the_finest_scale(projected: ProjectedDiscriminator) -> None:
    sums = projected._mixed([torch.zeros(1, c, 16 >> n, 16 >> n) for n, c in enumerate(PYRAMID_CHANNELS[1:])])
    assert not sums[0].any()
    features = [torch.zeros(1, c, 16 >> n, 16 >> n) for n, c in enumerate(PYRAMID_CHANNELS[1:])]
    features[-1].fill_(1)
    assert all(scale.any() for scale in projected._mixed(features))


def test_heads_of_a_projected_discriminator_are_trained_and_its_projections_are_kept(
    projected: ProjectedDiscriminator,
) -> None:
    names = set(projected.state_dict())
    assert not [name for name in names if name.startswith("features")]
    assert {name.split(".")[0] for name in names} == {"across_channels", "across_scales", "heads"}
    trained = {name.split(".")[0] for name, parameter in projected.named_parameters() if parameter.requires_grad}
    assert trained == {"heads"}
    twin = ProjectedDiscriminator(8, pretrained=False).eval()
    twin.load_state_dict(dict(projected.state_dict()))
    assert torch.equal(twin(picture()), projected.eval()(picture()))


def test_conditional_discriminator_judges_by_the_picture_given_as_well_and_looks_at_it_once() -> None:
    judge = ProjectedDiscriminator(4, pretrained=False, conditional=True).eval()
    given, pictures, looks = picture(), picture().flip(1), []
    judge.features.register_forward_hook(lambda *_: looks.append(1))
    beside = judge.beside(given)
    logits = beside(pictures)
    assert logits.shape == (2, 4, 4, 6)
    assert torch.equal(beside(pictures), logits)
    assert len(looks) == 3
    assert not torch.allclose(judge.beside(-given)(pictures), logits)
    assert not torch.allclose(beside(-pictures), logits)


@pytest.mark.parametrize("conditional", [False, True])
def test_networks_of_a_projected_discriminator_judge_side_by_side(conditional: bool) -> None:
    both = ProjectedDiscriminator(4, ("lite1", "lite2"), pretrained=False, conditional=conditional).eval()
    alone = [
        ProjectedDiscriminator(4, (each,), pretrained=False, conditional=conditional).eval()
        for each in ("lite1", "lite2")
    ]
    weights = both.state_dict()
    further = {name.removeprefix("further.0."): value for name, value in weights.items() if name.startswith("further")}
    alone[0].load_state_dict({name: value for name, value in weights.items() if not name.startswith("further")})
    alone[1].load_state_dict(further)
    judges = [each.beside(-picture()) if conditional else each for each in (both, *alone)]
    logits, *own = [judge(picture()) for judge in judges]
    assert logits.shape == (2, 8, 4, 6)
    assert torch.equal(logits, torch.cat(own, 1))
    assert not torch.allclose(own[0], own[1])


def test_gradient_flows_through_frozen_features_to_the_picture(projected: ProjectedDiscriminator) -> None:
    pictures = picture().requires_grad_()
    projected.train()(pictures).mean().backward()
    assert pictures.grad is not None
    assert (pictures.grad != 0).float().mean() > 0.9
    assert all(parameter.grad is not None for parameter in projected.heads.parameters())


@pytest.mark.parametrize(
    "build",
    [partial(PatchGAN, 3, 4, spectral=True), pytest.param(partial(ProjectedDiscriminator, 4), marks=pytest.mark.slow)],
)
def test_kernels_under_spectral_norm_come_to_a_largest_singular_value_of_one(build: Any) -> None:
    network = build(**({"pretrained": False} if build.func is ProjectedDiscriminator else {})).train()
    for _ in range(30):
        network(picture(1))
    trained = network.heads if isinstance(network, ProjectedDiscriminator) else network
    kernels = [layer.weight.detach().flatten(1) for layer in trained.modules() if isinstance(layer, nn.Conv2d)]
    assert [float(torch.linalg.svdvals(kernel)[0]) for kernel in kernels] == pytest.approx([1] * len(kernels), rel=0.1)
