"""The critic of a run: a file that says what its discriminators say, and quantiles of the run's training pictures."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mean_colour import draw_colours
from tiny_critic import scored_pair
from tiny_run import TINY, request
from tiny_sets import Named
from tiny_translator import TinyTranslation
from torch import nn

from img2img.data.open_source import open_source
from img2img.errors import DataError, ExportError, SettingError
from img2img.export.critic import Critic, export_critic
from img2img.export.models_of_run import chosen_state, export_run
from img2img.export.quantiles import MOST, _drawn, write_quantiles
from img2img.export.targets import check_critic
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime
from img2img.inference.scorer import Scorer, quantiles_of
from img2img.inference.translator import Translator
from img2img.model_file import read_card, read_model
from img2img.networks.projected import ProjectedDiscriminator
from img2img.photo import Photo, read_photo
from img2img.recipes import recipe_class
from img2img.recipes.recipe import Recipe
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_info import RunInfo
from img2img.training.start import start

pytestmark = pytest.mark.usefixtures("graphs_once")


def trained(run: Path) -> Recipe:
    state = chosen_state(run)
    kind = recipe_class(state.recipe)
    recipe = kind(kind.Config(**state.config))
    recipe.load_state_dict(state.networks)
    return recipe.eval()


def judges(recipe: Recipe) -> list[nn.Module]:
    return [recipe.get_submodule(name) for name in ("d_a", "d_b")]


def lowest(logits: torch.Tensor) -> float:
    """Over places, then the mean over scales, of (1, scales, h, w)."""
    return float(np.mean([plane.min() for plane in logits[0].detach().numpy()]))


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, (1, 3, *size)).astype(np.float32) for size in ((32, 32), (64, 96), (128, 64))]


@pytest.mark.slow
def test_critics_file_says_what_the_discriminators_say(cyclegan_run: Path, exported_cyclegan: Path) -> None:
    recipe = trained(cyclegan_run)
    runtime = OnnxRuntime(read_model(exported_cyclegan / "critic.onnx")[0], device="cpu")
    for picture in pictures():
        said = runtime.run(picture)
        assert said.shape == (1, 2)
        expected = [lowest(judge(torch.from_numpy(picture))) for judge in judges(recipe)]
        np.testing.assert_allclose(said[0], expected, atol=2e-3)  # kernels in half precision
        assert abs(expected[0] - expected[1]) > 0.01


@pytest.mark.slow
def test_card_says_whose_inputs_each_number_is_of(exported_cyclegan: Path) -> None:
    card = read_card(exported_cyclegan / "critic.onnx")
    assert (card.name, card.task, card.classes) == ("critic", "critic", ("a2b", "b2a"))
    assert (card.native_size, card.size_multiple, card.recipe, card.step) == (32, 32, "cyclegan", 2)
    assert [spec.name for spec in (*card.inputs, *card.outputs)] == ["image", "critic"]
    for name in ("a2b", "b2a"):
        assert read_card(exported_cyclegan / f"{name}.onnx").critic == "critic"
    assert not (exported_cyclegan / "critic.safetensors").exists()


@pytest.mark.slow
def test_training_pictures_give_the_quantiles(exported_cyclegan: Path, two_sets: Path) -> None:
    for name, folder in (("a2b", "trainA"), ("b2a", "trainB")):
        source = open_source([two_sets / folder])
        scores = [
            read_card((exported_cyclegan / name).with_suffix(suffix)).score for suffix in (".onnx", ".safetensors")
        ]
        assert scores[0] == scores[1]
        assert scores[0] is not None
        assert scores[0]["pictures"] == len(source)
        scorer = Scorer(Translator(exported_cyclegan / f"{name}.onnx", threads=1))
        pictures = [scorer.parts(photo) for photo in photos(two_sets / folder)]
        assert quantiles_of(pictures) == pytest.approx(scores[0])


def test_projected_discriminators_share_their_features_and_say_the_same() -> None:
    torch.manual_seed(0)
    judges = [ProjectedDiscriminator(4, pretrained=False).eval() for _ in range(2)]
    seen = [torch.from_numpy(picture) for picture in pictures()[1:]]
    expected = [[lowest(judge(picture)) for judge in judges] for picture in seen]
    backbone = sum(buffer.numel() for buffer in judges[0].features.buffers())
    heads = sum(parameter.numel() for judge in judges for parameter in judge.parameters())
    critic = Critic(judges).eval()
    assert sum(parameter.numel() for parameter in critic.parameters()) == backbone + heads
    for picture, logits in zip(seen, expected, strict=True):
        np.testing.assert_allclose(critic(picture)[0].detach(), logits, rtol=1e-4)


@pytest.mark.slow
def test_file_of_projected_discriminators_holds_the_features_once(two_sets: Path, tmp_path: Path) -> None:
    settings = (*TINY["cyclegan"], "discriminator=projected")
    start(request(two_sets, tmp_path / "run", "cyclegan", steps=1, settings=settings)).train()
    state = chosen_state(tmp_path / "run")
    kind = recipe_class("cyclegan")
    critic = export_critic(tmp_path / "critic.onnx", state, kind, kind.Config(**state.config))
    assert max(one.difference for one in critic.parity) < 0.05
    numbers = sum(parameter.numel() for parameter in critic.network.parameters())
    assert len(critic.graph) < 2.2 * numbers  # bytes: in half precision, the features once
    said = OnnxRuntime(critic.graph, device="cpu").run(pictures()[1])
    recipe = trained(tmp_path / "run")
    expected = [lowest(judge(torch.from_numpy(pictures()[1]))) for judge in judges(recipe)]
    np.testing.assert_allclose(said[0], expected, atol=0.01)


@pytest.fixture
def of_grey_pictures(tmp_path: Path) -> Path:
    """The folder of a run on 20 grey pictures of each domain, and of models a2b and b2a with a critic of brightness."""
    scored_pair(tmp_path, score=None)
    for name, value in (("A", 100), ("B", 150)):
        draw_colours(tmp_path / name, 20, (value,) * 3, side=64)
        for index in (18, 19):
            (tmp_path / name / f"{index:03}.png").unlink()
        held = draw_colours(tmp_path / "held", 2, (10,) * 3, side=64)
        for path in held.iterdir():
            path.rename(tmp_path / name / f"z{path.name}")  # the last by name
    domains = {"a": [str(tmp_path / "A")], "b": [str(tmp_path / "B")]}
    data = [*domains["a"], *domains["b"]]
    RunFolder(tmp_path).write_info(RunInfo("cyclegan", {}, 1, data, None, "", {}, "", domains=domains, images=40))
    return tmp_path


def test_quantiles_are_of_training_pictures_without_those_held_out(of_grey_pictures: Path) -> None:
    models = {domain: of_grey_pictures / f"{name}.onnx" for domain, name in (("a", "a2b"), ("b", "b2a"))}
    write_quantiles(of_grey_pictures, models, held_out=2, seed=1)
    for path, mean in ((models["a"], 100 / 127.5 - 1), (models["b"], 1 - 150 / 127.5)):
        score = read_card(path).score
        assert score is not None
        assert score["pictures"] == 18
        assert score["critic_mean"] == pytest.approx(mean, abs=0.06)  # with the two dark ones: 0.07 or more off
        assert 0 < score["critic_std"] < 0.15
        assert score["q01"] < score["q50"] < score["q99"]


def test_training_pictures_score_above_strangers(of_grey_pictures: Path) -> None:
    models = {domain: of_grey_pictures / f"{name}.onnx" for domain, name in (("a", "a2b"), ("b", "b2a"))}
    write_quantiles(of_grey_pictures, models, held_out=2, seed=1)
    scorer = Scorer(Translator(models["a"], threads=1))
    *own, one, other = [scorer.score(photo) for photo in photos(of_grey_pictures / "A")]
    assert one == other == 0  # the dark ones, which are strange to a2b
    assert np.mean(own) == pytest.approx(0.5, abs=0.1)


def photos(folder: Path) -> list[Photo]:
    return [read_photo(path) for path in sorted(folder.iterdir())]


def test_pictures_are_drawn_by_seed_at_most_so_many(tmp_path: Path) -> None:
    source = open_source([draw_colours(tmp_path / "few", 12, (9, 9, 9), side=8)])
    assert sorted(_drawn(source, 1)) == list(range(12))
    many = Named(*map(str, range(5 * MOST)))
    assert len(set(_drawn(many, 1))) == MOST
    assert _drawn(many, 1) == _drawn(many, 1) != _drawn(many, 2)


@pytest.mark.slow
def test_models_are_whole_without_the_data_and_the_command_says_so(cyclegan_run: Path, tmp_path: Path) -> None:
    info = RunFolder(cyclegan_run).read_info()
    copy = shutil.copytree(cyclegan_run, tmp_path / "run")
    RunFolder(copy).write_info(replace(info, domains={"a": ["gone/A"], "b": ["gone/B"]}))
    exported = export_run(copy, tmp_path / "a2b.onnx", critic=tmp_path / "critic.onnx", tolerance=0.05)
    assert exported.note.startswith("the cards have no quantiles, so photos get no score: gone")
    assert exported.files[-1] == tmp_path / "critic.onnx"
    card = read_card(tmp_path / "a2b.onnx")
    assert (card.critic, card.score) == ("critic", None)


def test_data_that_is_gone_or_other_gives_no_quantiles(of_grey_pictures: Path) -> None:
    models = {"a": of_grey_pictures / "a2b.onnx"}
    (of_grey_pictures / "A" / "000.png").unlink()
    with pytest.raises(DataError, match="39 images, and the run had 40"):
        write_quantiles(of_grey_pictures, models, held_out=2, seed=1)
    (of_grey_pictures / "A").rename(of_grey_pictures / "elsewhere")
    with pytest.raises(DataError, match="no such folder"):
        write_quantiles(of_grey_pictures, models, held_out=2, seed=1)
    assert read_card(models["a"]).score is None


def test_critic_that_cannot_be_is_refused(tmp_path: Path) -> None:
    models = [tmp_path / "a2b.onnx", tmp_path / "b2a.onnx"]
    with pytest.raises(SettingError, match="gan trains one way only"):
        check_critic(recipe_class("gan"), tmp_path / "c.onnx", models)
    with pytest.raises(ExportError, match=r"c\.pt: a model file ends in \.onnx"):
        check_critic(TinyTranslation, tmp_path / "c.pt", models)
    with pytest.raises(ExportError, match=r"b2a\.onnx: is the name of a model that is written too"):
        check_critic(TinyTranslation, models[1], models)
