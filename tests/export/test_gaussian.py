"""A Gaussian of features: by hand, and against fresh draws."""

import numpy as np
import pytest

from img2img.export.gaussian import Gaussian, fit_gaussian, held_out_log_likelihoods


def test_log_likelihood_is_minus_half_of_the_squared_mahalanobis_distance() -> None:
    gaussian = Gaussian(np.array([1.0, 2.0]), np.diag([1 / 3, 2.0]))  # standard deviations of 3 and 0.5
    values = gaussian.log_likelihoods(np.array([[1.0, 2.0], [4.0, 2.0], [1.0, 3.0], [-2.0, 1.5]]))
    assert values == pytest.approx([0, -0.5, -2, -1])


def test_fit_whitens_what_it_was_fitted_to() -> None:
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(20_000, 3)) @ np.array([[2.0, 1.0, 0.0], [0.0, 0.5, 0.3], [0.0, 0.0, 1.0]]) + [5, -1, 0]
    gaussian = fit_gaussian(mixed)
    whitened = (mixed - gaussian.mean) @ gaussian.whitening.T
    assert np.cov(whitened.T) == pytest.approx(np.eye(3), abs=0.02)


def test_held_out_values_are_those_of_fresh_pictures_where_features_are_many() -> None:
    rng = np.random.default_rng(1)
    spread = np.geomspace(0.1, 3, 60)
    known, fresh = (rng.normal(size=(count, 60)) * spread for count in (150, 2000))
    gaussian = fit_gaussian(known)
    held_out = np.median(held_out_log_likelihoods(known, seed=0))
    expected = np.median(gaussian.log_likelihoods(fresh))
    assert held_out == pytest.approx(expected, rel=0.15)
    assert np.median(gaussian.log_likelihoods(known)) > 0.8 * expected  # too good to be true


def test_each_picture_is_judged_by_others_alone() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(30, 2))
    moved = features.copy()
    moved[7] += 1000
    before, after = held_out_log_likelihoods(features, seed=3), held_out_log_likelihoods(moved, seed=3)
    changed = np.flatnonzero(~np.isclose(before, after))
    assert after[7] < -1000
    assert len(changed) == 1 + 24  # itself, and those of the other four folds
    assert held_out_log_likelihoods(features, seed=3) == pytest.approx(before)


@pytest.mark.parametrize("features", [np.ones((4, 6)), np.arange(12.0).reshape(2, 6)])
def test_pictures_that_hardly_vary_have_a_gaussian(features: np.ndarray) -> None:
    gaussian = fit_gaussian(features)
    assert np.isfinite(gaussian.whitening).all()
    assert gaussian.log_likelihoods(features[:1] - 100)[0] < gaussian.log_likelihoods(features[:1])[0]
