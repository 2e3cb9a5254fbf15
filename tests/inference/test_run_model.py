"""A run's folder in place of a model: exported beside it, once for each state; the export itself is one at the end."""

import shutil
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from conftest import DrawPhoto
from PIL import Image
from tiny_model import tiny_model, write_tiny_model
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator
from typer.testing import CliRunner, Result

import img2img
from img2img.cli.app import app
from img2img.errors import ModelError
from img2img.inference import run_model
from img2img.inference.run_model import settled_model
from img2img.model_file import read_card
from img2img.saved_states import best_file, state_file

Runs = Callable[..., Path]
RECIPE = {"colorize": "colorizer", "translate": "cyclegan", "generate": "dcgan"}


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were asked for, each then a tiny model for its run's task."""
    asked: list[Path] = []

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        *_, target, _, run = words
        asked.append(Path(target))
        recipe = (Path(run) / "config.json").read_text()
        if "colorizer" in recipe:
            write_tiny_model(Path(target), tiny_model(0.2, 0.4), name=Path(target).stem)
        elif "cyclegan" in recipe:
            matrix_translator(Path(target), NEGATIVE)
        else:
            linear_sampler(Path(target), flat(0.1))
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(run_model, "_img2img", command)
    return asked


@pytest.fixture
def make_run(tmp_path: Path) -> Runs:
    def make(task: str = "colorize", *, steps: int = 100) -> Path:
        run = tmp_path / "runs" / "mine"
        run.mkdir(parents=True)
        (run / "config.json").write_text(f'{{"recipe": "{RECIPE[task]}"}}')
        torch.save({"weights": torch.zeros(3)}, state_file(run, steps))
        return run

    return make


