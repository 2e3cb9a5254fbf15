"""`img2img evaluate MODEL --data OWN --strangers OTHERS`: how well a score tells them apart, shown and on the card."""

import json
from pathlib import Path

import pytest
from mean_colour import draw_colours
from tiny_critic import scored_pair
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.evaluation.measure import save_figures
from img2img.evaluation.score import FEWEST, auc
from img2img.model_file import read_card


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models a2b, to which dark pictures are strange, and b2a, to which bright ones are; folders of both."""
    monkeypatch.chdir(tmp_path)
    scored_pair(tmp_path)
    draw_colours(Path("bright"), 20, (150,) * 3, side=64)
    draw_colours(Path("dark"), 12, (90,) * 3, seed=1, side=64)


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *words])


def test_auc_is_the_share_of_pairs_in_their_right_order() -> None:
    assert auc([3, 2], [1, 0]) == 1
    assert auc([3, 1], [2, 0]) == 0.75
    assert auc([1, 1], [1, 1]) == 0.5  # ties count half
    assert auc([0, 5], [5, 5]) == 0.25


def test_score_tells_own_pictures_from_strangers_one_way_and_not_the_other() -> None:
    figures = {}
    for name in ("a2b", "b2a"):
        result = evaluate(f"{name}.onnx", "--data", "bright", "--strangers", "dark", "--json")
        assert result.exit_code == 0, result.output
        figures[name] = json.loads(result.stdout)["score"]
    assert (figures["a2b"]["pictures"], figures["a2b"]["strangers"]) == (20, 12)
    assert (figures["a2b"]["auc"], figures["b2a"]["auc"]) == (1, 0)
    assert (figures["a2b"]["called_unlike"], figures["a2b"]["strangers_called_unlike"]) == (0, 0)
    assert figures["a2b"]["measured_on"] == "bright beside dark"


def test_held_out_pictures_are_the_last_by_name() -> None:
    draw_colours(Path("many"), 110, (150,) * 3, side=64)
    words = ["a2b.onnx", "--data", "many", "--strangers", "dark", "--held-out", "50"]
    lines = dict(line.split(maxsplit=1) for line in evaluate(*words).stdout.splitlines())
    assert (lines["auc"], lines["pictures"], lines["strangers"]) == ("1.0", "11", "12")
    assert lines["measured_on"] == "the last 11 by name of many beside dark"


def test_saved_figures_stand_beside_the_others_of_the_card() -> None:
    save_figures("a2b.onnx", {"kid_x1000": 1.5}, "img2img evaluate a2b --data x --real y")
    assert evaluate("a2b.onnx", "--data", "bright", "--strangers", "dark", "--save").exit_code == 0
    card = read_card(Path("a2b.onnx"))
    command = "img2img evaluate a2b --data bright --strangers dark"
    assert card.metrics["kid_x1000"] == 1.5
    assert card.metrics_command == "img2img evaluate a2b --data x --real y"
    assert (card.metrics["score"]["auc"], card.metrics["score"]["measured_by"]) == (1, command)
    save_figures("a2b.onnx", {"kid_x1000": 1.4}, "again")
    card = read_card(Path("a2b.onnx"))
    assert (card.metrics["kid_x1000"], card.metrics["score"]["auc"], card.metrics_command) == (1.4, 1, "again")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a2b.onnx", "--data", "bright", "--strangers", "dark", "--real", "dark"], "leave out --real"),
        (["a2b.onnx", "--strangers", "dark"], "give --data"),
        (["a2b.onnx", "--data", "bright"], "give --real"),
        (["critic.onnx", "--data", "bright", "--strangers", "dark"], "critic.onnx is a critic: give a translator"),
        (["--real", "bright", "--fake", "dark", "--strangers", "dark"], "leave out --strangers"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], says: str) -> None:
    result = evaluate(*words)
    assert result.exit_code == 2
    assert says in result.stderr


def test_too_few_pictures_and_missing_quantiles_are_refused() -> None:
    draw_colours(Path("few"), FEWEST - 1, (90,) * 3)
    result = evaluate("a2b.onnx", "--data", "bright", "--strangers", "few")
    assert result.exit_code == 1
    assert "9 pictures are too few" in result.stderr
    scored_pair(Path(), score=None)
    assert "has no quantiles of a score" in evaluate("a2b.onnx", "--data", "bright", "--strangers", "dark").stderr


def test_cards_are_shown_with_critic_and_quantiles() -> None:
    shown = {}
    for name in ("a2b", "critic"):
        shown[name] = CliRunner().invoke(app, ["models", "show", f"{name}.onnx"]).stdout
    assert "critic " in shown["a2b"]
    assert "q02 -0.48" in shown["a2b"]
    assert "a2b, b2a" in shown["critic"]
