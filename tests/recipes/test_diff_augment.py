import pytest
import torch
from torch import Tensor

from img2img.recipes.translation import diff_augment as module
from img2img.recipes.translation.diff_augment import AUGMENTATIONS, color, cutout, diff_augment, translation


def pictures(count: int = 4, height: int = 16, width: int = 24) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch):
    """Makes every draw for one picture the numbers given."""

    def these(*numbers: float) -> None:
        monkeypatch.setattr(module, "uniform", lambda key, shape, purpose: torch.tensor([numbers]))

    return these


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_is_a_function_of_picture_key_and_purpose_alone(name: str) -> None:
    augment, images, key = AUGMENTATIONS[name], pictures(), torch.arange(4)
    whole = augment(images, key, "real", 1.0)
    assert whole.shape == images.shape
    assert not torch.equal(whole, images)
    for place in range(4):
        one = augment(images[place : place + 1], key[place : place + 1], "real", 1.0)
        assert torch.allclose(one[0], whole[place], atol=1e-6)
    assert not torch.equal(augment(images, key, "fake", 1.0), whole)
    assert not torch.equal(augment(images, key + 4, "real", 1.0), whole)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradient_flows_through_an_augmentation(name: str) -> None:
    images = pictures().requires_grad_()
    AUGMENTATIONS[name](images, torch.arange(4), "fake", 1.0).square().sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()
    assert (images.grad != 0).float().mean() > 0.5


def test_policy_is_a_chain_and_none_leaves_the_pictures_alone() -> None:
    images, key = pictures(), torch.arange(4)
    assert diff_augment(images, key, "real", (), 1.0) is images
    chain = translation(color(images, key, "real, color", 0.5), key, "real, translation", 0.5)
    assert torch.equal(diff_augment(images, key, "real", ("color", "translation"), 0.5), chain)


def test_colours_move_as_far_as_their_strength_says(draws) -> None:
    grey = torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    draws(1.0, 0.5, 0.5)  # brightest; saturation and contrast as they are
    assert torch.allclose(color(grey, torch.zeros(1), "", 1.0), grey + 0.5)
    assert torch.allclose(color(grey, torch.zeros(1), "", 0.4), grey + 0.2)
    draws(0.5, 0.0, 0.5)  # no saturation
    assert torch.allclose(color(grey, torch.zeros(1), "", 1.0), torch.full_like(grey, 0.4))
    draws(0.5, 0.5, 0.0)  # half the contrast around the picture's mean
    assert torch.allclose(color(grey, torch.zeros(1), "", 1.0), 0.4 + (grey - 0.4) / 2)


def test_colours_of_no_strength_stay() -> None:
    images = pictures()
    assert torch.allclose(color(images, torch.arange(4), "real", 0.0), images, atol=1e-6)


def test_translation_moves_by_up_to_an_eighth_and_shows_zeros(draws) -> None:
    images = pictures(1)
    draws(0.0, 0.999)  # the picture moves down by 2 of 16, and left by 3 of 24
    moved = translation(images, torch.zeros(1), "", 1.0)
    assert torch.equal(moved[:, :, 2:, :-3], images[:, :, :-2, 3:])
    assert not moved[:, :, :2].any()
    assert not moved[:, :, :, -3:].any()
    draws(0.5, 0.5)
    assert torch.equal(translation(images, torch.zeros(1), "", 1.0), images)


def test_every_translation_is_as_likely_as_any_other() -> None:
    row = torch.arange(1.0, 17).expand(4000, 1, 16, 16)
    first = translation(row, torch.arange(4000), "real", 1.0)[:, 0, 8, 8]
    counts = torch.bincount(first.long(), minlength=12)[7:12]
    assert counts.sum() == 4000
    assert counts.min() > 700
    assert counts.max() < 900


def test_cutout_leaves_a_hole_of_half_of_each_side(draws) -> None:
    draws(0.5, 0.5)
    cut = cutout(torch.ones(1, 3, 16, 24), torch.zeros(1), "", 1.0)
    hole = torch.ones(16, 24)
    hole[4:12, 6:18] = 0
    assert torch.equal(cut, hole.expand(1, 3, -1, -1))
    draws(0.0, 0.0)  # around the corner: a quarter of the hole
    assert int((cutout(torch.ones(1, 3, 16, 24), torch.zeros(1), "", 1.0) == 0).sum()) == 3 * 4 * 6
