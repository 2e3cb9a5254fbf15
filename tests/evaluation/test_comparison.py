"""Two sets of pictures compared, and translators by it: the command's figures, chart, sheet and card."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mean_colour import draw_colours, mean_colour
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.data.open_source import open_source
from img2img.data.training_data import split_off_last
from img2img.errors import DataError, UnwritablePhoto, UsageError
from img2img.evaluation.chart import draw_chart, figure_panels
from img2img.evaluation.request import EvaluationRequest
from img2img.evaluation.sets.comparison import FEWEST, compare_sources, compare_translated, compared
from img2img.evaluation.sets.pictures import source_features
from img2img.model_file import TensorSpec, read_card

RED, BLUE = (190, 70, 60), (60, 70, 190)
SWAP = np.eye(3)[::-1]
LABELS = ["translated", "untouched (ceiling)", "real (floor)"]


def linear_translator(path: Path, matrix: np.ndarray, **card: Any) -> Path:
    """A model file whose translation of a pixel is `matrix` times its red, green and blue in [-1, 1]."""
    shape: list[int | str | None] = [1, 3, "H", "W"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "matrix"], ["translated"])],
        "translator",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("translated", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(matrix.astype(np.float32).reshape(3, 3, 1, 1), "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    specs = {
        side: (TensorSpec(name, (1, 3, "H", "W"), "sRGB / 127.5 - 1", (-1.0, 1.0)),)
        for side, name in (("inputs", "image"), ("outputs", "translated"))
    }
    about = {"task": "translate", "name": path.stem, "native_size": 32, "size_multiple": 4, "recipe": "cyclegan"}
    return write_tiny_model(path, model.SerializeToString(), **{**about, **specs, **card})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `red`, `blue`, `bluish` and `few`; models `swap` and `swap-back`, which go each other's way back."""
    folder = tmp_path_factory.mktemp("world")
    draw_colours(folder / "red", 100, RED, seed=0)
    draw_colours(folder / "blue", 100, BLUE, seed=1)
    draw_colours(folder / "bluish", 20, BLUE, seed=2)
    draw_colours(folder / "few", FEWEST - 1, RED)
    linear_translator(folder / "swap.onnx", SWAP, reverse="swap-back")
    linear_translator(folder / "swap-back.onnx", SWAP, reverse="swap")
    linear_translator(folder / "lonely.onnx", -np.eye(3))
    return folder


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("img2img.evaluation.sets.distances.RESAMPLES", 20)  # for intervals that are read, not weighed


