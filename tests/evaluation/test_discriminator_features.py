"""What a discriminator has learnt, measured by a linear classifier."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from img2img.data.open_source import open_source
from img2img.errors import DataError, RunError
from img2img.evaluation.discriminator_features import draw_filters, embed, filter_pictures, load_judge, probe
from img2img.training.pace import Pace
from img2img.training.request import TrainingRequest
from img2img.training.start import start

TINY = ("image_size=8", "batch_size=4", "z_dim=4", "generator_channels=4", "discriminator_channels=4")


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 noisy pictures: bright at the left, and bright at the right."""
    folder = tmp_path_factory.mktemp("two_classes")
    rng = np.random.default_rng(0)
    for index in range(60):
        pixels = rng.integers(0, 80, (8, 8, 3))
        side = index % 2
        pixels[:, 4 * side : 4 * side + 4] += 100
        target = folder / ("left", "right")[side] / f"{index}.png"
        target.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(target)
    return folder


@pytest.fixture(scope="module")
def runs(two_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for recipe, more in (("dcgan", ()), ("cgan", ()), ("gan", ()), ("wgan-sn", ("n_critic=1",))):
        request = TrainingRequest(
            recipe, [str(two_classes)], folder / recipe, steps=2, settings=(*TINY, *more), device="cpu", pace=Pace()
        )
        start(request).train()
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize("recipe", ["dcgan", "cgan", "gan", "wgan-sn"])
def test_easy_classes_are_told_apart_and_every_judge_has_filters(
    runs: dict[str, Path], two_classes: Path, recipe: str, tmp_path: Path
) -> None:
    trained, untrained = load_judge(runs[recipe])
    found = probe(trained, untrained, open_source([str(two_classes)]))
    assert (found.train_images, found.test_images) == (48, 12)
    assert min(found.pixels, found.trained) > 0.9
    draw_filters(trained, tmp_path / "filters.png")
    with Image.open(tmp_path / "filters.png") as picture:
        assert np.asarray(picture).std() > 10


def test_classes_that_do_not_exist_are_not_found(runs: dict[str, Path], two_classes: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for index in range(100):
        target = tmp_path / "ab"[index % 2] / f"{index}.png"
        target.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(target)
    found = probe(*load_judge(runs["dcgan"]), open_source([str(tmp_path)]))
    assert max(found.pixels, found.untrained, found.trained) < 0.85


def test_trained_and_untrained_judges_differ_and_neither_follows_the_batch(runs: dict[str, Path]) -> None:
    trained, untrained = load_judge(runs["dcgan"])
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features = embed(trained, images)
    assert features.shape == (3, 4 * 4 * 4)
    assert not np.allclose(features, embed(untrained, images))
    assert np.allclose(features[:1], embed(trained, images[:1]), atol=1e-6)


def test_filters_are_the_first_layers_kernels_over_their_largest_weight(runs: dict[str, Path]) -> None:
    trained, _ = load_judge(runs["dcgan"])
    kernels = filter_pictures(trained)
    weight = trained.discriminator.features[0][0].weight.detach()
    assert kernels.shape == (4, 3, 4, 4)
    assert torch.allclose(kernels[2, 0] * weight[2].abs().max(), weight[2, 0])
    assert kernels.abs().amax((1, 2, 3)).tolist() == pytest.approx([1] * 4)


@pytest.mark.slow
def test_runs_and_data_that_cannot_be_probed_say_why(
    runs: dict[str, Path], colour_photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no labels to probe with"):
        probe(*load_judge(runs["dcgan"]), open_source([str(colour_photos)]))
    colorizer = tmp_path / "colorizer"
    settings = ("pretrained=false", "image_size=32", "batch_size=2")
    start(
        TrainingRequest("colorizer", [str(colour_photos)], colorizer, steps=1, settings=settings, device="cpu")
    ).train()
    with pytest.raises(RunError, match="a run of colorizer; features are for"):
        load_judge(colorizer)
    with pytest.raises(RunError, match=r"filters\.xyz"):
        draw_filters(load_judge(runs["dcgan"])[0], tmp_path / "filters.xyz")
