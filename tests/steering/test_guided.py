"""Planes of half the size keep to a guide's edges when they are enlarged."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from img2img.steering.guided import enlarged


def test_edges_of_the_guide_are_the_planes_edges() -> None:
    """The guide's step lies between two pixels of which only every other has a value."""
    guide = np.full((12, 12), 20, np.float32)
    guide[:, 5:] = 70
    planes = np.zeros((1, 6, 6), np.float32)
    planes[:, :, 3:] = 9  # pixels 6, 8, 10; pixel 5 is as light
    fine = enlarged(planes, np.ones((6, 6), np.float32), guide)
    np.testing.assert_allclose(fine[0, :, :5], 0, atol=0.1)
    np.testing.assert_allclose(fine[0, :, 5:], 9, atol=0.1)


def test_a_pixel_that_nothing_ties_counts_little() -> None:
    planes, firm = np.zeros((1, 3, 3), np.float32), np.full((3, 3), 8, np.float32)
    planes[0, 1, 1], firm[1, 1] = 9, 0
    assert enlarged(planes, firm, np.full((6, 6), 50, np.float32)).max() < 0.02


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5))
def test_no_value_leaves_the_range_of_the_planes(seed: int, h: int, w: int) -> None:
    rng = np.random.default_rng(seed)
    planes, firm = rng.normal(size=(2, h, w)).astype(np.float32), rng.random((h, w), dtype=np.float32)
    fine = enlarged(planes, firm, rng.uniform(0, 100, (2 * h, 2 * w)).astype(np.float32))
    assert fine.shape == (2, 2 * h, 2 * w)
    assert planes.min() - 1e-5 <= fine.min() <= fine.max() <= planes.max() + 1e-5
