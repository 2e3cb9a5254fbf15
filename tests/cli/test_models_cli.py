"""`img2img models`: what is at hand, and the cards, without loading anything heavy."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_model import CARD, tiny_model, write_tiny_model
from typer.testing import CliRunner

from img2img import model_file
from img2img.cli.app import app
from img2img.errors import ModelError
from img2img.model_file import ModelCard, find_model, lookup, read_card

CHECKOUT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()
METRICS = {
    "psnr": 23.456789,
    "means": {"photos": 500, "psnr": 23.5, "sizes": [192, 256]},
    "measured_on": "500 photos",
    "temperature_curve": [
        {"temperature": 0.2, "psnr_gain_db": 0.9123456},
        {"temperature": 0.38, "psnr_gain_db": -0.7, "best": True},
    ],
}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lookup, "checkpoints", lambda: tmp_path)
    changes = {"metrics": METRICS, "parameters": 4_567_890, "seed": 1936}
    write_tiny_model(tmp_path / "colorizer.onnx", tiny_model(0, 0), **changes)
    return tmp_path


def test_list_tells_of_each_model(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 0
    for word in ("colorizer", "colorize", "MB", "4.6 M parameters", "psnr 23.46", "Apache-2.0"):
        assert word in result.stdout
    assert "curve" not in result.stdout
    assert CARD.data not in result.stdout, "what is long is for `models show`"


def test_damaged_model_is_named_and_the_others_are_listed(shelf: Path) -> None:
    (shelf / "broken.onnx").write_bytes((shelf / "colorizer.onnx").read_bytes()[:-60])
    result = RUNNER.invoke(app, ["models"])
    assert result.exit_code == 1
    assert "4.6 M parameters" in result.stdout
    assert re.search("broken +cannot be used", result.stdout)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "broken.onnx" in line


def test_list_of_no_models_says_how_to_make_one(shelf: Path) -> None:
    (shelf / "colorizer.onnx").unlink()
    assert "img2img train" in RUNNER.invoke(app, ["models"]).stdout


def test_show_prints_the_card(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models", "show", "colorizer"])
    assert result.exit_code == 0
    for word in (
        "L (1, 1, h, w), L / 50 - 1, -1 to 1",
        "about 256 x 256 px",
        "7 steps",
        "1936",
    ):
        assert word in result.stdout
    assert "way back" not in result.stdout
    assert "tiles" not in result.stdout
    assert "change" not in result.stdout


def test_show_tells_of_a_translators_way_back_and_halo(shelf: Path) -> None:
    path = write_tiny_model(shelf / "a2b.onnx", tiny_model(0, 0), task="translate", reverse="b2a", halo=112)
    lines = RUNNER.invoke(app, ["models", "show", str(path)]).stdout.splitlines()
    assert any(re.fullmatch(r"way back +b2a *", line) for line in lines)
    assert any(re.fullmatch(r"tiles +see 112 px around them *", line) for line in lines)


@pytest.mark.parametrize(("result", "words"), [("change", "added to the photo"), ("picture", "what it draws")])
def test_show_tells_what_a_translators_result_is(shelf: Path, result: str, words: str) -> None:
    path = write_tiny_model(shelf / "a2b.onnx", tiny_model(0, 0), task="translate", result=result)
    lines = RUNNER.invoke(app, ["models", "show", str(path)]).stdout.splitlines()
    assert any(re.fullmatch(rf"result +{result}: .*{words}.*", line) for line in lines)


def test_show_sets_metrics_out_as_lines_and_tables(shelf: Path) -> None:
    printed = RUNNER.invoke(app, ["models", "show", "colorizer"]).stdout.splitlines()
    first = next(number for number, line in enumerate(printed) if line.startswith("measured "))
    margin = printed[first].index("psnr")
    assert [line[margin:].rstrip() for line in printed[first : first + 9]] == [
        "psnr 23.46",
        "means",
        "  photos 500",
        "  psnr 23.5",
        "  sizes 192, 256",
        "measured_on 500 photos",
        "temperature_curve",
        "  temperature  psnr_gain_db  best",
        "          0.2        0.9123",
    ]


def test_show_takes_a_file_and_prints_json(shelf: Path) -> None:
    path = write_tiny_model(shelf / "other.onnx", tiny_model(0, 0), notes="[red]kept[/red]", native_size=384)
    card = json.loads(RUNNER.invoke(app, ["models", "show", str(path), "--json"]).stdout)
    assert card["native_size"] == 384
    assert card["data"] == CARD.data
    assert "[red]kept[/red]" in RUNNER.invoke(app, ["models", "show", str(path)]).stdout


def test_unknown_model_exits_1_with_the_names_at_hand(shelf: Path) -> None:
    result = RUNNER.invoke(app, ["models", "show", "nothing"])
    assert result.exit_code == 1
    assert "Available models: colorizer" in result.stderr


def test_models_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from img2img.cli.app import app\n"
        "assert CliRunner().invoke(app, ['models']).exit_code == 0\n"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_page_of_the_shipped_models_says_what_their_cards_say() -> None:
    page = CHECKOUT / "checkpoints" / "README.md"
    assert RUNNER.invoke(app, ["models", "--markdown"]).stdout == page.read_text(), "img2img models --markdown > it"


def test_shipped_models_are_small_and_measured() -> None:
    for path in (CHECKOUT / "checkpoints").glob("*.onnx"):
        card = read_card(path)
        assert path.stat().st_size < 12e6
        if card.task == "critic":  # measured with the translators that it judges for
            continue
        if card.task == "colorize":
            assert card.metrics["psnr_gain_db"] >= 0.3
            assert 0.7 <= card.metrics["colourfulness_ratio"] <= 1.3
        elif card.task == "translate":
            assert path.stat().st_size <= 3e6
            kid = {row["pictures"]: row["kid_x1000"] for row in card.metrics["compared"]}
            assert kid["translated"] < kid["untouched (ceiling)"] / 6
            assert card.metrics["score"]["auc"] >= 0.95
            assert card.reverse
            assert card.critic
        elif card.task == "generate":
            assert card.metrics["asked_for"] >= 0.9
            assert 0.8 <= card.metrics["diversity"] <= 1.2
        assert card.metrics_command.startswith("img2img evaluate")
        assert card.parameters <= 5e6
        assert read_card(path.with_suffix(".safetensors")).metrics == card.metrics
    assert sum(path.stat().st_size for path in (CHECKOUT / "checkpoints").iterdir()) < 30e6


def test_run_folder_is_told_to_be_exported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"a run's folder, not a model file: first `img2img export .* -o NAME.onnx`"):
        find_model(str(tmp_path))


def test_cards_of_all_models_as_json() -> None:
    result = CliRunner().invoke(app, ["models", "--json"])
    assert result.exit_code == 0
    cards = {Path(card["file"]).stem: card for card in json.loads(result.stdout)}
    assert cards["colorizer"]["task"] == "colorize"
    assert cards["horse2zebra"]["sha256"] == read_card(find_model("horse2zebra")).sha256


def test_model_that_goes_while_it_is_listed_is_named(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_before(path: Path) -> ModelCard:
        card = read_card(path)
        path.unlink()
        return card

    monkeypatch.setattr(model_file, "read_card", read_before)
    for words in (["models"], ["models", "show", "colorizer"]):
        write_tiny_model(shelf / "colorizer.onnx", tiny_model(0, 0))
        result = RUNNER.invoke(app, words)
        assert result.exit_code == 1
        assert "colorizer.onnx: cannot be read (No such file or directory)" in result.stderr
