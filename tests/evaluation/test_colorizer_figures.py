"""A colorizer's figures: sets and decodings in one pass give what they give alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mean_colour import draw_colours, mean_colour
from PIL import Image
from tiny_colorizer import OWN, drawn_frequency, write_colorizer
from tiny_model import tiny_model, write_tiny_model
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.data.image_source import ImageSource
from img2img.data.open_source import open_source
from img2img.errors import DataError, ModelError
from img2img.evaluation.chart import figure_panels
from img2img.evaluation.colorizers.colorizer_score import evaluate_colorizer, score
from img2img.evaluation.colorizers.decodings import Grid, decoded_ways
from img2img.evaluation.colorizers.measured_photos import measure_photos, photos_at
from img2img.evaluation.measure import measure, table
from img2img.evaluation.request import EvaluationRequest
from img2img.inference.runtimes.torch_runtime import TorchRuntime
from img2img.model_file import read_card
from img2img.networks.ab_network import AbNetwork


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folders of pictures, one of them grey, and a colorizer."""
    folder = tmp_path_factory.mktemp("world")
    draw_colours(folder / "blue", 12, (60, 80, 170), seed=1)
    draw_colours(folder / "red", 11, (170, 80, 60), seed=2)
    (folder / "grey").mkdir()
    Image.linear_gradient("L").save(folder / "grey" / "ramp.png")
    write_colorizer(folder / "mine.onnx")
    return folder


@pytest.fixture
def in_world(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    monkeypatch.setattr("img2img.evaluation.colorizers.colorizer_figures.feature_network", lambda *_: mean_colour())


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words, "--size", "32"])


def request(*data: str, **changes: Any) -> EvaluationRequest:
    return EvaluationRequest("mine.onnx", data=data, size=32, **changes)


class Knowing:
    """A colorizer that knows the true photos by their greys, and changes their colours."""

    def __init__(self, source: ImageSource, change=lambda pixels: pixels) -> None:
        self._change = change
        self._truths = {photo.convert("L").tobytes(): np.asarray(photo) for photo in photos_at(source, 32)}

    def __call__(self, grey: Image.Image) -> Image.Image:
        return Image.fromarray(self._change(self._truths[grey.tobytes()]))


def test_true_colours_are_at_a_distance_of_0_and_grey_at_that_of_grey(world: Path) -> None:
    source = open_source([world / "blue"])
    perfect = evaluate_colorizer(Knowing(source), source, size=32, features=mean_colour())
    idle = evaluate_colorizer(lambda grey: grey, source, size=32, features=mean_colour())
    assert perfect.frechet_distance == pytest.approx(0, abs=1e-12)
    assert str(perfect.row()["frechet_distance"]) == "0.0"
    assert idle.frechet_distance == idle.frechet_distance_of_grey == perfect.frechet_distance_of_grey > 0.1


def test_frechet_distance_of_colours_that_are_all_off_alike_is_their_square(world: Path) -> None:
    source = open_source([world / "blue"])

    def redder(pixels):
        return np.minimum(pixels, 245) + np.array([10, 0, 0], np.uint8)

    true = Knowing(source, lambda pixels: np.minimum(pixels, 245))
    score = evaluate_colorizer(Knowing(source, redder), source, size=32, features=mean_colour())
    nearly = evaluate_colorizer(true, source, size=32, features=mean_colour())
    assert nearly.frechet_distance < 1e-5  # few pixels are that bright
    assert score.frechet_distance == pytest.approx((10 / 127.5) ** 2, abs=1e-4)


def test_distance_between_sets_takes_ten_photos_and_says_so(world: Path, in_world: None, tmp_path: Path) -> None:
    draw_colours(tmp_path / "few", 9, (60, 80, 170))
    figures = measure(request(str(tmp_path / "few")))
    assert not {"frechet_distance", "frechet_distance_of_grey", "features"} & figures.keys()
    assert "frechet_distance not measured: 9 photos with colour, and it takes 10 or more" in " ".join(
        table(figures).split()
    )
    assert "frechet_distance         not measured" not in table(measure(request("red")))


