"""Suggestions: distinct, sorted, with the probabilities of the softmax; and logits between cells."""

import numpy as np
import pytest

from img2img.color import luma
from img2img.errors import UsageError
from img2img.lab import Floats
from img2img.networks.quantised_ab import class_centres
from img2img.photo import Photo
from img2img.steering.color_classes import ColorClasses
from img2img.steering.colors import ab_of
from img2img.steering.suggest import DISTINCT, HONEST_TEMPERATURE, logits_at, probabilities, suggestions

TWO = ColorClasses(np.array([[0, 0], [40, 20]], np.float32), np.array([0.9, 0.1], np.float32), 0.4)
CENTRES = class_centres().numpy()
ALL = ColorClasses(CENTRES, np.full(len(CENTRES), 1 / len(CENTRES), np.float32), 0.4)


def logits_of(*shares: float) -> Floats:
    return np.asarray(HONEST_TEMPERATURE * np.log(shares), np.float32)


def test_two_far_classes_are_two_suggestions_with_their_shares() -> None:
    grey, red = suggestions(logits_of(0.7, 0.3), 128, TWO)
    assert grey.color == (128, 128, 128)
    np.testing.assert_allclose([grey.probability, red.probability], [0.7, 0.3], rtol=1e-5)
    np.testing.assert_allclose(ab_of(red.color), [40, 20], atol=1.5)


def test_likeliest_comes_first() -> None:
    red, grey = suggestions(logits_of(0.2, 0.8), 128, TWO)
    assert red.probability > grey.probability
    assert grey.color == (128, 128, 128)


def test_prior_of_the_annealed_softmax_counts_to_the_power_of_its_temperature() -> None:
    """32 ** (0.4 / 0.85) on even odds."""
    likely = probabilities(logits_of(0.5, 0.5), TWO, np.array([1, 1 / 32], np.float32))
    np.testing.assert_allclose(likely[0] / likely[1], 32 ** (0.4 / HONEST_TEMPERATURE), rtol=1e-6)


def test_neutral_prior_changes_nothing() -> None:
    logits = logits_of(0.6, 0.4)
    assert suggestions(logits, 90, TWO, prior=np.ones(2, np.float32)) == suggestions(logits, 90, TWO)


def test_close_classes_are_one_suggestion_of_their_mean() -> None:
    """Three to one, 10 units apart: 2.5 units on, with all of the probability."""
    close = ColorClasses(np.array([[30, 0], [30, 10]], np.float32), np.ones(2, np.float32))
    (only,) = suggestions(logits_of(0.75, 0.25), 128, close)
    assert only.probability == pytest.approx(1)
    np.testing.assert_allclose(ab_of(only.color), [30, 2.5], atol=1.5)


@pytest.mark.parametrize("seed", range(5))
def test_suggestions_are_sorted_distinct_and_sum_to_at_most_1(seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, len(CENTRES)).astype(np.float32)
    found = suggestions(logits, 140, ALL)
    likely = [each.probability for each in found]
    assert 3 <= len(found) <= 5
    assert likely == sorted(likely, reverse=True)
    assert 0 < sum(likely) <= 1 + 1e-9
    ab = np.array([ab_of(each.color) for each in found])
    apart = np.hypot(*(ab[:, None] - ab).transpose(2, 0, 1))[np.triu_indices(len(found), 1)]
    assert apart.min() > DISTINCT


def test_colour_has_the_luma_of_its_place() -> None:
    for color in suggestions(np.zeros(len(CENTRES), np.float32), 77, ALL):
        assert abs(int(luma(Photo(np.full((1, 1, 3), color.color, np.uint8), "RGB"))[0, 0]) - 77) <= 1


def test_on_black_there_is_one_suggestion_with_all_of_their_probability() -> None:
    (black,) = suggestions(logits_of(0.7, 0.3), 0, TWO)
    assert black.color == (0, 0, 0)
    assert black.probability == pytest.approx(1)


def test_count_is_at_most_what_is_asked_for() -> None:
    assert len(suggestions(np.zeros(len(CENTRES), np.float32), 128, ALL, count=3)) == 3


def test_logits_at_the_middle_of_a_cell_are_its_own_and_between_two_their_mean() -> None:
    logits = np.array([[[0, 2], [4, 8]]], np.float32)
    assert logits_at(logits, 0.25, 0.25)[0] == 0
    assert logits_at(logits, 0.75, 0.25)[0] == 2
    assert logits_at(logits, 0.5, 0.25)[0] == 1
    assert logits_at(logits, 0.5, 0.5)[0] == 3.5
    assert logits_at(logits, 0, 0)[0] == 0
    assert logits_at(logits, 1, 1)[0] == 8


@pytest.mark.parametrize("place", [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0)])
def test_place_outside_is_refused(place: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="not a place"):
        logits_at(np.zeros((1, 2, 2), np.float32), *place)
