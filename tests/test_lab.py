"""Lab in numpy: Kornia's, and the published values."""

import numpy as np
import pytest

from img2img.lab import lab_to_linear, lab_to_rgb, lightness, luminance, rgb_to_lab


def test_rgb_to_lab_equals_kornia() -> None:
    kornia, torch = pytest.importorskip("kornia"), pytest.importorskip("torch")
    rgb = np.random.default_rng(0).random((3, 40, 50), dtype=np.float32)
    rgb[:, 0, :4] = [[0, 1, 0.04, 0.02], [0, 1, 0, 0.02], [0, 1, 0, 0.02]]
    theirs = kornia.color.rgb_to_lab(torch.from_numpy(rgb)[None])[0].numpy()
    np.testing.assert_allclose(rgb_to_lab(rgb), theirs, atol=1e-3)


def test_lab_to_rgb_equals_kornia_also_outside_srgb() -> None:
    kornia, torch = pytest.importorskip("kornia"), pytest.importorskip("torch")
    lab = np.random.default_rng(1).uniform(-110, 110, (3, 40, 50)).astype(np.float32)
    lab[0] = np.abs(lab[0]) * (100 / 110)
    theirs = kornia.color.lab_to_rgb(torch.from_numpy(lab)[None])[0].numpy()
    np.testing.assert_allclose(lab_to_rgb(lab), theirs, atol=1e-3)


def test_lab_of_red_is_the_published_one() -> None:
    red = np.array([1, 0, 0], np.float32)[:, None, None]
    np.testing.assert_allclose(rgb_to_lab(red).ravel(), [53.24, 80.09, 67.20], atol=0.02)


def test_lightness_of_greys_runs_from_0_to_100() -> None:
    greys = np.array([0, 119, 255], np.uint8)
    np.testing.assert_allclose(lightness(greys), [0, 50.03, 100], atol=0.01)  # L* 50 is grey 119
    assert (np.diff(lightness(np.arange(256, dtype=np.uint8))) > 0).all()


def test_luminance_of_a_grey_is_the_linear_light_of_its_lightness() -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    lab = np.stack([lightness(greys), np.zeros((16, 16)), np.zeros((16, 16))]).astype(np.float32)
    np.testing.assert_allclose(lab_to_linear(lab), np.stack([luminance(greys)] * 3), atol=1e-4)
