"""Frechet distance and KID against closed forms, torchmetrics, and how repeated draws vary."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from img2img.evaluation.sets.distances import (
    Interval,
    frechet_distance,
    frechet_interval,
    kernel_distance,
    kernel_interval,
)


def draws(count: int, features: int, seed: int) -> Tensor:
    return torch.randn(count, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_moments(count: int, mean: list[float], covariance: list[list[float]], seed: int = 0) -> Tensor:
    """Points that have exactly this mean and this unbiased covariance."""
    points = draws(count, len(mean), seed)
    points = torch.linalg.qr(points - points.mean(0)).Q * (count - 1) ** 0.5  # covariance 1
    return points @ torch.linalg.cholesky(torch.tensor(covariance, dtype=torch.float64)).T + torch.tensor(mean)


class Features(nn.Module):
    """Passes features through, for torchmetrics."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_frechet_distance_of_gaussians_on_a_line_is_that_of_means_and_deviations() -> None:
    x, y = with_moments(50, [1.0], [[4.0]]), with_moments(70, [4.0], [[25.0]], seed=1)
    assert frechet_distance(x, y) == pytest.approx(3**2 + (2 - 5) ** 2)


@pytest.mark.parametrize("count", [3, 200])
def test_frechet_distance_of_covariances_that_do_not_commute_is_its_closed_form(count: int) -> None:
    x = with_moments(count, [0.0, 0.0], [[2.0, 0.0], [0.0, 1.0]])
    y = with_moments(count + 2, [1.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], seed=1)
    # of a 2 x 2 matrix, tr sqrt(M) is sqrt(tr M + 2 sqrt(det M)); here M is the product of the covariances
    assert frechet_distance(x, y) == pytest.approx(1 + 3 + 2 - 2 * (3 + 2 * 1.5**0.5) ** 0.5)


@pytest.mark.parametrize("count", [12, 300])
def test_frechet_distance_of_a_set_to_itself_moved_is_the_way_squared(count: int) -> None:
    x = draws(count, 24, 0)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 0.5) == pytest.approx(24 * 0.25)


@pytest.mark.slow  # torchmetrics alone takes seconds to import
@pytest.mark.parametrize(("fakes", "reals"), [(300, 500), (20, 90), (12, 20)])
def test_frechet_distance_is_that_of_torchmetrics(fakes: int, reals: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    x, y = draws(fakes, 32, 0) * 1.3 + 0.2, draws(reals, 32, 1)
    metric = FrechetInceptionDistance(feature=Features(32))
    metric.update(y, real=True)
    metric.update(x, real=False)
    assert frechet_distance(x, y) == pytest.approx(float(metric.compute()), rel=1e-5)


def test_kernel_distance_is_worked_by_hand() -> None:
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0], [-1.0]])
    # (ab + 1)^3: within x (0, 1): 1; within y (1, 2), (1, -1), (2, -1): 27, 0, -1; across: 1, 1, 1 and 8, 27, 0
    assert kernel_distance(x, y) == pytest.approx(1 + 26 / 3 - 2 * 38 / 6)


@pytest.mark.slow
def test_kernel_distance_is_that_of_torchmetrics() -> None:
    from torchmetrics.image.kid import KernelInceptionDistance

    x, y = draws(60, 32, 0) * 1.2 + 0.1, draws(60, 32, 1)
    with pytest.warns(UserWarning, match="buffer"):  # that it keeps all features
        metric = KernelInceptionDistance(feature=Features(32), subsets=1, subset_size=60)
    metric.update(y, real=True)
    metric.update(x, real=False)
    assert kernel_distance(x, y) == pytest.approx(float(metric.compute()[0]), rel=1e-5)


def test_kernel_distance_of_samples_of_one_distribution_is_zero_on_average_whatever_their_sizes() -> None:
    found = torch.tensor([kernel_distance(draws(10, 4, seed), draws(40, 4, 1000 + seed)) for seed in range(400)])
    assert found.mean().abs() < 3 * found.std() / 400**0.5
    assert (found < 0).float().mean() > 0.3


@pytest.mark.parametrize(
    ("distance", "interval"),
    [(frechet_distance, frechet_interval), pytest.param(kernel_distance, kernel_interval, marks=pytest.mark.slow)],
)
def test_interval_is_about_as_wide_as_repeated_draws_vary(distance: Any, interval: Any) -> None:
    def drawn(seed: int) -> tuple[Tensor, Tensor]:
        return draws(60, 8, seed) + 0.5, draws(150, 8, 1000 + seed)

    varied = torch.tensor([distance(*drawn(seed)) for seed in range(200)])
    low, high = varied.quantile(0.025), varied.quantile(0.975)
    width = torch.tensor([found.high - found.low for found in (interval(*drawn(seed)) for seed in range(6))])
    assert 0.75 < width.mean() / (high - low) < 1.35


@pytest.mark.parametrize("interval", [frechet_interval, kernel_interval])
def test_interval_holds_the_value_and_depends_on_the_seed_alone(interval: Any) -> None:
    x, y = draws(40, 6, 0) + 0.3, draws(50, 6, 1)
    found = interval(x, y, seed=1)
    assert isinstance(found, Interval)
    assert found.low < found.value < found.high
    assert interval(x, y, seed=1) == found
    assert interval(x, y, seed=2).low != found.low
    assert interval(x, y, seed=2).value == found.value
