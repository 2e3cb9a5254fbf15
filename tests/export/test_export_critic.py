"""The critic of a run: a file of how likely a photo is among the run's pictures, and the quantiles of these."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mean_colour import draw_colours
from tiny_translator import IMAGE, TinyTranslation

from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source
from img2img.errors import DataError, ExportError, SettingError
from img2img.export.critic import SEEN, Critic, export_critic, fit_critic
from img2img.export.gaussian import Features, fit_gaussian, held_out_log_likelihoods
from img2img.export.models_of_run import export_run
from img2img.export.targets import check_critic
from img2img.export.training_pictures import training_pictures
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.scorer import Scorer, as_seen, quantiles_of
from img2img.inference.translator import Translator
from img2img.model_file import read_card
from img2img.networks.imagenet.frozen_features import FrozenFeatures
from img2img.photo import Photo, read_photo
from img2img.recipes import recipe_class
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_info import RunInfo

pytestmark = pytest.mark.usefixtures("graphs_once")
RED, BLUE = (180, 60, 60), (60, 60, 180)


@pytest.fixture(scope="module")
def reds_and_blues(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ImageSource]:
    folder = tmp_path_factory.mktemp("colours")
    return {
        name: open_source([draw_colours(folder / name, 24, colour, side=64)])
        for name, colour in (("a", RED), ("b", BLUE))
    }


@pytest.fixture(scope="module")
def critic(reds_and_blues: dict[str, ImageSource]) -> Critic:
    return fit_critic(reds_and_blues, seed=0, pretrained=False)[0]


def seen(path: Path) -> "np.typing.NDArray[np.float32]":
    return as_seen(read_photo(path), SEEN, 32)


def embedded(critic: Critic, folder: Path) -> Features:
    rows = [critic.embed(torch.from_numpy(seen(path))) for path in sorted(folder.iterdir())]
    return torch.cat(rows).double().detach().numpy()


def test_each_domain_finds_its_own_pictures_likelier(critic: Critic, tmp_path: Path) -> None:
    reds, blues = (draw_colours(tmp_path / name, 6, of, seed=1, side=64) for name, of in (("r", RED), ("b", BLUE)))
    with torch.no_grad():
        of_reds, of_blues = (
            np.concatenate([critic(torch.from_numpy(seen(path))) for path in sorted(folder.iterdir())])
            for folder in (reds, blues)
        )
    assert of_reds[:, 0].min() > of_blues[:, 0].max()
    assert of_blues[:, 1].min() > of_reds[:, 1].max()


def test_critic_is_the_gaussian_of_features_at_the_two_coarsest_scales(critic: Critic, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "reds", 24, RED, side=64)  # those that it was fitted to
    features = embedded(critic, folder)
    coarse = FrozenFeatures("lite1", pretrained=False)(torch.from_numpy(seen(folder / "000.png")))[-2:]
    assert features[0] == pytest.approx(torch.cat([each.mean((2, 3)) for each in coarse], 1)[0].numpy(), abs=0.02)
    expected = fit_gaussian(features).log_likelihoods(features)
    said = [float(critic(torch.from_numpy(seen(path)))[0, 0].detach()) for path in sorted(folder.iterdir())]
    assert said == pytest.approx(expected, rel=0.01)  # a whitening in half precision


def test_file_says_what_the_critic_says_and_holds_the_features_once(
    reds_and_blues: dict[str, ImageSource], tmp_path: Path
) -> None:
    exported = export_critic(tmp_path / "critic.onnx", reds_and_blues, [IMAGE], seed=0, pretrained=False)
    assert max(one.difference for one in exported.parity) < 0.01
    numbers = sum(parameter.numel() for parameter in exported.network.parameters())
    assert len(exported.graph) < 2.2 * numbers  # bytes
    picture = seen(draw_colours(tmp_path / "one", 1, BLUE, side=64) / "000.png")
    said = OnnxRuntime(exported.graph, device="cpu").run(picture)
    assert said == pytest.approx(exported.network(torch.from_numpy(picture)).detach().numpy(), rel=1e-3)


def test_quantiles_are_of_pictures_judged_by_others(reds_and_blues: dict[str, ImageSource], critic: Critic) -> None:
    scores = fit_critic(reds_and_blues, seed=4, pretrained=False)[1]
    rows = [critic.embed(torch.from_numpy(as_seen(Photo(rgb, "RGB"), SEEN, 32))) for rgb in _all(reds_and_blues["a"])]
    features = torch.cat(rows).double().detach().numpy()
    expected = quantiles_of(held_out_log_likelihoods(features, seed=0).tolist())
    assert scores["a"]["pictures"] == 24
    for name in ("q25", "q50", "q75"):  # which picture is judged by which is drawn by seed
        assert scores["a"][name] == pytest.approx(expected[name], rel=0.3)


def _all(source: ImageSource) -> list["np.typing.NDArray[np.uint8]"]:
    return [source.rgb(index) for index in range(len(source))]


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    few = open_source([draw_colours(tmp_path / "few", 2, RED)])
    with pytest.raises(DataError, match="2 pictures are too few for a critic; it takes 3"):
        fit_critic({"a": few}, seed=0, pretrained=False)


@pytest.mark.slow
def test_export_writes_a_critic_that_scores_for_both_models(exported_cyclegan: Path, two_sets: Path) -> None:
    card = read_card(exported_cyclegan / "critic.onnx")
    assert (card.name, card.task, card.classes) == ("critic", "critic", ("a2b", "b2a"))
    assert (card.native_size, card.size_multiple, card.recipe, card.step) == (SEEN, 32, "cyclegan", 2)
    assert [spec.name for spec in (*card.inputs, *card.outputs)] == ["image", "log_likelihood"]
    assert not (exported_cyclegan / "critic.safetensors").exists()
    for name, folder in (("a2b", "trainA"), ("b2a", "trainB")):
        of_model, of_weights = (
            read_card((exported_cyclegan / name).with_suffix(suffix)) for suffix in (".onnx", ".safetensors")
        )
        assert of_model.critic == of_weights.critic == "critic"
        assert of_model.score == of_weights.score
        assert of_model.score is not None
        assert of_model.score["pictures"] == len(list((two_sets / folder).iterdir()))
        scorer = Scorer(Translator(exported_cyclegan / f"{name}.onnx", threads=1))
        own = [scorer.score(read_photo(path)) for path in sorted((two_sets / folder).iterdir())]
        assert min(own) > 0.02  # none is unlike those that it is one of


@pytest.mark.slow
def test_models_are_whole_without_the_data_and_the_command_says_so(cyclegan_run: Path, tmp_path: Path) -> None:
    info = RunFolder(cyclegan_run).read_info()
    copy = shutil.copytree(cyclegan_run, tmp_path / "run")
    RunFolder(copy).write_info(replace(info, domains={"a": ["gone/A"], "b": ["gone/B"]}))
    exported = export_run(copy, tmp_path / "a2b.onnx", critic=tmp_path / "critic.onnx", tolerance=0.05)
    assert exported.note.startswith("no critic was written, so photos get no score: gone")
    assert sorted(path.name for path in exported.files) == ["a2b.onnx", "b2a.onnx"]
    assert not (tmp_path / "critic.onnx").exists()
    card = read_card(tmp_path / "a2b.onnx")
    assert (card.critic, card.score) == (None, None)


@pytest.fixture
def run_of_colours(tmp_path: Path) -> Path:
    """The folder of a run on 20 pictures of each domain."""
    for name in ("A", "B"):
        draw_colours(tmp_path / name, 20, RED)
    domains = {"a": [str(tmp_path / "A")], "b": [str(tmp_path / "B")]}
    data = [*domains["a"], *domains["b"]]
    RunFolder(tmp_path).write_info(RunInfo("cyclegan", {}, 1, data, None, "", {}, "", domains=domains, images=40))
    return tmp_path


def test_training_pictures_are_those_of_the_run_without_those_held_out(run_of_colours: Path) -> None:
    found = training_pictures(run_of_colours, held_out=2)
    assert {domain: len(source) for domain, source in found.items()} == {"a": 18, "b": 18}
    assert [found["a"].name(index)[-7:] for index in (0, 17)] == ["000.png", "017.png"]


def test_data_that_is_gone_or_other_is_no_runs_data(run_of_colours: Path) -> None:
    (run_of_colours / "A" / "000.png").unlink()
    with pytest.raises(DataError, match="39 images, and the run had 40"):
        training_pictures(run_of_colours, held_out=2)
    (run_of_colours / "A").rename(run_of_colours / "elsewhere")
    with pytest.raises(DataError, match="no such folder"):
        training_pictures(run_of_colours, held_out=2)


def test_critic_that_cannot_be_is_refused(tmp_path: Path) -> None:
    models = [tmp_path / "a2b.onnx", tmp_path / "b2a.onnx"]
    with pytest.raises(SettingError, match="gan trains one way only"):
        check_critic(recipe_class("gan"), tmp_path / "c.onnx", models)
    with pytest.raises(ExportError, match=r"c\.pt: a model file ends in \.onnx"):
        check_critic(TinyTranslation, tmp_path / "c.pt", models)
    with pytest.raises(ExportError, match=r"b2a\.onnx: is the name of a model that is written too"):
        check_critic(TinyTranslation, models[1], models)
