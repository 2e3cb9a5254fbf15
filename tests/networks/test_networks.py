from functools import partial

import pytest
import torch
from torch import nn

from img2img.networks.ab_network import AbNetwork
from img2img.networks.blocks import normal_init
from img2img.networks.imagenet.encoder import SKIP_CHANNELS, EfficientNetLite
from img2img.networks.patchgan import PatchGAN
from img2img.networks.quantised_ab import AB_SCALE, QuantisedAb
from img2img.networks.unet import UNet


@pytest.fixture(scope="module")
def quantised() -> QuantisedAb:
    return QuantisedAb()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_ab_network_keeps_height_and_width(height: int, width: int) -> None:
    network = AbNetwork(temperature=1.0).eval()
    ab = network(torch.rand(2, 1, height, width) * 2 - 1)
    assert ab.shape == (2, 2, height, width)
    assert ab.abs().max() <= 1


def test_saturation_multiplies_the_colours() -> None:
    pale, vivid = AbNetwork(0.4).eval(), AbNetwork(0.4, saturation=1.5).eval()
    vivid.load_state_dict(pale.state_dict())
    lightness = torch.rand(1, 1, 32, 32) * 2 - 1
    assert torch.allclose(vivid(lightness), 1.5 * pale(lightness), atol=1e-6)


def test_encoder_gives_skips_at_a_quarter_an_eighth_and_a_sixteenth() -> None:
    features, skips = EfficientNetLite()(torch.zeros(1, 1, 64, 96))
    assert features.shape == (1, 320, 2, 3)
    assert [tuple(s.shape) for s in skips] == [
        (1, c, 64 // r, 96 // r) for c, r in zip(SKIP_CHANNELS, (4, 8, 16), strict=True)
    ]


def test_ab_network_has_at_most_five_million_parameters() -> None:
    assert sum(p.numel() for p in AbNetwork(1.0).parameters()) <= 5e6


def test_imagenet_encoder_sees_a_grey_picture_as_the_published_one_sees_three_equal_channels() -> None:
    grey, colour = EfficientNetLite(1).eval(), EfficientNetLite(3).eval()
    grey.load_imagenet()
    colour.load_imagenet()
    picture = torch.rand(1, 1, 64, 64) * 2 - 1
    assert torch.allclose(grey(picture)[0], colour(picture.expand(-1, 3, -1, -1))[0], atol=1e-4)


def test_imagenet_weights_make_features_that_tell_pictures_apart() -> None:
    encoder = EfficientNetLite(1).eval()
    encoder.load_imagenet()
    stripes = torch.sign(torch.sin(torch.arange(64.0))).expand(1, 1, 64, 64)
    features = encoder(torch.cat([stripes, torch.zeros_like(stripes)]))[0].mean((2, 3))
    assert nn.functional.cosine_similarity(features[0], features[1], dim=0) < 0.9


def test_unet_gradient_reaches_every_parameter() -> None:
    network = UNet(1, 7)
    network(torch.rand(2, 1, 64, 64)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_patchgan_logit_sees_exactly_seventy_pixels() -> None:
    network = PatchGAN(1, channels=4, norm=nn.Identity)
    picture = torch.zeros(1, 1, 128, 128, requires_grad=True)
    logits = network(picture)
    assert logits.shape == (1, 1, 14, 14)
    (gradient,) = torch.autograd.grad(logits[0, 0, 7, 7], picture)
    seen = gradient[0, 0].abs().sum(0).nonzero()
    assert seen.max() - seen.min() + 1 == 70


def test_patchgan_without_norm_judges_each_sample_alone() -> None:
    network = PatchGAN(3, channels=4, norm=nn.Identity)
    samples = torch.randn(2, 3, 64, 64)
    assert torch.allclose(network(samples)[:1], network(samples[:1]), atol=1e-6)


def test_normal_init_draws_weights_of_the_given_spread() -> None:
    layer = nn.Conv2d(64, 64, 3)
    normal_init(layer, std=0.02)
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not layer.bias.any()


def test_class_centres_cover_the_gamut_on_a_ten_unit_grid(quantised: QuantisedAb) -> None:
    assert torch.equal(quantised.centres % 10, torch.zeros_like(quantised.centres))
    assert [0.0, 0.0] in quantised.centres.tolist()
    assert 240 <= len(quantised) <= 320  # Zhang et al. count 313 with an older colour table


def test_encoded_colour_is_shared_among_the_nearest_classes(quantised: QuantisedAb) -> None:
    ab = torch.tensor([3.0, -1.0]).view(1, 2, 1, 1) / AB_SCALE
    classes, share = quantised.encode(ab)
    nearest = quantised.centres[classes.flatten()].tolist()
    assert nearest == [[0.0, 0.0], [10.0, 0.0], [0.0, -10.0]]
    weights = torch.exp(-torch.tensor([10.0, 50.0, 90.0]) / 50)
    assert torch.allclose(share.flatten(), weights / weights.sum(), atol=1e-5)


def test_decoding_certain_classes_gives_their_colours(quantised: QuantisedAb) -> None:
    logits = torch.full((1, len(quantised), 1, 1), -50.0)
    logits[0, 17] = 50.0
    ab = quantised.decode(logits, 1.0).flatten() * AB_SCALE
    assert torch.allclose(ab, quantised.centres[17], atol=1e-3)


@pytest.mark.parametrize("temperature", [0.38, 1.0])
def test_decoding_equals_softmax_and_mean(quantised: QuantisedAb, temperature: float) -> None:
    logits = torch.randn(2, len(quantised), 3, 4) * 5
    probability = (logits / temperature).softmax(1)
    expected = torch.einsum("nqhw,qc->nchw", probability, quantised.centres) / AB_SCALE
    assert torch.allclose(quantised.decode(logits, temperature), expected, atol=1e-5)


def test_decoding_survives_logits_that_would_overflow(quantised: QuantisedAb) -> None:
    logits = torch.full((1, len(quantised), 1, 1), -1e4)
    logits[0, 3] = 1e4
    assert quantised.decode(logits, 0.1).isfinite().all()


def test_encoding_then_decoding_returns_the_colour_to_within_the_grid(quantised: QuantisedAb) -> None:
    ab = (torch.rand(1, 2, 8, 8) * 40 - 20) / AB_SCALE
    classes, share = quantised.encode(ab)
    logits = torch.full((1, len(quantised), 8, 8), -60.0).scatter(1, classes, share.log())
    assert (quantised.decode(logits, 1.0) - ab).abs().max() * AB_SCALE < 5


def test_smoothing_rows_are_distributions(quantised: QuantisedAb) -> None:
    smoothing = quantised.smoothing()
    assert torch.allclose(smoothing.sum(1), torch.ones(len(quantised)))
    assert (smoothing.argmax(1) == torch.arange(len(quantised))).all()


def test_norm_can_be_chosen_for_the_patchgan() -> None:
    network = PatchGAN(3, channels=4, norm=partial(nn.GroupNorm, 2))
    assert any(isinstance(layer, nn.GroupNorm) for layer in network.modules())
