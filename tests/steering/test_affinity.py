"""What belongs together: posteriors by Hellinger's distance, pixels by how even the light is between them."""

import numpy as np
import pytest

from img2img.lab import Floats
from img2img.steering.affinity import RISE, STEP, WEAKEST, Posterior, falling_off, ties

EVEN = Posterior.of_logits(np.zeros((3, 4, 4), np.float32))


def two_toned(rise: float, size: int = 16) -> Floats:
    light = np.full((size, size), 40, np.float32)
    light[:, size // 2 :] += rise
    return light


def test_hellingers_distance_by_hand() -> None:
    """sqrt(1 - sum sqrt(p q)): of (1/2, 1/2) and (1, 0) it is sqrt(1 - sqrt(1/2)), of what shares nothing 1."""
    logits = np.full((2, 1, 3), -60, np.float32)
    logits[:, 0, 0] = 3
    logits[0, 0, 1] = logits[1, 0, 2] = 0
    posterior = Posterior.of_logits(logits)
    np.testing.assert_allclose(
        posterior.distance_from(0.5, 0.1)[0], [0, (1 - 0.5**0.5) ** 0.5, (1 - 0.5**0.5) ** 0.5], atol=1e-3
    )
    np.testing.assert_allclose(posterior.distance_from(0.5, 0.5)[0, 2], 1, atol=1e-6)
    across, down = posterior.steps()
    np.testing.assert_allclose(across, [[1 - 0.5**0.5, 1]], atol=1e-6)
    assert down.shape == (0, 3)


def test_logits_of_any_height_are_posteriors() -> None:
    posterior = Posterior.of_logits(np.array([1e6, 1e6, -1e6], np.float32).reshape(3, 1, 1))
    np.testing.assert_allclose(posterior.roots.ravel(), [0.5**0.5, 0.5**0.5, 0])


def test_even_light_ties_all_neighbours_by_1() -> None:
    found = ties(np.full((8, 12), 50, np.float32), EVEN)
    assert [tie.shape for tie in found] == [(4, 5), (3, 6), (3, 5), (3, 5)]
    for tie in found:
        np.testing.assert_allclose(tie, 1, rtol=1e-4)


def test_across_a_step_ties_fall_as_said_and_no_way_leads_around() -> None:
    across, down, falling, rising = ties(two_toned(RISE), EVEN)
    held = float(falling_off(np.ones(1, np.float32))[0])  # exp(-1/2)
    assert held == pytest.approx(0.6065, abs=1e-4)
    for tie in (across, falling, rising):
        np.testing.assert_allclose(tie[:, 3], held, rtol=1e-4)
    np.testing.assert_allclose(down[:, [0, 1, 2, 5, 6, 7]], 1, rtol=1e-4)
    hard = ties(two_toned(2.5 * RISE), EVEN)
    assert max(tie[:, 3].max() for tie in (hard[0], hard[2], hard[3])) == WEAKEST


def test_along_an_outline_aslant_no_pixel_on_it_is_tied_to_the_next() -> None:
    """A step of 50 that one row takes 5 pixels later than the next has slopes of 10 along it: not a way across."""
    down, across = np.mgrid[:40, :40]
    light = np.clip((across + 0.2 * down - 20) * 25 + 25, 0, 50).astype(np.float32)
    on_it = (light[::2, ::2] > 5) & (light[::2, ::2] < 45)
    found = ties(light, EVEN)[1]
    assert on_it.any()
    assert found[on_it[:-1]].max() == found[on_it[1:]].max() == WEAKEST


def test_another_posterior_ties_less_in_the_same_light() -> None:
    logits = np.zeros((2, 4, 4), np.float32)
    logits[0, :, 2:] = 1
    distance = Posterior.of_logits(logits).distance_from(0.1, 0.1)[0, 3]
    across = ties(np.full((16, 16), 50, np.float32), Posterior.of_logits(logits))[0]
    assert across[:, 0].min() > 0.99
    full = np.exp(-((distance / STEP) ** 2))  # enlarged, the step is a little less steep
    assert full < across.min() < 1.6 * full
