"""`img2img translate` within this process: what it does beyond what every converting command does."""

import json
import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto
from noise import noise
from PIL import Image
from shared_options import OPTIONS
from tiny_critic import scored_pair
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import IDENTITY, NEGATIVE, RED_TO_BLUE, matrix_translator
from typer.testing import CliRunner, Result

from img2img.batch.task import Translating
from img2img.cli.app import app
from img2img.inference import translator
from img2img.model_file import lookup, read_card
from img2img.photo import Photo

ORANGE, BLUISH = (200, 120, 40), (55, 135, 215)  # one is the other's negative


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the model negative.onnx, an orange photo, and no models that ship."""
    monkeypatch.chdir(tmp_path)
    matrix_translator(Path("negative.onnx"), NEGATIVE, reverse="swap")
    matrix_translator(Path("swap.onnx"), RED_TO_BLUE, reverse="negative")
    Image.new("RGB", (60, 40), ORANGE).save("photo.png")
    Path("shelf").mkdir()
    monkeypatch.setattr(lookup, "checkpoints", lambda: Path("shelf"))


def translate(*words: str, stdin: bytes | None = None, model: str | None = "negative.onnx") -> Result:
    return CliRunner().invoke(app, ["translate", *words, *(["--model", model] if model else [])], stdin)


def colour(photo: str | Path | BytesIO, x: float = 0.5) -> tuple[int, ...]:
    """Half way down, at the share `x` of the width."""
    with Image.open(photo) as image:
        pixel = image.convert("RGB").getpixel((int(x * image.width), image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


def test_photo_is_translated_beside_itself_under_the_models_name() -> None:
    result = translate("photo.png")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("photo.png -> photo.negative.png (")
    assert colour("photo.negative.png") == BLUISH


@pytest.mark.parametrize("size", ["card", "native", "96"])
def test_size_reaches_the_translator(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    asked: list[object] = []
    convert = translator.Translator.convert

    def noted(self: translator.Translator, photo: Photo, size: translator.Size) -> Photo:
        asked.append(size)
        return convert(self, photo, size=size)

    monkeypatch.setattr(translator.Translator, "convert", noted)
    assert translate("photo.png", "--size", size).exit_code == 0
    assert asked == [int(size) if size.isdecimal() else size]
    assert colour("photo.negative.png") == BLUISH


@pytest.mark.parametrize(
    ("words", "at_a_time"),
    [
        ([], 3),
        (["--size", "512"], 3),
        (["--size", "513"], 1),
        (["--size", "native"], 1),
        (["--size", "native", "--jobs", "2"], 2),
    ],
)
def test_photos_that_take_much_memory_are_done_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, words: list[str], at_a_time: int
) -> None:
    asked: list[int] = []
    threads: list[int] = []
    init = translator.Translator.__init__

    def noted(self: translator.Translator, model: str, **options: Any) -> None:
        threads.append(options["threads"])
        init(self, model, **options)

    monkeypatch.setattr(translator.Translator, "__init__", noted)
    monkeypatch.setattr("img2img.batch.engines.engine.usable_cores", lambda: 6)

    def none_run(*_: object, workers: int, **__: object) -> list[object]:
        asked.append(workers)
        return []

    monkeypatch.setattr("img2img.batch.engines.engine.run_jobs", none_run)
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (20, 20)).save(name)
    assert translate("a.png", "b.png", "c.png", "-o", "out", *words).exit_code == 0
    assert asked == [at_a_time]
    assert threads == [2 if "--jobs" not in words and at_a_time == 3 else 6 if at_a_time == 1 else 1]


def test_cycle_goes_back_with_the_reverse_model() -> None:
    assert translate("photo.png", "--cycle").exit_code == 0
    with Image.open("photo.negative.cycle.png") as image:
        assert image.size == (180, 40)
    assert [colour("photo.negative.cycle.png", x) for x in (0.1, 0.5, 0.9)] == [ORANGE, BLUISH, BLUISH[::-1]]


def test_folder_is_made_anew_when_the_same_weights_are_to_draw_the_picture() -> None:
    Path("in").mkdir()
    Image.fromarray(noise(90, 120, 3)).save("in/grain.png")
    results = []
    for result in ("change", "picture"):
        matrix_translator(Path("negative.onnx"), NEGATIVE, result=result)
        done = translate("in", "-o", "out")
        assert done.exit_code == 0, done.stderr
        results.append(np.asarray(Image.open("out/grain.png")).std())
    assert results[1] < results[0] / 1.2  # enlarged from 48 x 64, it has lost its grain


def test_journal_from_before_there_were_results_still_holds() -> None:
    sha = read_card(Path("negative.onnx")).sha256
    assert Translating("negative.onnx").settings() == {"model": sha, "size": "card", "back": None}


def test_cycle_needs_the_reverse_model() -> None:
    Path("swap.onnx").unlink()
    result = translate("photo.png", "--cycle")
    assert result.exit_code == 1
    assert "swap.onnx: not there, and negative.onnx needs it to go back" in result.stderr
    matrix_translator(Path("oneway.onnx"), IDENTITY)
    assert "its card names no model that goes back" in translate("photo.png", "--cycle", model="oneway.onnx").stderr


def test_only_translator_that_ships_needs_no_name() -> None:
    write_tiny_model(Path("shelf/colorizer.onnx"), tiny_model(0, 0))
    matrix_translator(Path("shelf/a2b.onnx"), NEGATIVE)
    assert translate("photo.png", model=None).exit_code == 0
    assert colour("photo.a2b.png") == BLUISH


def test_choice_of_translators_is_left_to_the_user() -> None:
    for name in ("horse2zebra", "zebra2horse"):
        matrix_translator(Path(f"shelf/{name}.onnx"), NEGATIVE)
    result = translate("photo.png", model=None)
    assert result.exit_code == 2
    assert "which model? Give --model horse2zebra or --model zebra2horse" in result.stderr
    assert translate("photo.png", model="zebra2horse").exit_code == 0
    assert colour("photo.zebra2horse.png") == BLUISH


def test_without_any_translator_the_training_is_named() -> None:
    result = translate("photo.png", model=None)
    assert result.exit_code == 2
    assert "img2img train cyclegan" in result.stderr


def test_model_for_another_task_comes_once_before_any_photo() -> None:
    write_tiny_model(Path("colours.onnx"), tiny_model(0, 0))
    result = translate("photo.png", model="colours.onnx")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: colours.onnx: is a model for 'colorize', and translating needs one for 'translate'")


def test_folder_keeps_its_tree_with_failures_skips_and_a_report(draw_photo: DrawPhoto) -> None:
    for name in ("a.jpg", "b/c.png", "b/d/e.webp"):
        draw_photo(Path("in", name), mode="RGB")
    Path("in/broken.png").write_text("a letter")
    result = translate("in", "-o", "out", "--report", "report.json", "--jobs", "2")
    assert (result.exit_code, result.stdout) == (1, "3 translated into out, 1 failed, 0 skipped\n")
    assert result.stderr.startswith("in/broken.png: ")
    assert {path.as_posix() for path in Path("out").rglob("[!.]*.*")} == {"out/a.jpg", "out/b/c.png", "out/b/d/e.webp"}
    report = json.loads(Path("report.json").read_text())
    assert report["summary"] == {"done": 3, "failed": 1, "skipped": 0}
    Path("in/broken.png").unlink()
    assert translate("in", "-o", "out").stdout == "0 translated, 0 failed, 3 skipped (3 up to date)\n"


def test_dash_reads_and_writes_streams() -> None:
    result = translate("-", "--format", "jpg", stdin=Path("photo.png").read_bytes())
    assert result.exit_code == 0
    assert result.stderr.startswith("standard input -> standard output (")
    with Image.open(BytesIO(result.stdout_bytes)) as image:
        assert image.format == "JPEG"
    assert np.abs(np.subtract(colour(BytesIO(result.stdout_bytes)), BLUISH)).max() <= 3


def test_metadata_and_alpha_are_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a horse"
    Image.new("RGBA", (60, 40), (*ORANGE, 90)).save("seen.png", exif=exif, dpi=(300, 300))
    assert translate("seen.png").exit_code == 0
    with Image.open("seen.negative.png") as image:
        assert image.getpixel((30, 20)) == (*BLUISH, 90)
        assert image.getexif()[0x010E] == "a horse"
        assert round(image.info["dpi"][0]) == 300


@pytest.fixture
def dark_and_light() -> None:
    """A translator a2b.onnx with scores, of 0.3, 0.5 and 0.7, for a folder `in` of three photos."""
    scored_pair(Path())
    Path("in").mkdir()
    for name, value in (("dark", 102), ("grey", 128), ("light", 153)):
        Image.new("RGB", (64, 64), (value,) * 3).save(f"in/{name}.png")


@pytest.mark.usefixtures("dark_and_light")
def test_scores_are_printed_the_strangest_first() -> None:
    result = translate("in", "-o", "out", "--score", "--jobs", "1", model="a2b.onnx")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in lines[:3]] == ["in/dark.png", "in/grey.png", "in/light.png"]
    values = [float(line.split()[0]) for line in lines[:3]]
    assert np.diff(values) == pytest.approx([0.2, 0.2], abs=0.02)  # mean values are 0.2 apart
    assert lines[3:] == ["3 translated into out, 0 failed, 0 skipped"]
    assert translate("in", "-o", "quiet", "--score", "--quiet", model="a2b.onnx").output == ""


@pytest.mark.usefixtures("dark_and_light")
def test_scores_go_into_the_report_in_the_place_of_the_terminal() -> None:
    for name in ("report.json", "report.csv"):
        words = ["in", "-o", "out", "--score", "--report", name, "--overwrite"]
        assert translate(*words, model="a2b.onnx").stdout == "3 translated into out, 0 failed, 0 skipped\n"
    photos = json.loads(Path("report.json").read_text())["photos"]
    scores = {Path(photo["source"]).stem: photo["score"] for photo in photos}
    assert 0 < scores["dark"] < scores["grey"] < scores["light"] < 1
    assert Path("report.csv").read_text().splitlines()[0].startswith("source,target,status,seconds,flags,error,score,")
    assert translate("in", "-o", "other", "--report", "report.json", model="a2b.onnx").exit_code == 0
    again = json.loads(Path("report.json").read_text())["photos"]  # the critic is there, asked for or not
    assert {Path(photo["source"]).stem: photo["score"] for photo in again} == scores


@pytest.mark.usefixtures("dark_and_light")
def test_photos_below_the_least_score_are_skipped() -> None:
    words = ["in", "-o", "out", "--min-score", "0.4", "--report", "report.json"]
    result = translate(*words, model="a2b.onnx")
    assert (result.exit_code, result.stdout) == (0, "2 translated into out, 0 failed, 1 skipped (1 low score)\n")
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["grey.png", "light.png"]
    (low,) = (photo for photo in json.loads(Path("report.json").read_text())["photos"] if photo["status"] == "skipped")
    assert (low["source"], low["flags"]) == ("in/dark.png", ["low score"])
    assert 0 < low["score"] < 0.4


@pytest.mark.usefixtures("dark_and_light")
def test_photos_that_the_model_was_not_made_for_are_flagged_and_not_skipped() -> None:
    for name in ("night", "cellar"):
        Image.new("RGB", (64, 64), (20,) * 3).save(f"in/{name}.png")
    one = translate("in/night.png", "-o", "night.png", model="a2b.onnx")
    assert one.stderr == "in/night.png: unlike the training pictures, so the result may be poor\n"
    assert one.stdout.startswith("in/night.png -> night.png (")
    all_of_them = translate("in", "-o", "out", "--report", "report.json", model="a2b.onnx")
    assert all_of_them.stdout == "5 translated into out, 0 failed, 0 skipped\n"
    assert all_of_them.stderr == "unlike the training pictures: 2 photos\n"
    flagged = {
        Path(photo["source"]).stem: photo["flags"] for photo in json.loads(Path("report.json").read_text())["photos"]
    }
    unlike = {name for name, flags in flagged.items() if "unlike the training pictures" in flags}
    assert unlike == {"night", "cellar"}
    assert translate("in/night.png", "-o", "again.png", "--quiet", model="a2b.onnx").stderr == ""


@pytest.mark.usefixtures("dark_and_light")
def test_critic_that_is_missing_flags_nothing() -> None:
    Path("critic.onnx").unlink()
    Image.new("RGB", (64, 64), (20,) * 3).save("night.png")
    result = translate("night.png", model="a2b.onnx")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(("auc", "warned"), [(0.85, True), (0.95, False)])
def test_least_score_of_a_score_that_tells_little_comes_with_a_warning(auc: float, warned: bool) -> None:
    Image.new("RGB", (64, 64), "grey").save("grey.png")
    scored_pair(Path(), metrics={"score": {"auc": auc}})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        translate("grey.png", "--min-score", "0.1", model="a2b.onnx")
        translate("grey.png", "--score", "--overwrite", model="a2b.onnx")
    assert [str(one.message) for one in caught if "AUC" in str(one.message)] == warned * [
        "a2b: of a photo that it was made for and another one, the score prefers the other in 15% of cases (its card: "
        "AUC 0.850), so --min-score 0.1 skips some of the right ones"
    ]


@pytest.mark.usefixtures("dark_and_light")
def test_score_of_a_photo_in_a_pipe_stays_out_of_the_photo() -> None:
    photo = Path("in/light.png").read_bytes()
    result = translate("-", "--score", stdin=photo, model="a2b.onnx")
    assert result.stderr.splitlines()[0].startswith("0.7")
    assert colour(BytesIO(result.stdout_bytes)) == (179, 179, 179)
    result = translate("-", "--min-score", "0.9", stdin=photo, model="a2b.onnx")
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert re.fullmatch(r"standard input: skipped, its score 0\.\d\d is below --min-score\n", result.stderr)


@pytest.mark.parametrize("words", [["--score"], ["--min-score", "0.1"]])
def test_score_without_a_critic_is_refused_before_any_photo(words: list[str]) -> None:
    result = translate("photo.png", *words)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: negative.onnx: its card names no critic")
    assert "`img2img export --critic`" in line
    assert not Path("photo.negative.png").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["photo.png", "--size", "0"], "give card, native, or a number"),
        (["photo.png", "--size", "large"], "give card, native, or a number"),
        (["photo.png", "--size", "4000"], "up to 2048"),
        (["photo.png", "--min-score", "2"], "--min-score"),
        (["photo.png", "--min-score", "nan"], "--min-score"),
        (["photo.png", "-o", "photo.png"], "overwrite the input"),
        (["photo.png", "--strength", "2"], "--strength"),
        ([], "INPUT"),
    ],
)
def test_usage_errors_exit_2_before_any_work(words: list[str], says: str) -> None:
    before = sorted(Path().iterdir())
    result = translate(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert sorted(Path().iterdir()) == before


def test_help_explains_every_option_with_examples() -> None:
    text = CliRunner().invoke(app, ["translate", "--help"]).stdout
    for option in [*OPTIONS, "--size", "--cycle", "--score", "--min-score"]:
        assert re.search(rf"^  .*{option}\b.*\S", text, re.MULTILINE), option
    assert text.count("img2img translate ") >= 5
    assert "Exit codes" in text