def called(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_names_and_files_are_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("colorizer").mkdir()
    Path("colorizer/config.json").write_text('{"recipe": "dcgan"}')
    assert [settled_model(name) for name in ("colorizer", "other.onnx")] == ["colorizer", "other.onnx"]


def test_model_of_a_run_is_exported_once_and_again_when_the_run_has_gone_on(
    make_run: Runs, exports: list[Path]
) -> None:
    run = make_run()
    file = run / "exported" / "mine.onnx"
    assert [settled_model(run), settled_model(str(run))] == [str(file)] * 2
    assert exports == [file]
    torch.save({"weights": torch.ones(3)}, state_file(run, 200))
    assert [settled_model(run) for _ in range(2)] == [str(file)] * 2
    assert exports == [file] * 2
    torch.save({"weights": torch.full((3,), 2.0)}, best_file(run))
    settled_model(run)
    torch.save({"weights": torch.full((3,), 3.0)}, best_file(run))
    settled_model(run)
    assert exports == [file] * 4


def test_copy_of_a_run_keeps_its_exported_model(make_run: Runs, exports: list[Path], tmp_path: Path) -> None:
    run = make_run()
    settled_model(run)
    shutil.copytree(run, tmp_path / "elsewhere" / "mine", copy_function=shutil.copyfile)
    settled_model(tmp_path / "elsewhere" / "mine")
    assert len(exports) == 1


def test_export_that_did_not_end_is_made_again(make_run: Runs, exports: list[Path]) -> None:
    run = make_run()
    settled_model(run)
    (run / "exported" / run_model.MADE_OF).unlink()
    settled_model(run)
    assert len(exports) == 2


def test_without_pytorch_an_exported_model_opens_and_others_say_what_to_do(
    make_run: Runs, exports: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    monkeypatch.setattr(run_model, "_has_torch", lambda: False)
    with pytest.raises(ModelError, match=r"pip install '\.\[train\]' in .*`img2img export .*mine -o NAME.onnx`"):
        settled_model(run)
    monkeypatch.undo()
    (run / "exported").mkdir()
    file = write_tiny_model(run / "exported" / "mine.onnx", tiny_model(0, 0))
    monkeypatch.setattr(run_model, "_has_torch", lambda: False)
    with pytest.warns(UserWarning, match=r"mine: has gone on \(step 100\).*the earlier export is used"):
        assert settled_model(run) == str(file)


def test_run_of_another_task_is_refused_before_it_is_exported(make_run: Runs, exports: list[Path]) -> None:
    run = make_run("generate")
    for task in ("colorize", "translate"):
        result = called(task, "photo.jpg", "--model", run)
        assert result.exit_code == 1
        assert "mine: a run of dcgan, whose model is for `img2img generate`" in result.stderr
    assert exports == []


def test_run_without_a_state_and_a_folder_without_a_run_say_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a folder without a training run"):
        img2img.load(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no saved state in it yet"):
        img2img.load(str(tmp_path))


def test_what_the_export_says_reaches_the_person(make_run: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    said = ["Warning: state-2: damaged and passed over", "Error: mine.onnx differs from PyTorch"]

    def command(code: int, *lines: str) -> None:
        done = subprocess.CompletedProcess([], code, "", "\n".join(lines))
        monkeypatch.setattr(run_model, "_img2img", lambda *words: done)

    command(1, *said)
    with pytest.raises(ModelError, match=r"mine: its model could not be exported: mine.onnx differs .*$"):
        settled_model(run)
    command(-9)
    with pytest.raises(ModelError, match="could not be exported: the process ended with -9"):
        settled_model(run)
    command(0, said[0])
    with pytest.warns(UserWarning, match="^state-2: damaged and passed over$"):
        settled_model(run)


def test_run_is_taken_wherever_a_model_is(
    make_run: Runs,
    exports: list[Path],
    draw_photo: DrawPhoto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMG2IMG_HOME", str(tmp_path / "home"))
    run, photo = make_run("translate"), draw_photo(tmp_path / "photo.png", mode="RGB")
    result = called("translate", photo, "--model", run)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "photo.mine.png").is_file()
    assert f"exporting {run} (step 100) to" in result.stderr
    assert called("models", "show", run).exit_code == 0
    assert called("models", "add", run).exit_code == 0
    outcomes = list(img2img.convert(photo, tmp_path / "out.png", model=run))
    assert [outcome.status for outcome in outcomes] == ["done"]
    assert isinstance(img2img.load(run), img2img.Translator)
    assert isinstance(img2img.Translator(run), img2img.Translator)
    needs = called("evaluate", run, "--data", "x")
    assert "is a translator: give --real as well" in needs.stderr
    assert len(exports) == 1


@pytest.mark.slow
def test_run_that_trains_both_ways_is_exported_both_ways(cyclegan_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "a2b"
    shutil.copytree(cyclegan_run, run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        translate = img2img.load(run)
    assert isinstance(translate, img2img.Translator)
    assert (read_card(run / "exported" / "a2b.onnx").reverse, translate.reverse().card.name) == ("b2a", "b2a")
    assert translate(Image.new("RGB", (40, 30))).size == (40, 30)


@pytest.mark.parametrize(
    ("task", "words", "said"),
    [
        ("translate", "translate missing.jpg", "missing.jpg: no such file"),
        ("translate", "translate missing.jpg --dry-run", "missing.jpg: no such file"),
        ("translate", "translate missing.jpg gone.jpg -o out", "gone.jpg: no such file"),
        ("translate", "translate missing.jpg gone.jpg", "needs -o FOLDER"),
        ("translate", "translate film.mp4 -o film.jpg", "-o film.jpg: a film becomes"),
        ("colorize", "colorize missing.jpg", "missing.jpg: no such file"),
        ("colorize", "colorize . -o .", "lies inside the input folder"),
        ("colorize", "colorize photo.png --reference missing.jpg", "missing.jpg: no such file"),
        ("colorize", "suggest missing.jpg 5%,5%", "missing.jpg: no such file"),
        ("generate", "generate --like missing.jpg", "missing.jpg: no such file"),
        ("generate", "generate -o photo.png", "photo.png: is there already"),
        ("generate", "directions fit --data missing", "missing: no such folder or tar file"),
    ],
)
def test_wrong_input_is_refused_before_a_run_is_exported(
    task: str,
    words: str,
    said: str,
    make_run: Runs,
    exports: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    draw_photo: DrawPhoto,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_photo(Path("photo.png"))
    result = called(*words.split(), "--model", make_run(task))
    assert (result.exit_code != 0, said in result.stderr, exports) == (True, True, []), result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate RUN --data missing --real .", "missing: no such folder or tar file"),
        ("evaluate RUN --data .", "give --real as well"),
        ("models add RUN --name colorizer", "give another --name"),
    ],
)
def test_run_is_not_exported_for_what_cannot_be_done_with_it(
    words: str, said: str, make_run: Runs, exports: list[Path]
) -> None:
    run = make_run("translate")
    result = called(*(run if word == "RUN" else word for word in words.split()))
    assert (result.exit_code != 0, said in result.stderr, exports) == (True, True, []), result.output


def test_missing_photos_beside_one_that_is_there_are_failures(
    make_run: Runs, exports: list[Path], tmp_path: Path, draw_photo: DrawPhoto
) -> None:
    draw_photo(tmp_path / "photo.png")
    result = called(
        "colorize", tmp_path / "photo.png", tmp_path / "gone.png", "-o", tmp_path / "out", "--model", make_run()
    )
    assert (result.exit_code, len(exports), (tmp_path / "out/photo.png").is_file()) == (1, 1, True)
    assert "gone.png: no such file" in result.stderr
