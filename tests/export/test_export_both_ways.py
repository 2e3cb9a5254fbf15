"""A run that trains both ways becomes two models that name each other, from its best state or its last."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_run import TINY, request
from tiny_translator import NormedNetwork, TinyTranslation
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import ExportError, ModelError, RunError, SettingError
from img2img.export.models_of_run import chosen_state, export_run
from img2img.export.targets import reverse_name, targets_of
from img2img.inference.runtimes.torch_runtime import TorchRuntime
from img2img.inference.translator import Translator
from img2img.model_file import read_card
from img2img.recipes import RECIPES, RecipeEntry, recipe_class
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_info import RunInfo
from img2img.runs.state import TrainState
from img2img.training.ema import Ema
from img2img.training.start import start


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "tiny", RecipeEntry("tiny_translator", "TinyTranslation", "", "translate"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose best state, of step 5, is older than its last, of step 7."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    folder.mkdir()
    config = asdict(TinyTranslation.Config())
    RunFolder(folder).write_info(RunInfo("tiny", config, 1, ["set/trainA", "set/trainB"], None, "", {}, "a laptop"))
    state(5, config).save_best(folder)
    state(7, config).save(folder)
    return folder


def state(step: int, config: dict[str, Any]) -> TrainState:
    torch.manual_seed(step)
    recipe = TinyTranslation(TinyTranslation.Config())
    ema = Ema({name: recipe.get_submodule(name) for name in recipe.averaged}, 0.9)
    for parameter in ema.parameters():
        parameter.data.mul_(1.1)  # so that they differ from the raw ones
    return TrainState(
        "tiny", config, 1, step, step, recipe.state_dict(), {}, ema.state_dict(), torch.get_rng_state(), []
    )


@pytest.fixture(scope="module")
def exported(run: Path, graphs_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of horse2zebra.onnx, its way back, and all weights; written by the command."""
    folder = tmp_path_factory.mktemp("models")
    entry = RecipeEntry("tiny_translator", "TinyTranslation", "", "translate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "tiny", entry)
        words = ["-o", str(folder / "horse2zebra.onnx"), "--all-weights", str(folder / "all.safetensors")]
        result = CliRunner().invoke(app, ["export", str(run), *words])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert sum(line.startswith("parity of horse2zebra at 1 x 3 x ") for line in lines) == 4
    assert sum(line.startswith("parity of zebra2horse at 1 x 3 x ") for line in lines) == 4
    assert [line.rsplit("/", 1)[1].split(":")[0] for line in lines[8:]] == [
        "horse2zebra.onnx",
        "zebra2horse.onnx",
        "all.safetensors",
    ]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("name", "back"), [("horse2zebra", "zebra2horse"), ("zebra2horse", "horse2zebra")])
def test_each_card_names_the_other_model(exported: Path, name: str, back: str) -> None:
    for suffix in (".onnx", ".safetensors"):
        card = read_card((exported / name).with_suffix(suffix))
        assert (card.name, card.reverse, card.task, card.step) == (name, back, "translate", 5)
    assert card.data == "trainA, trainB"
    assert card.halo == 96
    assert [spec.name for spec in card.outputs] == ["translated", "statistics"]
    assert card.parameters == sum(parameter.numel() for parameter in NormedNetwork().parameters())
    assert Translator(exported / f"{name}.onnx").reverse().card.name == back


def in_torch(network: NormedNetwork, photo: np.ndarray) -> np.ndarray:
    image = torch.from_numpy(photo).movedim(2, 0)[None] / 127.5 - 1
    with torch.no_grad():
        drawn: torch.Tensor = network(image)[0]
    return ((drawn + 1) * 127.5).movedim(0, 2).numpy()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "generator"), [("horse2zebra", "g_ab"), ("zebra2horse", "g_ba")])
def test_model_draws_what_the_averaged_generator_draws(exported: Path, run: Path, name: str, generator: str) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    network = NormedNetwork().eval()
    weights = load_file(exported / "all.safetensors")
    prefix = f"ema.{generator}."
    network.load_state_dict({key.removeprefix(prefix): value for key, value in weights.items() if prefix in key})
    drawn = np.asarray(Translator(exported / f"{name}.onnx")(Image.fromarray(photo), size="native"))
    assert np.abs(drawn - in_torch(network, photo)).max() <= 2  # kernels in half precision, rounded to 8 bit


@pytest.mark.slow
def test_torch_translates_and_measures_like_the_graph(exported: Path) -> None:
    path = exported / "horse2zebra.onnx"
    translator, weights = Translator(path), path.with_suffix(".safetensors")
    in_torch = Translator(path, runtime=TorchRuntime(weights, read_card(path), device="cpu"))
    picture = np.random.default_rng(0).uniform(-1, 1, (64, 96, 3)).astype(np.float32)
    for one, other in zip(translator._translate(picture), in_torch._translate(picture), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    _, statistics = translator._translate(picture)
    frozen = statistics + np.float32(0.3)
    one, other = (model._translate(picture, frozen)[0] for model in (translator, in_torch))
    np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
def test_all_weights_are_every_network_in_full_and_no_pool(exported: Path, run: Path) -> None:
    weights = load_file(exported / "all.safetensors")
    best = torch.load(run / "best.pt", weights_only=True)
    expected = {name: value for name, value in best["networks"].items() if name != "pool"}
    expected |= {name.replace("averages.", "ema."): value for name, value in best["ema"].items()}
    assert {name.split(".")[0] for name in weights} == {"g_ab", "g_ba", "d_a", "ema"}
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in weights)
    assert read_card(exported / "all.safetensors").step == 5


