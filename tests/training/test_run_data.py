"""What a run's settings take from its images."""

from pathlib import Path

import pytest
from PIL import Image

from img2img.recipes import recipe_class
from img2img.recipes.generative import GenerativeRecipe
from img2img.training.request import TrainingRequest
from img2img.training.run_data import begun_with, config_and_data


def channels(data: Path | str, *settings: str) -> int:
    """Of the pictures that a DCGAN is about to draw."""
    request, recipe = TrainingRequest("dcgan", [data], Path("run"), settings=settings), recipe_class("dcgan")
    config, _ = config_and_data(recipe, request, begun_with(recipe, request, announce=True), announce=True)
    assert isinstance(config, GenerativeRecipe.Config)
    return config.image_channels


def test_pictures_are_drawn_in_colour_where_the_images_are_and_that_is_said(
    colour_photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert channels(colour_photos) == 3
    assert "image_channels: 3, since the images are in colour" in caplog.text


@pytest.mark.parametrize("count", [0, 2])
def test_grey_images_are_drawn_grey_though_a_few_have_colour(
    count: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for index in range(6):
        color = (200, 30, 30) if index < count else (99, 99, 99)
        Image.new("RGB", (40, 40), color).save(tmp_path / f"{index}.png")
    assert channels(tmp_path) == 1
    assert "image_channels" not in caplog.text


def test_channels_that_are_asked_for_stay(colour_photos: Path) -> None:
    assert channels(colour_photos, "image_channels=1") == 1
    assert channels("digits", "image_channels=3") == 3


def test_digits_are_grey() -> None:
    assert channels("digits") == 1