@pytest.fixture
def in_world(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    monkeypatch.setattr("img2img.evaluation.measure.feature_network", lambda *_: mean_colour())


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def test_pictures_like_the_real_ones_are_at_the_floor_and_others_far_off(world: Path) -> None:
    real = open_source([world / "blue"])
    alike, floor = compare_sources(open_source([world / "bluish"]), real, mean_colour(), seed=0)
    other, _ = compare_sources(open_source([world / "red"]), real, mean_colour(), seed=0)
    assert alike.kid_x1000.low < floor.kid_x1000.high
    assert floor.kid_x1000.low < 0 < floor.kid_x1000.high
    assert other.kid_x1000.low > 100 * floor.kid_x1000.high
    assert other.frechet_distance.value == pytest.approx(2 * (130 / 127.5) ** 2, rel=0.1)  # of the mean colours


def test_floor_has_as_many_pictures_as_the_fakes_at_most_half_of_the_real_ones(world: Path) -> None:
    real = open_source([world / "blue"])
    fake, floor = compare_sources(open_source([world / "bluish"]), real, mean_colour(), seed=0)
    assert (fake.number, fake.beside, floor.number, floor.beside) == (20, 100, 20, 80)
    fake, floor = compare_sources(open_source([world / "red"]), real, mean_colour(), seed=0)
    assert (fake.number, fake.beside, floor.number, floor.beside) == (100, 100, 50, 50)


@pytest.mark.slow
def test_perfect_translator_is_at_the_floor_and_an_idle_one_at_the_ceiling(world: Path) -> None:
    source, real = open_source([world / "red"]), open_source([world / "blue"])

    def swapped(picture: Image.Image) -> Image.Image:
        return Image.merge("RGB", picture.split()[::-1])

    perfect, untouched, floor = compare_translated(swapped, source, real, mean_colour(), seed=0)
    idle, *same = compare_translated(lambda picture: picture, source, real, mean_colour(), seed=0)
    assert same == [untouched, floor]
    assert idle.kid_x1000 == untouched.kid_x1000
    assert perfect.kid_x1000.value < 0.02 * untouched.kid_x1000.value
    assert [row.pictures for row in (perfect, untouched, floor)] == LABELS


def test_set_too_small_to_hold_any_out_is_refused(world: Path) -> None:
    data = ["--data", str(world / "few"), "--real", str(world / "blue"), "--held-out", "5"]
    result = CliRunner().invoke(app, ["evaluate", str(world / "swap.onnx"), *data])
    assert result.exit_code == 1
    assert result.stderr.endswith("000.png: 9 pictures in all, too few to hold any out; leave out --held-out\n")


def test_held_out_pictures_of_the_target_are_the_floor(world: Path) -> None:
    rest, last = split_off_last(open_source([world / "blue"]), 10)
    source = open_source([world / "bluish"])
    translated, _, floor = compare_translated(lambda p: p, source, rest, mean_colour(), held_out=last, seed=0)
    assert (floor.number, floor.beside, translated.beside) == (10, 90, 100)
    theirs, reals = (source_features(part, mean_colour()) for part in (last, rest))
    assert floor == compared("real (floor)", theirs, reals, seed=0)


def test_too_few_pictures_are_refused(world: Path) -> None:
    few, real = open_source([world / "few"]), open_source([world / "blue"])
    with pytest.raises(DataError, match=f"few.*: {FEWEST - 1} pictures in all; .* takes {FEWEST} or more"):
        compare_sources(few, real, mean_colour(), seed=0)
    with pytest.raises(DataError, match="few"):
        compare_translated(lambda p: p, real, few, mean_colour(), seed=0)


@pytest.mark.usefixtures("in_world")
def test_table_and_json_tell_the_same_of_two_folders() -> None:
    printed = evaluate("--real", "blue", "--fake", "red").stdout
    figures = json.loads(evaluate("--real", "blue", "--fake", "red", "--json").stdout)
    fake, floor = figures["compared"]
    low, high = fake["kid_x1000_interval"]
    assert low < fake["kid_x1000"] < high
    assert f"{fake['kid_x1000']} ({low} to {high})" in printed
    assert f"real (floor) {floor['number']} {floor['beside']}" in " ".join(printed.split())
    assert (figures["features"], figures["measured_on"]) == ("mean colour", "red beside blue")
    assert figures["kid_x1000"] == fake["kid_x1000"]


@pytest.mark.usefixtures("in_world")
def test_command_on_the_card_prints_the_figures_again() -> None:
    words = ("--data", str(Path("red").resolve()), "--real", "blue", "--held-out", "10", "--size", "64", "--seed", "3")
    saved = evaluate("swap.onnx", *words, "--save", "--json")
    card = read_card(Path("swap.onnx"))
    assert card.metrics == json.loads(saved.stdout)
    assert card.metrics["measured_on"] == "the last 10 by name of red beside blue"
    assert card.metrics["compared"][2]["number"] == 10
    command = card.metrics_command.removeprefix("img2img evaluate swap ").split()
    assert json.loads(evaluate("swap.onnx", *command, "--json").stdout) == card.metrics


@pytest.mark.slow
@pytest.mark.usefixtures("in_world")
def test_seed_draws_the_resamples_and_not_the_value() -> None:
    first, second = (
        json.loads(evaluate("--real", "blue", "--fake", "red", "--json", "--seed", seed).stdout) for seed in "01"
    )
    assert first["kid_x1000"] == second["kid_x1000"]
    assert first["compared"] != second["compared"]


@pytest.mark.slow
@pytest.mark.usefixtures("in_world")
def test_sheet_shows_in_out_and_back_and_the_last_only_where_there_is_one() -> None:
    first = evaluate("swap.onnx", "--data", "red", "--real", "blue", "--sheet", "s.png", "--count", "3")
    assert (first.exit_code, first.stderr) == (0, "s.png: drawn\n")
    with Image.open("s.png") as sheet:
        assert sheet.size == (2 * 3 * 192 + 6, 2 * 192 + 6)
        cells = [np.asarray(sheet.crop((left, 0, left + 192, 192))).mean((0, 1)) for left in (0, 192, 384)]
    assert cells[1] == pytest.approx(cells[0][::-1], abs=2)
    assert cells[2] == pytest.approx(cells[0], abs=2)
    again = evaluate("lonely.onnx", "--data", "red", "--real", "blue", "--sheet", "s.png", "--count", "2")
    assert (again.exit_code, again.stderr) == (0, "s.png: drawn, in place of what was there\n")
    with Image.open("s.png") as sheet:
        assert sheet.size == (2 * 2 * 192 + 6, 192)


@pytest.mark.slow
@pytest.mark.usefixtures("in_world")
def test_chart_is_a_picture_of_every_row() -> None:
    assert evaluate("swap.onnx", "--data", "red", "--real", "blue", "--chart", "chart.png").exit_code == 0
    with Image.open("chart.png") as chart:
        blue = (np.asarray(chart.convert("RGB")) == (0x1F, 0x6F, 0xB4)).all(-1)
        assert chart.width > 600
        assert blue.sum() < 60_000  # the translated pictures' bars are short beside the untouched ones'
    figures = json.loads(evaluate("swap.onnx", "--data", "red", "--real", "blue", "--json").stdout)
    kid, frechet = figure_panels(figures)
    assert [bar.label for bar in kid.bars] == LABELS
    assert [bar.value for bar in frechet.bars] == [row["frechet_distance"] for row in figures["compared"]]
    assert "features of mean colour" in kid.title
    with pytest.raises(UnwritablePhoto, match="nowhere"):
        draw_chart(figures, Path("nowhere/chart.png"), model=None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "give --real and --fake as well"),
        ("--real blue", "give --fake as well"),
        ("--real blue --fake red --save --sheet s.png", "leave out --save, --sheet, which are for a colorizer or"),
        ("--real blue --fake red --size 64", "leave out --size, which is for a colorizer or a translator"),
        ("swap.onnx --data red", "swap.onnx is a translator: give --real as well"),
        ("swap.onnx --data red --real blue --fake red", "leave out --fake, which is for two folders"),
        ("swap.onnx --data red --real blue --temperatures 0.4", "--temperatures, which is for a colorizer"),
        ("swap.onnx --data red --real blue --features inception --json", "inception takes its weights from --weights"),
        ("swap.onnx --data red --real blue --size 9999", "size 9999"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: str, says: str, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world)
    result = evaluate(*words.split())
    assert result.exit_code == 2
    assert says in result.stderr


def test_command_names_files_without_their_folders() -> None:
    request = EvaluationRequest(
        "models/mine.onnx", data=("/a/x.tar", "/b/y"), real=("/c/z",), features="inception", seed=4
    )
    assert request.command() == "img2img evaluate mine --data x.tar --data y --real z --features inception --seed 4"
    curve = EvaluationRequest("colorizer", data=("val",), temperatures=(0.1, 1.0), lpips_weights=Path("/d/alexnet.pth"))
    assert curve.command() == "img2img evaluate colorizer --data val --temperatures 0.1,1 --lpips-weights alexnet.pth"
    grid = EvaluationRequest(
        "colorizer", data=("a", "b"), saturations=(1.0, 1.2), prior_corrections=(0.25,), features="lite0"
    )
    assert grid.command() == (
        "img2img evaluate colorizer --data a --data b --saturations 1,1.2 --prior-corrections 0.25 --features lite0"
    )


def test_request_for_two_folders_needs_no_model() -> None:
    assert EvaluationRequest(real=("a",), fake=("b",)).subject() == "folders"
    with pytest.raises(UsageError, match="give --fake as well"):
        EvaluationRequest(real=("a",)).subject()


def test_figures_are_finite_for_sets_of_one_picture_repeated(tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "one", 1, RED)
    for index in range(1, FEWEST):
        (folder / f"{index:03}.png").write_bytes((folder / "000.png").read_bytes())
    for row in compare_sources(open_source([folder]), open_source([folder]), mean_colour(), seed=0):
        assert torch.isfinite(torch.tensor([*row.kid_x1000, *row.frechet_distance])).all()
        assert row.frechet_distance.value == pytest.approx(0, abs=1e-9)
