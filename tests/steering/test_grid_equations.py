"""The solver gives what a dense one gives, the closed form of a line, and nothing outside of what holds it."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.lab import Floats
from img2img.steering.grid_equations import NEIGHBOURS, GridEquations


def drawn_equations(h: int, w: int, rng: np.random.Generator) -> GridEquations:
    """Ties of every order down to 1e-6."""
    ties = tuple((10 ** rng.uniform(-6, 0, np.empty((h, w))[here].shape)).astype(np.float32) for here, _ in NEIGHBOURS)
    return GridEquations((10 ** rng.uniform(-4, 1, (h, w))).astype(np.float32), ties)


def dense(equations: GridEquations) -> npt.NDArray[np.float64]:
    shape = equations.mass.shape
    place = np.arange(equations.mass.size).reshape(shape)
    matrix = np.diag(equations.mass.astype(np.float64).ravel())
    for tie, (here, there) in zip(equations.ties, NEIGHBOURS, strict=True):
        for weight, one, other in zip(tie.ravel(), place[here].ravel(), place[there].ravel(), strict=True):
            matrix[[one, other], [one, other]] += weight
            matrix[[one, other], [other, one]] -= weight
    return matrix


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (5, 8), (8, 5), (50, 3), (3, 50), (51, 50)])
def test_the_solution_is_the_dense_one(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    equations = drawn_equations(*shape, rng)
    b = rng.normal(size=(2, *shape)).astype(np.float32) * equations.mass
    expected = np.linalg.solve(dense(equations), b.reshape(2, -1).T).T.reshape(b.shape)
    np.testing.assert_allclose(equations.solved(b), expected, rtol=1e-4, atol=1e-5)


def test_along_a_line_that_is_held_at_one_end_the_solution_is_a_hyperbolic_cosine() -> None:
    """x_k = cosh(t (n - k - 1/2)) / cosh(t (n - 1/2)) with 2 cosh t = 2 + mass, where x_0 = 1."""
    n, mass = 40, 0.01
    held: Floats = np.full((1, n), mass, np.float32)
    held[0, 0] = 1e7
    none = np.zeros((0, n), np.float32), np.zeros((0, n - 1), np.float32), np.zeros((0, n - 1), np.float32)
    b = np.zeros((1, 1, n), np.float32)
    b[0, 0, 0] = 1e7
    decay = np.arccosh(1 + mass / 2)
    expected = np.cosh(decay * (n - np.arange(n) - 0.5)) / np.cosh(decay * (n - 0.5))
    x = GridEquations(held, (np.ones((1, n - 1), np.float32), *none)).solved(b)
    np.testing.assert_allclose(x[0, 0], expected, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
def test_the_solution_lies_between_what_pixels_are_held_at(seed: int, h: int, w: int) -> None:
    rng = np.random.default_rng(seed)
    equations = drawn_equations(h, w, rng)
    targets = rng.uniform(-50, 80, (2, h, w)).astype(np.float32)
    x = equations.solved(equations.mass * targets)
    for solution, target in zip(x, targets, strict=True):
        assert target.min() - 1e-3 <= solution.min() <= solution.max() <= target.max() + 1e-3