@pytest.mark.parametrize(("which", "step"), [(None, 5), ("best", 5), ("last", 7)])
def test_best_state_is_taken_unless_the_last_is_asked_for(run: Path, which: str | None, step: int) -> None:
    assert chosen_state(run, which).step == step


def test_run_without_a_best_state_gives_its_last(run: Path, tmp_path: Path) -> None:
    (tmp_path / "state-00000007.pt").write_bytes((run / "state-00000007.pt").read_bytes())
    assert chosen_state(tmp_path).step == 7
    with pytest.raises(RunError, match=r"no best\.pt in there"):
        chosen_state(tmp_path, "best")


@pytest.mark.parametrize(
    ("name", "back"),
    [("horse2zebra", "zebra2horse"), ("A2B", "B2A"), ("mine", "mine-back"), ("v2", "v2-back"), ("a2b2c", "a2b2c-back")],
)
def test_way_back_is_named_after_the_way_there(name: str, back: str) -> None:
    assert reverse_name(name) == back


def test_names_that_cannot_be_are_refused(tmp_path: Path) -> None:
    both, one = TinyTranslation, recipe_class("gan")
    there, back = tmp_path / "a.onnx", tmp_path / "b.onnx"
    assert targets_of(both, there, back) == {"g_ab": there, "g_ba": back}
    assert targets_of(both, tmp_path / "a2b.onnx")["g_ba"] == tmp_path / "b2a.onnx"
    with pytest.raises(ExportError, match=r"back\.pt: a model file ends in \.onnx"):
        targets_of(both, tmp_path / "a.onnx", tmp_path / "back.pt")
    with pytest.raises(ExportError, match="is the name of the model itself"):
        targets_of(both, tmp_path / "a.onnx", tmp_path / "a.onnx")
    for weights in ("all.onnx", "a.safetensors", "a-back.safetensors"):
        with pytest.raises(ExportError, match=r"a \.safetensors file with a name of its own"):
            targets_of(both, tmp_path / "a.onnx", weights=tmp_path / weights)
    with pytest.raises(SettingError, match="gan trains one way only"):
        targets_of(one, tmp_path / "a.onnx", tmp_path / "b.onnx")
    with pytest.raises(SettingError, match=r"goes on from the model's own \.safetensors"):
        targets_of(one, tmp_path / "a.onnx", weights=tmp_path / "b.safetensors")


@pytest.mark.slow
def test_weights_are_not_converted_with(exported: Path) -> None:
    with pytest.raises(ModelError, match=r"holds weights to train on from"):
        Translator(exported / "all.safetensors")


@pytest.mark.slow
def test_run_of_cyclegan_goes_on_elsewhere_from_all_its_weights(
    two_sets: Path, cyclegan_run: Path, exported_cyclegan: Path, tmp_path: Path
) -> None:
    settings = (*TINY["cyclegan"], "spectral_norm=true")
    weights = exported_cyclegan / "all.safetensors"
    goes_on = start(request(two_sets, tmp_path / "more", "cyclegan", init=weights, settings=settings))
    state = chosen_state(cyclegan_run)
    assert state.networks.keys() == goes_on.recipe.state_dict().keys()
    for name, value in state.networks.items():
        if not name.startswith("pool_"):
            assert torch.equal(goes_on.recipe.state_dict()[name], value), name
    assert state.ema.keys() == goes_on.ema.state_dict().keys()
    for name, value in state.ema.items():
        assert torch.equal(goes_on.ema.state_dict()[name], value), name
    assert Translator(exported_cyclegan / "a2b.onnx").reverse().card.recipe == "cyclegan"


@pytest.mark.parametrize("name", ["b2a.onnx", "b2a.safetensors", "all.safetensors"])
def test_none_of_the_files_of_an_export_is_replaced_unasked(run: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"somebody's")
    with pytest.raises(ExportError, match=rf"{name}: is there already; --overwrite replaces it"):
        export_run(run, tmp_path / "a2b.onnx", weights=tmp_path / "all.safetensors", tolerance=0.05)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"somebody's")]


@pytest.mark.slow
@pytest.mark.usefixtures("graphs_once")
def test_export_tells_what_it_is_doing_and_the_models_name_each_other(run: Path, tmp_path: Path) -> None:
    told: list[str] = []
    there, back = tmp_path / "a2b.onnx", tmp_path / "b2a.onnx"
    back.write_bytes(b"an earlier one")
    export_run(run, there, tolerance=0.05, overwrite=True, tell=told.append)
    steps = ["making its graph", "comparing it with PyTorch"]
    assert told[:4] == [f"{path}: {step}" for path in (there, back) for step in steps]
    assert told[4:] == [f"{path}: measuring how far it sees, writing it" for path in (there, back)]
    assert [read_card(path).reverse for path in (there, back)] == ["b2a", "a2b"]