@pytest.mark.parametrize("share", [pytest.param(0.0, marks=pytest.mark.slow), 0.5])
def test_network_run_once_gives_what_a_run_at_each_setting_gives(world: Path, share: float) -> None:
    grid = Grid(temperatures=(0.2, 0.7), saturations=(1.0, 1.3), prior_corrections=(share,))
    ways = decoded_ways(str(world / "mine.onnx"), grid)
    card, weights = read_card(world / "mine.onnx"), world / "mine.safetensors"
    reference = TorchRuntime(weights, card, device="cpu")._network
    w = weights_by_hand()
    for lightness in np.random.default_rng(0).uniform(-1, 1, (2, 1, 1, 64, 96)).astype(np.float32):
        for decoding, colorizer in ways:
            with torch.inference_mode():
                logits = reference.logits(torch.from_numpy(lightness)) - share * w.log()[:, None, None]
                p = torch.softmax(logits.double() / decoding.temperature, 1)
                mean = torch.einsum("nqhw,qc->nchw", p, reference.quantised.centres.double() / 110)
                expected = reference.enlarge(mean) * decoding.saturation
            found = colorizer._model.run(lightness)
            np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def weights_by_hand() -> torch.Tensor:
    """(Q,): of the default rarity, 0.5, and uniform share, 0.5."""
    quantised = AbNetwork().quantised
    seen = drawn_frequency(len(quantised)) @ quantised.smoothing()
    return (seen / 2 + 0.5 / len(quantised)) ** -0.5


@pytest.mark.slow
def test_settings_are_those_of_a_full_run_in_pytorch(world: Path) -> None:
    card = read_card(world / "mine.onnx")
    lightness = np.random.default_rng(1).uniform(-1, 1, (1, 1, 64, 64)).astype(np.float32)
    for decoding, colorizer in decoded_ways(str(world / "mine.onnx"), Grid(temperatures=(0.3, 0.9))):
        network = TorchRuntime(world / "mine.safetensors", card, device="cpu")
        network._network.temperature = decoding.temperature
        assert decoding.saturation == OWN["saturation"]
        np.testing.assert_allclose(colorizer._model.run(lightness), network.run(lightness), atol=1e-5)


