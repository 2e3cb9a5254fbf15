"""From a run to a model file that computes the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from PIL import Image
from torch import nn

import img2img
from img2img.errors import ExportError, RunError, SettingError
from img2img.evaluation.measure import measure, save_figures, table
from img2img.evaluation.request import EvaluationRequest as Evaluation
from img2img.export.models_of_run import export_run
from img2img.export.onnx_graph import _store_small, fold_batch_norms
from img2img.export.rounding import round_to_bytes, round_to_half
from img2img.inference.colorizer import Colorizer
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.runtimes.torch_runtime import TorchRuntime
from img2img.inference.sampler import Sampler
from img2img.model_file import read_card
from img2img.networks.blocks import ConvNormAct
from img2img.recipes.colorizer import ColorizerRecipe
from img2img.recipes.weights import initialise, load_weights
from img2img.runs.state import load_latest
from img2img.training.pace import Pace
from img2img.training.request import TrainingRequest
from img2img.training.start import start

pytestmark = pytest.mark.usefixtures("graphs_once")
SETTINGS = ("temperature=0.5", "prior_correction=0.5")


@pytest.fixture(scope="module")
def run(colour_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "colorizer"
    settings = ("batch_size=2", "image_size=32")
    start(
        TrainingRequest(
            "colorizer", [colour_photos], folder, steps=2, seed=5, device="cpu", settings=settings, pace=Pace()
        )
    ).train()
    return folder


@pytest.fixture(scope="module")
def exported(run: Path, graphs_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("models") / "mine.onnx"
    parity = export_run(run, target, tolerance=0.05, settings=SETTINGS, about={"notes": "a test"}).parity
    assert [one.shapes[0][2:] for one in parity] == [(64, 64), (256, 256), (224, 288), (352, 192)]
    assert max(one.difference for one in parity) < 1e-3
    return target


@pytest.mark.slow  # with the export itself
def test_card_says_what_the_model_is(exported: Path, colour_photos: Path) -> None:
    card = read_card(exported)
    assert (card.name, card.task, card.recipe, card.step, card.seed) == ("mine", "colorize", "colorizer", 2, 5)
    assert (card.settings["temperature"], card.settings["prior_correction"]) == (0.5, 0.5)
    assert card.data == colour_photos.name
    assert card.notes == "a test"
    assert 3e6 < card.parameters <= 5e6


@pytest.mark.slow  # with the export itself
def test_both_files_carry_the_same_card_but_for_their_own_checksum(exported: Path) -> None:
    onnx_card, weights_card = read_card(exported), read_card(exported.with_suffix(".safetensors"))
    assert onnx_card.sha256 != weights_card.sha256
    assert replace(onnx_card, sha256="") == replace(weights_card, sha256="")


@pytest.mark.slow  # with the export itself
def test_model_file_is_a_valid_onnx_model_with_half_precision_kernels(exported: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model)
    # the exporter itself multiplies out what has fewer than 8,192 numbers
    kernels = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) > 8192]
    assert kernels
    assert all(tensor.data_type == TensorProto.FLOAT16 for tensor in kernels)
    assert exported.stat().st_size < 12e6


@pytest.mark.slow  # with the export itself
def test_model_file_names_no_path_of_the_machine_it_was_made_on(exported: Path, run: Path) -> None:
    content = exported.read_bytes()
    assert str(Path(img2img.__file__).parent).encode() not in content
    assert str(run).encode() not in content


@pytest.mark.slow  # with the export itself
def test_torch_and_onnx_runtime_colour_alike(exported: Path) -> None:
    card = read_card(exported)
    in_torch = TorchRuntime(exported.with_suffix(".safetensors"), card, device="cpu")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8))
    one, other = Colorizer(exported)(photo), Colorizer(exported, runtime=in_torch)(photo)
    assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).max() <= 1


@pytest.mark.slow  # with the export itself
def test_exported_weights_start_another_training(exported: Path, colour_photos: Path, tmp_path: Path) -> None:
    weights = exported.with_suffix(".safetensors")
    request = TrainingRequest(
        "colorizer-gan", [colour_photos], tmp_path / "gan", init=weights, device="cpu", settings=("batch_size=2",)
    )
    generator = start(request).recipe.get_submodule("generator")
    held = load_weights(weights)
    del held["frequency"]  # which goes to a recipe that counts colours
    for name, value in held.items():
        assert torch.equal(generator.state_dict()[name], value.to(generator.state_dict()[name].dtype))


@pytest.mark.slow  # with the export itself
def test_training_goes_on_with_the_frequencies_of_colours_and_with_the_rarity_weights_it_had(
    run: Path, exported: Path
) -> None:
    state = load_latest(run)
    counted, bias = state.networks["frequency"], state.ema["averages.generator.unet.head.bias"]
    assert counted.std() > 0
    recipe = ColorizerRecipe(ColorizerRecipe.Config(pretrained=False))
    initialise(recipe, exported.with_suffix(".safetensors"))
    assert torch.equal(recipe.frequency, counted)
    head = recipe.generator.unet.head
    assert head.bias is not None
    assert torch.allclose(head.bias, bias, atol=1e-6)
    taken_back = load_weights(exported.with_suffix(".safetensors"))["unet.head.bias"] - bias
    seen = counted @ recipe.smoothing
    rarest, commonest = seen.argmin(), seen.argmax()
    mixed = seen / 2 + 0.5 / len(seen)
    expected = 0.5 * 0.5 * (mixed[commonest] / mixed[rarest]).log()  # half of a rarity of 0.5
    assert taken_back[commonest] - taken_back[rarest] == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.slow
def test_drift_beyond_the_tolerance_writes_nothing(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="drifts from PyTorch by"):
        export_run(run, tmp_path / "model.onnx", tolerance=0.0, settings=SETTINGS)
    assert not list(tmp_path.iterdir())


def test_export_asks_for_an_onnx_name_and_a_run(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"ends in \.onnx"):
        export_run(run, tmp_path / "model.pt", tolerance=0.05)
    with pytest.raises(RunError, match="no state"):
        export_run(tmp_path, tmp_path / "model.onnx", tolerance=0.05)


def test_folded_batch_norms_compute_what_they_did() -> None:
    block = nn.Sequential(ConvNormAct(3, 8, stride=2), ConvNormAct(8, 8, groups=8, activation=nn.Identity))
    block.train()(torch.randn(16, 3, 8, 8) * 3 + 1)
    block.eval()
    x = torch.randn(2, 3, 8, 8)
    assert torch.allclose(fold_batch_norms(block)(x), block(x), atol=1e-5)


def test_rounding_leaves_kernels_that_fp16_holds_exactly() -> None:
    layer = nn.Conv2d(3, 4, 3)
    assert layer.bias is not None
    bias = layer.bias.clone()
    round_to_half(layer)
    assert torch.equal(layer.weight, layer.weight.half().float())
    assert torch.equal(layer.bias, bias)


def test_kernels_rounded_to_bytes_are_near_and_stored_as_int8_without_another_error() -> None:
    layer = nn.Conv2d(16, 8, 3, bias=False)
    with torch.no_grad():
        layer.weight[0] *= 1e-6
        layer.weight[1] = 0
    before = layer.weight.detach().clone()
    round_to_bytes(layer)
    step = before.abs().amax((1, 2, 3), keepdim=True) / 127
    assert ((layer.weight - before).abs() <= 0.52 * step).all()
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Add", ["w", "x"], ["y"])],
            "kernel",
            [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])],
            [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
            [onnx.numpy_helper.from_array(layer.weight.detach().numpy(), "w")],
        ),
        ir_version=10,
        opset_imports=[onnx.helper.make_opsetid("", 18)],
    )
    _store_small(model.graph)
    assert [tensor.data_type for tensor in model.graph.initializer] == [onnx.TensorProto.INT8, onnx.TensorProto.FLOAT]
    stored = OnnxRuntime(model.SerializeToString(), device="cpu", threads=1).run(np.zeros(1, np.float32))
    assert np.array_equal(stored, layer.weight.detach().numpy())


@pytest.mark.slow  # with the export itself
def test_figures_reach_both_cards_with_the_command_that_prints_them(exported: Path, colour_photos: Path) -> None:
    figures = measure(Evaluation(str(exported), data=(str(colour_photos),), size=64, temperatures=(0.5,)))
    assert figures["means"]["photos"] == 7
    (point,) = figures["temperature_curve"]
    assert point["psnr_gain_db"] == pytest.approx(figures["psnr_gain_db"], abs=0.02)
    assert "psnr_gain_db" in table(figures)
    save_figures(str(exported), figures, "img2img evaluate mine")
    for file in (exported, exported.with_suffix(".safetensors")):
        card = read_card(file)
        assert card.metrics == figures
        assert card.metrics_command == "img2img evaluate mine"
    Colorizer(exported)


@pytest.mark.slow  # with the export itself
def test_temperature_of_zero_is_refused(exported: Path, colour_photos: Path) -> None:
    with pytest.raises(SettingError, match="must be above 0"):
        measure(Evaluation(str(exported), data=(str(colour_photos),), size=64, temperatures=(0.0,)))


@pytest.mark.parametrize("setting", ["steps=777", "decoder_lr=1e-3"])
def test_export_cannot_change_what_the_training_fixed(run: Path, tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingError, match="what an export may set: temperature, saturation"):
        export_run(run, tmp_path / "model.onnx", tolerance=0.05, settings=(setting,))


@pytest.mark.slow  # with the export itself
def test_card_tells_how_long_the_training_took(exported: Path) -> None:
    seconds = read_card(exported).seconds
    assert seconds is not None
    assert seconds > 0


@pytest.mark.parametrize("name", ["model.onnx", "model.safetensors"])
def test_a_file_that_is_there_is_left_alone(run: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"somebody's")
    with pytest.raises(ExportError, match=rf"{name}: is there already; --overwrite replaces it"):
        export_run(run, tmp_path / "model.onnx", tolerance=0.05, settings=SETTINGS)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"somebody's")]


@pytest.mark.slow
def test_model_that_cannot_be_written_is_named(run: Path) -> None:
    with pytest.raises(ExportError, match=r"/proc/model\.onnx: "):
        export_run(run, Path("/proc/model.onnx"), tolerance=0.05, settings=SETTINGS)


SMALL_PLAYERS = ("image_size=8", "z_dim=4", "generator_channels=4", "discriminator_channels=4", "batch_size=2")


@pytest.mark.parametrize(
    ("recipe", "more", "shape"),
    [
        pytest.param("gan", (), (3, 8, 8, 1), marks=pytest.mark.slow),
        pytest.param("dcgan", ("image_channels=3",), (3, 8, 8, 3), marks=pytest.mark.slow),
        pytest.param("dcgan", ("upsampling=resize",), (3, 8, 8, 1), marks=pytest.mark.slow),
        ("cgan", (), (3, 8, 8, 1)),
        pytest.param("cgan", ("condition=embedding", "image_size=32"), (3, 32, 32, 1), marks=pytest.mark.slow),
        pytest.param("wgan-svc", ("n_critic=1",), (3, 8, 8, 1), marks=pytest.mark.slow),
        pytest.param("tgan", ("frames=4",), (3, 4, 8, 8, 1), marks=pytest.mark.slow),
    ],
)
def test_exported_sampler_draws_what_the_averaged_generator_draws(
    recipe: str, more: tuple[str, ...], shape: tuple[int, ...], tmp_path: Path
) -> None:
    request = TrainingRequest(
        recipe, ["digits"], tmp_path / "run", steps=2, settings=(*SMALL_PLAYERS, *more), device="cpu"
    )
    trainer = start(request)
    trainer.train()
    parity = export_run(tmp_path / "run", tmp_path / "sampler.onnx", tolerance=0.05).parity
    assert max(one.difference for one in parity) < 0.05
    assert {one.shapes[0][0] for one in parity} == {1, 2, 3, 7}
    sampler = Sampler(tmp_path / "sampler.onnx")
    assert sampler.card.task == "generate"
    assert sampler.card.classes == (tuple("0123456789") if recipe == "cgan" and not sampler.takes_condition else ())
    z = sampler.latents(3, seed=1)
    asked: dict[str, Any] = {"labels": [1, 5, 7]} if sampler.classes else {}
    picture = np.full((1, 3, 32, 32), -1, np.float32)
    asked |= {"condition": picture} if sampler.takes_condition else {}
    drawn = sampler.sample(z, **asked)
    assert drawn.shape == shape
    condition = [torch.eye(10)[[1, 5, 7]]] if sampler.classes else []
    condition += [torch.full((3, 3, 32, 32), -1.0)] if sampler.takes_condition else []
    with torch.no_grad():
        expected = trainer.ema.averages["generator"](torch.from_numpy(z), *condition).movedim(1, -1)
    assert np.abs(drawn - (expected.numpy() + 1) * 127.5).max() <= 1  # fp16 weights, rounded to 8 bit
