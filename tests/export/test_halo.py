"""The halo on a translator's card: as far as the network is seen to reach, and never less than the least."""

import numpy as np
import pytest
from tiny_translator import IMAGE, conv_graph, normed_graph

from img2img.export.halo import measure_halo
from img2img.inference.tiling import SMALLEST_HALO


def looking_aside(pixels: int) -> bytes:
    """A graph in which each pixel is half of itself and half of the one that far to its right."""
    kernel = np.zeros((3, 3, 1, 2 * pixels + 1))
    kernel[:, :, 0, [pixels, -1]] = 0.5 * np.eye(3)[:, :, None]
    return conv_graph(kernel)


@pytest.mark.parametrize(
    ("pixels", "multiple", "halo"),
    [
        (3, 16, 96),
        pytest.param(97, 1, 97, marks=pytest.mark.slow),
        pytest.param(120, 16, 128, marks=pytest.mark.slow),
        pytest.param(3, 36, 108, marks=pytest.mark.slow),
    ],
)
def test_halo_is_the_reach_in_whole_multiples(pixels: int, multiple: int, halo: int) -> None:
    assert measure_halo(looking_aside(pixels), IMAGE, multiple) == halo


@pytest.mark.slow
def test_whole_pictures_statistics_keep_a_normed_networks_halo_small() -> None:
    assert measure_halo(normed_graph(), IMAGE, 4) == SMALLEST_HALO
