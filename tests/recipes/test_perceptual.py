"""The perceptual loss of those recipes that can take one: what it adds, to whom, and what it leaves alone."""

import pytest
import torch
from tiny_recipe import batch, losses, photos, tiny_recipe

from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.recipes.ab_recipe import AbRecipe

RECIPES = ("colorizer", "colorizer-gan", "cyclegan", "pix2pix")
WEIGHT = 3.0
PAIRS = {"cyclegan": 2}
"""How many pairs of pictures it is the sum of: cyclegan's is of there and back, in both directions."""


def test_equal_pictures_are_0_apart_opposite_ones_at_most_2() -> None:
    features = FrozenFeatures("lite1", pretrained=False)
    pictures = photos()
    assert features.unlike(pictures, pictures).item() == pytest.approx(0, abs=1e-6)
    assert 1e-3 < features.unlike(pictures, -pictures).item() <= 2
    one, other = pictures, pictures.flip(3)
    assert torch.equal(features.unlike(one, other), features.unlike(other, one))


def test_it_is_the_mean_over_scales_of_the_mean_over_places() -> None:
    features = FrozenFeatures("lite1", pretrained=False)
    x, y = photos(), photos().roll(1, 0)
    apart = []
    for one, other in zip(features(x), features(y), strict=True):
        cosine = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1))
        apart.append(1 - cosine.mean())
    assert features.unlike(x, y).item() == pytest.approx(float(sum(apart)) / 4, rel=1e-4)


@pytest.mark.parametrize("name", RECIPES)
def test_it_is_added_to_the_generators_loss_alone_by_its_weight(name: str) -> None:
    without, made = tiny_recipe(name), tiny_recipe(name, f"lambda_perceptual={WEIGHT}")
    pictures = batch(made, 2)
    before, now = losses(without, pictures), losses(made, pictures)
    figure = made.step(pictures, lambda *_: None)["perceptual"]
    for player, loss in now.items():
        added = WEIGHT * float(figure) * PAIRS.get(name, 1) if player.startswith("generator") else 0.0
        assert loss.item() - before[player].item() == pytest.approx(added, rel=1e-3, abs=1e-5), player
    assert figure > 0


@pytest.mark.parametrize("name", RECIPES)
def test_its_features_are_no_part_of_a_state_and_are_not_trained(name: str) -> None:
    made = tiny_recipe(name, f"lambda_perceptual={WEIGHT}")
    assert made.state_dict().keys() == tiny_recipe(name).state_dict().keys()
    assert isinstance(made.features, FrozenFeatures)
    assert not list(made.features.parameters())


def test_a_colorizer_that_gives_the_true_colours_is_0_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares on one grey, so that what is wrong is colour alone, aged or not."""
    made = tiny_recipe("colorizer", "lambda_perceptual=1", "augment=aged")
    assert isinstance(made, AbRecipe)
    pictures = batch(made, 4)
    _, ab = made.seen(pictures)
    monkeypatch.setattr(made, "colors", lambda logits: ab)
    figure = made.step(pictures, lambda *_: None)["perceptual"]
    assert figure.item() == pytest.approx(0, abs=1e-6)
