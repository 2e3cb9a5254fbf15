"""The sampler: latents that depend on (seed, i) alone, and pictures that are what the graph computes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import tiny_model, write_tiny_model
from tiny_sampler import SIZE, flat, linear_sampler

import img2img
from img2img.errors import ModelError, UsageError
from img2img.inference.latents import draw_latents
from img2img.inference.sampler import BATCH, Sampler
from img2img.model_file import TensorSpec


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Brightness 0.1 z[0] + 0.01 z[1]."""
    return linear_sampler(tmp_path_factory.mktemp("model") / "grey.onnx", flat(0.1, 0.01))


@pytest.fixture(scope="module")
def of_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shades: the dark, the middle and the light one."""
    path = tmp_path_factory.mktemp("model") / "shades.onnx"
    return linear_sampler(path, flat(0.0), labels=flat(-1, 0, 1), classes=("dark", "middle", "light"))


def test_pictures_are_the_graphs_output_in_8_bit(grey: Path) -> None:
    z = np.array([[0, 0], [10, 0], [-10, 0], [2, 5], [99, 99]], np.float32)
    pictures = Sampler(grey).sample(z)
    assert pictures.shape == (5, SIZE, SIZE, 1)
    assert pictures.dtype == np.uint8
    assert pictures[:, 3, 4, 0].tolist() == [128, 255, 0, 159, 255]  # 127.5 (x + 1); beyond 1 is white
    assert (pictures == pictures[:, :1, :1]).all()


def test_channels_come_last(tmp_path: Path) -> None:
    basis = np.array([[[[0.2]], [[0.0]], [[-0.2]]]], np.float32)
    path = linear_sampler(tmp_path / "rgb.onnx", np.tile(basis, (1, 1, SIZE, SIZE)))
    assert Sampler(path).sample(np.ones((1, 1), np.float32))[0, 5, 2].tolist() == [153, 128, 102]


def test_more_than_a_batch_is_drawn_in_order(grey: Path) -> None:
    count = 2 * BATCH + 3
    sampler = Sampler(grey)
    z = np.linspace(-9, 9, count, dtype=np.float32)[:, None] * [[1, 0]]
    drawn = sampler.sample(z)[:, 0, 0, 0].astype(float)
    np.testing.assert_allclose(drawn, (0.1 * z[:, 0] + 1) * 127.5, atol=0.51)
    assert sampler.sample(z[:0]).shape == (0, SIZE, SIZE, 1)


def test_video_models_give_videos(tmp_path: Path) -> None:
    basis = np.zeros((1, 3, 4, SIZE, SIZE), np.float32)
    basis[0, 1] = np.arange(4)[:, None, None] / 5  # the green one grows with time
    sampler = Sampler(linear_sampler(tmp_path / "video.onnx", basis))
    video = sampler.sample(np.ones((2, 1), np.float32))
    assert (sampler.frames, video.shape) == (4, (2, 4, SIZE, SIZE, 3))
    assert video[1, :, 0, 0, 1].tolist() == [128, 153, 178, 204]  # 127.5, 153, 178.5 and 204, to the even neighbour
    assert (video[..., 0] == 128).all()


def test_labels_are_names_or_indices(of_classes: Path) -> None:
    sampler = Sampler(of_classes)
    z = np.zeros((3, 1), np.float32)
    for labels in (["light", "dark", "middle"], [2, 0, 1], ["2", "0", "1"], np.array([2, 0, 1])):
        assert sampler.sample(z, labels)[:, 0, 0, 0].tolist() == [255, 0, 128]


def test_a_name_goes_before_a_number(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "odd.onnx", flat(0.0), labels=flat(-1, 1), classes=("1", "0"))
    sampler = Sampler(path)
    assert [sampler.label_index(label) for label in ("1", "0", 1, 0)] == [0, 1, 1, 0]


@pytest.mark.parametrize("label", ["bright", 3, -1, "3"])
def test_unknown_label_lists_the_choices(of_classes: Path, label: str | int) -> None:
    with pytest.raises(UsageError, match=r"choose 0 to 2, or one of dark, middle, light"):
        Sampler(of_classes).sample(np.zeros((1, 1), np.float32), [label])


def test_what_a_model_needs_and_what_it_takes_not_is_said(grey: Path, of_classes: Path, tmp_path: Path) -> None:
    z = np.zeros((2, 2), np.float32)
    with pytest.raises(UsageError, match="trained without classes"):
        Sampler(grey).sample(z, [0, 0])
    with pytest.raises(UsageError, match="takes no picture"):
        Sampler(grey).sample(z, condition=np.zeros((1, 3, SIZE, SIZE), np.float32))
    with pytest.raises(UsageError, match="needs labels: dark, middle, light"):
        Sampler(of_classes).sample(z[:, :1])
    with pytest.raises(UsageError, match="2 latents and 1 labels"):
        Sampler(of_classes).sample(z[:, :1], [0])
    conditional = Sampler(linear_sampler(tmp_path / "like.onnx", flat(0.1, channels=3), condition=True))
    with pytest.raises(UsageError, match="needs a picture"):
        conditional.sample(z[:, :1])


def test_one_condition_serves_all_latents(tmp_path: Path) -> None:
    sampler = Sampler(linear_sampler(tmp_path / "like.onnx", flat(0.1, channels=3), condition=True))
    condition = np.broadcast_to(np.reshape([-0.5, 0.0, 0.5], (1, 3, 1, 1)), (1, 3, SIZE, SIZE)).astype(np.float32)
    drawn = sampler.sample(np.array([[0], [1]], np.float32), condition=condition)
    assert drawn[:, 0, 0].tolist() == [[64, 128, 191], [76, 140, 204]]


def test_converter_is_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "colorizer.onnx", tiny_model(0, 0))
    with pytest.raises(ModelError, match=r"colorizer.onnx: is a model for 'colorize', and generating needs one"):
        Sampler(path)


def test_refusal_says_how_a_sampler_is_made_where_none_is_at_hand(
    grey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converter = write_tiny_model(tmp_path / "colorizer.onnx", tiny_model(0, 0))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"nothing")
    monkeypatch.setattr("img2img.inference.opened_model.available_models", lambda: [converter, damaged])
    with pytest.raises(ModelError, match=r"make one with `img2img train dcgan`, then --model RUN"):
        Sampler(converter)
    monkeypatch.setattr("img2img.inference.opened_model.available_models", lambda: [converter, grey])
    with pytest.raises(ModelError, match="`img2img models` lists those available"):
        Sampler(converter)


def test_sampler_is_refused_where_a_colorizer_is_needed(grey: Path) -> None:
    with pytest.raises(ModelError, match="is a model for 'generate', and colouring needs one for 'colorize'"):
        img2img.Colorizer(grey)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": ()},
        {"inputs": (TensorSpec("z", ("N",), "", (-1.0, 1.0)),)},
        {"inputs": (TensorSpec("noise", ("N", 2), "", (-1.0, 1.0)),)},
        {"outputs": ()},
        {"outputs": (TensorSpec("image", ("N", 1, "H", "W"), "", (-1.0, 1.0)),)},
        {"outputs": (TensorSpec("image", ("N", 1), "", (-1.0, 1.0)),)},
        {"classes": ("one", "two")},
    ],
)
def test_card_that_describes_no_sampler_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = linear_sampler(tmp_path / "grey.onnx", flat(0.1, 0.1), **change)
    with pytest.raises(ModelError, match=r"grey.onnx: its card does not describe a sampler"):
        Sampler(path)


def test_graph_that_does_not_draw_what_its_card_says_is_refused(tmp_path: Path) -> None:
    output = (TensorSpec("image", ("N", 1, 16, 16), "", (-1.0, 1.0)),)
    with pytest.raises(ModelError, match="draws no pictures"):
        Sampler(linear_sampler(tmp_path / "grey.onnx", flat(0.1), outputs=output))
    with pytest.raises(ModelError, match="draws no pictures"):
        Sampler(linear_sampler(tmp_path / "nan.onnx", flat(np.nan)))


def test_more_latents_begin_with_the_fewer(grey: Path) -> None:
    sampler = Sampler(grey)
    np.testing.assert_array_equal(sampler.latents(64, 3)[:8], sampler.latents(8, 3))
    assert sampler.latents(8, 3).shape == (8, 2)
    assert sampler.latents(8, 3).dtype == np.float32


def test_seeds_and_streams_differ() -> None:
    first = draw_latents(5, 100, 1)
    for other in (draw_latents(5, 100, 2), draw_latents(5, 100, 1, stream=1), first[::-1].copy()):
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.25


def test_latents_are_the_same_in_every_process() -> None:
    code = "from img2img.inference.latents import draw_latents; print(draw_latents(2, 3, 5).tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == draw_latents(2, 3, 5).tobytes().hex()


def test_latents_are_standard_normal() -> None:
    z = draw_latents(200, 100, 0)
    assert abs(z.mean()) < 0.03  # 4 standard errors of 20,000 values
    assert abs(z.std() - 1) < 0.02


@pytest.mark.parametrize(("truncation", "deviation"), [(0.5, 0.2866), (1.0, 0.5397), (2.0, 0.8796)])
def test_truncated_latents_are_a_truncated_normal(truncation: float, deviation: float) -> None:
    """Its variance is 1 - 2 t phi(t) / (2 Phi(t) - 1)."""
    z = draw_latents(200, 100, 0, truncation=truncation)
    assert np.abs(z).max() <= truncation
    assert abs(z.std() - deviation) < 0.01
    kept = np.abs(draw_latents(200, 100, 0)) <= truncation
    np.testing.assert_array_equal(z[kept], draw_latents(200, 100, 0)[kept])  # only what lies beyond is drawn again


@pytest.mark.parametrize("truncation", [0, -1, 0.001, float("nan"), float("inf")])
def test_truncation_that_no_value_passes_is_refused(truncation: float) -> None:
    with pytest.raises(UsageError, match="truncation"):
        draw_latents(1, 2, 0, truncation=truncation)
