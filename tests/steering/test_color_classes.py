"""Classes of colours: what the training's own PyTorch code computes, in numpy."""

import numpy as np
import torch

from img2img.networks.ab_network import AbNetwork
from img2img.networks.quantised_ab import AB_SCALE, QuantisedAb
from img2img.steering.color_classes import ColorClasses

QUANTISED = QuantisedAb()
CENTRES = QUANTISED.centres.numpy()


def test_shares_are_those_that_training_counts() -> None:
    """On colours of whole ab, none of them as near to one class as to the next."""
    rng = np.random.default_rng(0)
    ab = (rng.integers(-6, 6, (200, 2)) * 10 + rng.integers(1, 5, (200, 2))).astype(np.float32)
    classes, share = QUANTISED.encode(torch.from_numpy(ab.T[None, :, :, None]) / AB_SCALE)
    weights = rng.random(200).astype(np.float32)
    expected = np.zeros(len(CENTRES))
    np.add.at(expected, classes[0, :, :, 0].numpy(), share[0, :, :, 0].numpy() * weights)
    shares = ColorClasses(CENTRES, np.ones(len(CENTRES), np.float32)).shares(ab, weights)
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=1e-4)


def test_colours_between_whole_ab_count_to_the_nearest() -> None:
    classes = ColorClasses(CENTRES, np.ones(len(CENTRES), np.float32))
    near, whole = (np.array([color], np.float32) for color in ((12.4, -3.4), (12, -3)))
    one = np.ones(1, np.float32)
    np.testing.assert_array_equal(classes.shares(near, one), classes.shares(whole, one))


def test_two_classes_share_by_a_gaussian_of_5_units() -> None:
    """At 2 and 8 of the way between: exp(-4/50) to exp(-64/50)."""
    classes = ColorClasses(np.array([[0, 0], [10, 0]], np.float32), np.ones(2, np.float32))
    shares = classes.shares(np.array([[2, 0]], np.float32), np.ones(1, np.float32))
    np.testing.assert_allclose(shares, [1 / (1 + np.exp(-1.2)), 1 / (1 + np.exp(1.2))], rtol=1e-5)


def test_smoothing_is_the_trainings() -> None:
    shares = np.random.default_rng(1).dirichlet(np.full(len(CENTRES), 0.1)).astype(np.float32)
    expected = torch.from_numpy(shares) @ QUANTISED.smoothing()
    np.testing.assert_allclose(ColorClasses(CENTRES, shares).smoothed(shares), expected, atol=1e-6)


def test_annealed_mean_is_the_networks() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 3, (len(CENTRES), 6, 4)).astype(np.float32)
    prior = rng.random(len(CENTRES)).astype(np.float32) + np.float32(0.01)
    decoded = AbNetwork().decoded(torch.from_numpy(logits)[None], 0.4, 1.1, torch.from_numpy(prior))
    mean = ColorClasses(CENTRES, prior, temperature=0.4, saturation=1.1).annealed_mean(logits, prior)
    np.testing.assert_allclose(mean, AB_SCALE * decoded[0].numpy(), atol=1e-3)


def test_mean_of_any_logits_is_finite() -> None:
    for scale in (0, 1e3, 1e6):
        logits = np.random.default_rng(3).normal(0, 1, (len(CENTRES), 2, 2)).astype(np.float32) * np.float32(scale)
        mean = ColorClasses(CENTRES, np.ones(len(CENTRES), np.float32), 0.4).annealed_mean(
            logits, np.full(len(CENTRES), 1e-8, np.float32)
        )
        assert np.isfinite(mean).all()
