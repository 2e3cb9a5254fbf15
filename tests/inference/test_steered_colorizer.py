"""The colorizer that ships, steered by a prior, on all runtimes; and a model that cannot be."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_model import tiny_model, write_tiny_model

from img2img.errors import ModelError, UsageError
from img2img.inference.colorizer import Colorizer
from img2img.inference.runtimes.torch_runtime import TorchRuntime
from img2img.model_file import read_card
from img2img.photo import Photo
from img2img.steering.prior import Prior
from img2img.steering.steering import Steering

GREY = np.add.outer(np.linspace(0, 150, 90), np.linspace(0, 100, 120)).astype(np.uint8)
RED = Photo(np.full((9, 9, 3), (170, 50, 40), np.uint8), "RGB")


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer(threads=1)


def neutral(colorizer: Colorizer) -> Prior:
    return Prior(colorizer.classes, np.ones(len(colorizer.classes.centres), np.float32))


@pytest.mark.parametrize(
    "runtime",
    [
        "onnxruntime",
        pytest.param("openvino", marks=pytest.mark.skipif(find_spec("openvino") is None, reason="needs openvino")),
    ],
)
def test_neutral_prior_gives_the_bits_of_none(runtime: str) -> None:
    colorizer = Colorizer(threads=1, runtime=runtime)
    np.testing.assert_array_equal(colorizer.predicted(GREY, neutral(colorizer))[1], colorizer.predicted(GREY)[1])


def test_torch_takes_a_prior_as_onnx_runtime_does(colorizer: Colorizer) -> None:
    path = Path(__file__).resolve().parents[2] / "checkpoints" / "colorizer.onnx"  # the wheel has no .safetensors
    torch = Colorizer(path, runtime=TorchRuntime(path.with_suffix(".safetensors"), read_card(path), device="cpu"))
    np.testing.assert_array_equal(torch.predicted(GREY, neutral(torch))[1], torch.predicted(GREY)[1])
    warm = colorizer.prior(warmth=0.5)
    np.testing.assert_allclose(torch.predicted(GREY, warm)[1], colorizer.predicted(GREY, warm)[1], atol=1e-3)


def test_numpy_takes_the_mean_that_the_graph_takes(colorizer: Colorizer) -> None:
    prior = colorizer.prior(palette=[(170, 50, 40)], warmth=0.4)
    assert prior is not None
    _, ab, logits = colorizer.predicted_with_logits(GREY, prior)
    np.testing.assert_allclose(colorizer.classes.annealed_mean(logits, prior.weights), ab, atol=1e-3)


def test_reference_changes_the_colours_and_not_the_luma(colorizer: Colorizer) -> None:
    photo = Photo(GREY, "L")
    steered = colorizer.convert(photo, steering=Steering(colorizer.prior(reference=RED)))
    np.testing.assert_array_equal(steered.pixels[..., 0], GREY)
    middle = (slice(20, 70), slice(20, 100), 2)
    assert steered.pixels[middle].mean() > colorizer.convert(photo).pixels[middle].mean() + 5


def test_options_in_python_are_those_of_a_prior(colorizer: Colorizer) -> None:
    image = Image.fromarray(GREY)
    steered = colorizer(image, reference=RED.to_image(), influence=0.7, palette=["#aa3228"], warmth=0.3)
    prior = colorizer.prior(reference=RED, influence=0.7, palette=[(170, 50, 40)], warmth=0.3)
    assert steered.tobytes() == colorizer.convert(Photo(GREY, "L"), steering=Steering(prior)).to_image().tobytes()


def test_neutral_options_are_no_prior(colorizer: Colorizer) -> None:
    assert colorizer.prior() is None
    assert colorizer.prior(reference=RED, influence=0) is None


def test_suggestions_at_a_place_follow_a_prior(colorizer: Colorizer) -> None:
    plain = colorizer.suggest(GREY, 0.5, 0.5)
    red = colorizer.suggest(GREY, 0.5, 0.5, prior=colorizer.prior(reference=RED))
    assert len(plain) == 5
    assert sum(each.probability for each in plain) <= 1
    assert red[0].color[0] - red[0].color[2] > plain[0].color[0] - plain[0].color[2] + 20
    with pytest.raises(UsageError, match="not a place"):
        colorizer.suggest(GREY, 1.5, 0.5)


def test_model_without_classes_says_that_it_cannot_be_steered(tmp_path: Path) -> None:
    """As files written before models took a prior."""
    old = Colorizer(write_tiny_model(tmp_path / "old.onnx", tiny_model(0.1, 0.2)), threads=1)
    with pytest.raises(ModelError, match=r"old\.onnx: this model cannot be steered, .* export its run again"):
        old.prior(warmth=0.5)
    with pytest.raises(ModelError, match="cannot be steered"):
        old.predicted_with_logits(GREY)
    with pytest.raises(ModelError, match="cannot be steered"):
        old.suggest(GREY, 0.5, 0.5)
    assert old.prior() is None