@pytest.mark.slow
def test_photo_goes_through_the_network_once_for_all_decodings(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    logits = AbNetwork.logits
    monkeypatch.setattr(AbNetwork, "logits", lambda self, x: seen.append(x.clone()) or logits(self, x))
    grid = Grid((0.2, 0.4), (1.0, 1.2))
    ways = [colorizer for _, colorizer in decoded_ways(str(world / "mine.onnx"), grid)]
    opened = len(seen)
    measure_photos(ways, open_source([world / "red"]), size=32)
    assert len(seen) - opened == 11


@pytest.mark.slow
def test_rows_are_those_of_each_way_alone(world: Path) -> None:
    source = open_source([world / "red"])
    ways = [colorizer for _, colorizer in decoded_ways(str(world / "mine.onnx"), Grid((0.2, 0.9)))]
    together = measure_photos(ways, source, size=32, features=mean_colour())
    rows = [score(together, way).row() for way in range(2)]
    assert rows == [evaluate_colorizer(way, source, size=32, features=mean_colour()).row() for way in ways]
    assert rows[0] != rows[1]


@pytest.mark.slow
def test_every_value_of_a_setting_goes_with_every_one_of_the_others(in_world: None) -> None:
    figures = measure(request("red", temperatures=(0.2, 0.4), saturations=(0.0, 1.0), prior_corrections=(0.0, 1.0)))
    curve = figures["temperature_curve"]
    names = ["temperature", "saturation", "prior_correction"]
    assert [[row[name] for name in names] for row in curve] == [
        [t, s, b] for t in (0.2, 0.4) for s in (0.0, 1.0) for b in (0.0, 1.0)
    ]
    assert all(list(row)[3:] == ["psnr_gain_db", "colourfulness_ratio", "frechet_distance"] for row in curve)
    for row in curve:
        if row["saturation"] == 0:
            assert (row["psnr_gain_db"], row["colourfulness_ratio"]) == (0, 0)
            assert row["frechet_distance"] == figures["frechet_distance_of_grey"]
    (line,) = [line for line in table(figures).splitlines() if line.startswith("temperature ")]
    assert line.split() == list(curve[0])


def test_only_what_varies_and_the_temperature_name_a_row(in_world: None) -> None:
    (row,) = measure(request("red", saturations=(1.0,)))["temperature_curve"]
    assert list(row) == ["temperature", "saturation", "psnr_gain_db", "colourfulness_ratio", "frechet_distance"]
    assert row["temperature"] == OWN["temperature"]


def test_sets_are_what_they_are_alone_and_all_is_what_they_are_together(in_world: None) -> None:
    together = measure(request("blue", "grey", "red"))
    *sets, everything = together["sets"]
    assert [row["set"] for row in sets] == ["blue", "grey", "red"]
    assert sets[1] == {"set": "grey", "photos": 0}
    for row in (sets[0], sets[2]):
        alone = measure(request(row["set"]))
        assert "sets" not in alone
        assert row["photos"] == alone["means"]["photos"]
        for name in list(row)[2:]:
            assert row[name] == alone[name], name
    assert everything == {"set": "all", "photos": 23} | {name: together[name] for name in list(sets[0])[2:]}
    assert together["measured_on"] == "23 photos of blue, grey, red at 32 px; left out: 1 without colour"


@pytest.mark.slow
def test_figures_are_printed_drawn_saved_and_shown(in_world: None, tmp_path: Path) -> None:
    write_colorizer(tmp_path / "mine.onnx")
    words = ["--data", "blue", "--data", "red", "--temperatures", "0.3", "--saturations", "1,1.25"]
    path = str(tmp_path / "mine.onnx")
    result = evaluate(path, *words, "--json", "--save", "--chart", str(tmp_path / "chart.png"))
    assert (result.exit_code, result.stderr) == (0, f"{tmp_path / 'chart.png'}: drawn\n")
    figures = json.loads(result.stdout)
    card = read_card(tmp_path / "mine.onnx")
    assert card.metrics == read_card(tmp_path / "mine.safetensors").metrics == figures
    assert card.metrics_command == f"img2img evaluate mine {' '.join(words[:6])} --saturations 1,1.25 --size 32"
    assert [row["set"] for row in figures["sets"]] == ["blue", "red", "all"]
    with Image.open(tmp_path / "chart.png") as chart:
        assert chart.height > chart.width / 2
    shown = CliRunner().invoke(app, ["models", "show", path]).stdout
    lines = [line.split() for line in shown.splitlines()]
    assert ["set", *list(figures["sets"][0])[1:]] in lines
    assert any(line[:2] == ["all", "23"] for line in lines)
    assert ["temperature", "saturation", "psnr_gain_db", "colourfulness_ratio", "frechet_distance"] in lines


def test_chart_has_a_panel_for_the_distance_and_for_what_decides_by_set(in_world: None) -> None:
    panels = figure_panels(measure(request("blue", "grey", "red")))
    assert [panel.title.split(" ")[0] for panel in panels[:4]] == ["PSNR", "SSIM", "Frechet", "colourfulness"]
    assert [panel.title.split(" ")[0] for panel in panels[4:]] == ["PSNR", "colourfulness", "Frechet"]
    assert [bar.label for bar in panels[4].bars] == ["all", "blue", "red"]


@pytest.mark.parametrize(
    "words",
    [
        ["--saturations", "-1"],
        ["--saturations", "nan"],
        ["--saturations", "inf"],
        ["--prior-corrections", "2"],
        ["--prior-corrections", "some"],
    ],
)
def test_settings_that_cannot_be_are_refused_before_work(words: list[str]) -> None:
    result = evaluate("no-such-model", "--data", ".", *words)
    assert result.exit_code == 2
    assert f"{words[1]}: give numbers " in result.stderr


def test_prior_that_is_not_in_the_file_cannot_be_taken_back(tmp_path: Path) -> None:
    write_colorizer(tmp_path / "old.onnx", frequency=False)
    assert len(decoded_ways(str(tmp_path / "old.onnx"), Grid((0.2, 0.4)))) == 2
    with pytest.raises(ModelError, match=r"old\.safetensors: does not say how frequent colours were .* export the run"):
        decoded_ways(str(tmp_path / "old.onnx"), Grid(prior_corrections=(0.5,)))


def test_recipe_without_rarity_weights_has_nothing_to_take_back(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "gan.onnx", tiny_model(0.2, 0.4), recipe="colorizer-gan")
    with pytest.raises(ModelError, match="colorizer-gan has no prior_correction; leave out --prior-corrections"):
        decoded_ways(str(tmp_path / "gan.onnx"), Grid(prior_corrections=(0.5,)))


def test_photo_that_cannot_be_read_ends_the_work_and_gives_the_threads_back(world: Path, tmp_path: Path) -> None:
    draw_colours(tmp_path, 3, (60, 80, 170))
    (tmp_path / "001.png").write_bytes(b"no picture")
    threads = torch.get_num_threads()
    with pytest.raises(DataError, match=r"001\.png: not a readable image"):
        measure_photos([lambda grey: grey], open_source([tmp_path]), size=32)
    assert torch.get_num_threads() == threads


def test_progress_is_told_of_every_photo(world: Path) -> None:
    told = []
    source = open_source([world / "red"])
    measure_photos([lambda grey: grey], source, size=32, advance=lambda *numbers: told.append(numbers))
    assert told == [(done, 11) for done in range(1, 12)]
