"""The command line within this process: what each option does, and how a command ends."""

import json
import re
import sys
import tarfile
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model as tiny
from conftest import DrawPhoto
from PIL import Image
from png_bytes import png_bytes
from shared_options import COLOUR_OPTIONS, OPTIONS
from typer.testing import CliRunner, Result

from img2img.cli.app import app, main
from img2img.model_file import attach_card
from img2img.photo import DEFAULT_MAX_PIXELS

pytestmark = pytest.mark.usefixtures("in_folder")

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.onnx").write_bytes(tiny_model.read_bytes())


def colorize(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["colorize", "--model", "tiny.onnx", *words], stdin)


def chroma(photo: str | Path | BytesIO) -> float:
    with Image.open(photo) as image:
        cb_cr = np.asarray(image.convert("YCbCr"))[..., 1:].astype(float) - 128
    return float(np.hypot(cb_cr[..., 0], cb_cr[..., 1]).mean())


def test_one_photo_is_coloured_beside_itself(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("photo.jpg"))
    result = colorize("photo.jpg")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"photo\.jpg -> photo\.colorized\.jpg \(\d\.\d s\)\n", result.stdout)
    assert chroma("photo.colorized.jpg") > 5


def test_folder_keeps_its_tree_and_counts(draw_photo: DrawPhoto) -> None:
    for name in ("a.jpg", "b/c.png", "b/d/e.webp"):
        draw_photo(Path("in", name), mode="RGB")
    result = colorize("in", "-o", "out")
    assert result.stdout == "3 coloured into out, 0 failed, 0 skipped\n"
    assert sorted(path.as_posix() for path in Path("out").rglob("[!.]*.*")) == [
        "out/a.jpg",
        "out/b/c.png",
        "out/b/d/e.webp",
    ]


def test_no_recursive_leaves_sub_folders_out(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("in/a.png"))
    draw_photo(Path("in/b/c.png"))
    assert colorize("in", "-o", "out", "--no-recursive").stdout == "1 coloured into out, 0 failed, 0 skipped\n"


def test_same_command_again_skips_and_overwrite_does_not(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("in/a.png"))
    colorize("in", "-o", "out")
    Path("out/a.png").write_bytes(b"mine")
    again = colorize("in", "-o", "out")
    assert (again.exit_code, again.stdout) == (0, "0 coloured, 0 failed, 1 skipped (1 up to date)\n")
    assert Path("out/a.png").read_bytes() == b"mine"
    assert colorize("in", "-o", "out", "--overwrite").stdout == "1 coloured into out, 0 failed, 0 skipped\n"
    assert chroma("out/a.png") > 5


def test_bad_photos_are_one_line_each_and_the_others_are_done(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("in/good.jpg"), size=(300, 200))
    Path("in/text.jpg").write_text("a letter")
    Path("in/empty.png").touch()
    Path("in/cut.jpg").write_bytes(Path("in/good.jpg").read_bytes()[:700])
    result = colorize("in", "gone.jpg", "-o", "out")
    assert result.exit_code == 1
    assert result.stdout == "1 coloured into out, 4 failed, 0 skipped\n"
    lines = result.stderr.splitlines()
    assert len(lines) == 4
    for name in ("in/text.jpg", "in/empty.png", "in/cut.jpg", "gone.jpg"):
        assert any(line.startswith(f"{name}: ") for line in lines), name
    assert [path.name for path in Path("out").glob("[!.]*")] == ["good.jpg"]


def test_name_with_a_line_break_is_still_one_line() -> None:
    Path("in").mkdir()
    Path("in/two\nlines\x1b[2J.jpg").write_text("a letter")
    lines = colorize("in", "-o", "out").stderr.splitlines()
    assert len(lines) == 1
    assert "two\\nlines\\x1b[2J.jpg" in lines[0]


def test_strength_scales_the_colour(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("grey.png"), size=(64, 64))
    for strength in ("0", "0.5", "1"):
        assert colorize("grey.png", "-o", f"s{strength}.png", "--strength", strength).exit_code == 0
    assert chroma("s0.png") == 0
    assert 1 < chroma("s0.5.png") < chroma("s1.png")


@pytest.mark.parametrize(
    ("choice", "suffix", "written"),
    [
        ("same", ".png", "PNG"),
        ("jpg", ".jpg", "JPEG"),
        ("webp", ".webp", "WEBP"),
        ("tiff", ".tiff", "TIFF"),
        ("avif", ".avif", "AVIF"),
    ],
)
def test_format_chooses_the_file_format(draw_photo: DrawPhoto, choice: str, suffix: str, written: str) -> None:
    draw_photo(Path("a.png"))
    assert colorize("a.png", "--format", choice).exit_code == 0
    with Image.open(f"a.colorized{suffix}") as image:
        assert image.format == written


def test_gif_becomes_png(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("a.gif"))
    assert colorize("a.gif", "-o", "out/").exit_code == 0
    with Image.open("out/a.png") as image:
        assert image.format == "PNG"


def test_quality_sets_the_size_of_a_jpeg(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("a.jpg"), size=(200, 200))
    colorize("a.jpg", "-o", "low.jpg", "--quality", "5")
    colorize("a.jpg", "-o", "high.jpg", "--quality", "98")
    assert Path("low.jpg").stat().st_size < Path("high.jpg").stat().st_size


def test_max_pixels_refuses_larger_photos(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("a.png"), size=(48, 32))
    refused = colorize("a.png", "--max-pixels", "1535")
    assert refused.exit_code == 1
    assert "--max-pixels" in refused.stderr
    assert colorize("a.png", "--max-pixels", "1536").exit_code == 0


def test_animation_stays_one_and_in_a_folder_needs_first_frame() -> None:
    frames = [Image.new("L", (40, 40), grey) for grey in (60, 200)]
    Path("in").mkdir()
    frames[0].save("in/moving.gif", save_all=True, append_images=frames[1:])
    assert colorize("in/moving.gif", "-o", "moving.gif").exit_code == 0
    with Image.open("moving.gif") as image:
        assert getattr(image, "n_frames", 1) == 2
    refused = colorize("in", "-o", "out")
    assert refused.exit_code == 1
    assert "--first-frame" in refused.stderr
    assert colorize("in", "-o", "out", "--first-frame").exit_code == 0


def test_report_is_written_also_when_photos_failed(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("in/a.png"))
    Path("in/b.png").touch()
    assert colorize("in", "-o", "out", "--report", "report.json").exit_code == 1
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["summary"] == {"done": 1, "failed": 1, "skipped": 0}
    assert {photo["source"] for photo in report["photos"]} == {"in/a.png", "in/b.png"}
    assert colorize("in", "-o", "out", "--report", "report.csv").exit_code == 1
    assert len(Path("report.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_quiet_prints_errors_only(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("in/a.png"))
    Path("in/b.png").touch()
    result = colorize("in", "-o", "out", "--quiet")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_what_results_lack_is_a_line_for_one_and_counted_for_many() -> None:
    for number in range(3):
        Path("in").mkdir(exist_ok=True)
        texts = [(b"tEXt", b"Title\0Harbour")] if number else []
        Path("in", f"{number}.png").write_bytes(png_bytes(np.full((20, 30), 90), before=texts))
    one = colorize("in/1.png", "-o", "one.jpg")
    assert (one.exit_code, one.stderr) == (0, "one.jpg: without text (tEXt)\n")
    many = colorize("in", "-o", "out", "--format", "jpg", "--report", "out.csv")
    assert (many.exit_code, many.stderr) == (0, "without text (tEXt): 2 photos\n")
    assert Path("out.csv").read_text().count("without text (tEXt)") == 2
    zipped = colorize("in", "-o", "out.zip", "--format", "jpg")
    assert (zipped.exit_code, zipped.stderr) == (0, "without text (tEXt): 2 photos\n")
    assert colorize("in", "-o", "again", "--format", "jpg", "--quiet").stderr == ""
    assert colorize("in", "-o", "kept").stderr == ""


@pytest.mark.parametrize("jobs", ["1", "2", "7"])
def test_jobs_do_not_change_the_results(draw_photo: DrawPhoto, jobs: str) -> None:
    for n in range(5):
        draw_photo(Path(f"in/{n}.png"), size=(40 + n, 40))
    assert colorize("in", "-o", "one", "--jobs", "1").exit_code == 0
    assert colorize("in", "-o", "many", "--jobs", jobs).exit_code == 0
    for n in range(5):
        assert Path(f"one/{n}.png").read_bytes() == Path(f"many/{n}.png").read_bytes()


def test_cpu_can_be_asked_for(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("a.png"))
    assert colorize("a.png", "--device", "cpu").exit_code == 0


def test_dash_reads_and_writes_streams_with_nothing_else_on_stdout(draw_photo: DrawPhoto) -> None:
    grey = draw_photo(Path("a.jpg")).read_bytes()
    pipe, file = "standard input", "a.jpg"
    for words, stdin, source in (
        (["-"], grey, pipe),
        (["a.jpg", "-o", "-"], None, file),
        (["-", "-o", "-"], grey, pipe),
    ):
        result = colorize(*words, stdin=stdin)
        assert result.exit_code == 0
        assert re.fullmatch(source + r" -> standard output \(\d\.\d s\)\n", result.stderr)
        assert chroma(BytesIO(result.stdout_bytes)) > 5
    assert colorize("-", "-o", "named.png", stdin=grey).stdout.startswith("standard input -> named.png (")
    assert chroma("named.png") > 5


@pytest.mark.parametrize(("source", "choice", "written"), [("GIF", "same", "PNG"), ("PNG", "jpg", "JPEG")])
def test_stdout_gets_the_format_asked_for(source: str, choice: str, written: str) -> None:
    grey = BytesIO()
    Image.linear_gradient("L").save(grey, source)
    result = colorize("-", "--format", choice, stdin=grey.getvalue())
    with Image.open(BytesIO(result.stdout_bytes)) as image:
        assert image.format == written


@pytest.mark.parametrize(("folder", "says"), [("file", "no folder"), ("loop", "no folder"), ("loop/deep", "circle")])
@needs_links
def test_output_below_what_is_no_folder_is_one_true_line(draw_photo: DrawPhoto, folder: str, says: str) -> None:
    draw_photo(Path("a.png"))
    Path("file").touch()
    Path("loop").symlink_to("loop")
    result = colorize("a.png", "-o", f"{folder}/b.png")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert says in line
    assert "--format" not in line


@needs_links
def test_input_that_links_to_itself_is_not_called_damaged() -> None:
    Path("loop.png").symlink_to("loop.png")
    result = colorize("loop.png")
    assert result.exit_code == 1
    assert "its links lead in a circle" in result.stderr


@pytest.mark.parametrize("length", [245, 300])
def test_name_that_is_too_long_is_one_line(length: int) -> None:
    """245 letters are a name, but with .colorized no more."""
    name = f"{'a' * length}.jpg"
    with suppress(OSError):
        Image.new("L", (32, 32)).save(name)
    result = colorize(name)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "the name is too long" in line


def test_bad_stdin_is_a_line_and_no_output() -> None:
    result = colorize("-", stdin=b"a letter")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert result.stderr.startswith("standard input: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a.png", "--strength", "-1"], "strength"),
        (["a.png", "--strength", "nan"], "strength"),
        (["a.png", "--strength", "inf"], "strength"),
        (["a.png", "--strength", "much"], "strength"),
        (["a.png", "--quality", "0"], "quality"),
        (["a.png", "--quality", "101"], "quality"),
        (["a.png", "--jobs", "0"], "jobs"),
        (["a.png", "--max-pixels", "0"], "max-pixels"),
        (["a.png", "--format", "bmp"], "format"),
        (["a.png", "--device", "tpu"], "device"),
        (["a.png", "--report", "report.txt"], "report.txt"),
        (["a.png", "--unknown"], "--unknown"),
        ([], "INPUT"),
        (["."], "-o FOLDER"),
        (["a.png", "-o", "a.png"], "overwrite the input a.png"),
        (["a.png", "-o", ""], "-o is empty"),
        (["", "-o", "out"], "an INPUT is empty"),
    ],
)
def test_usage_errors_exit_2_before_any_work(draw_photo: DrawPhoto, words: list[str], says: str) -> None:
    draw_photo(Path("a.png"))
    before = sorted(Path().iterdir())
    result = colorize(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert sorted(Path().iterdir()) == before


def test_colliding_names_cost_those_two_and_exit_1(draw_photo: DrawPhoto) -> None:
    for name in ("a.gif", "a.png", "b.png"):
        draw_photo(Path("in", name))
    result = colorize("in", "-o", "out")
    assert result.exit_code == 1
    assert result.stderr.count("in/a.gif and in/a.png would both become out/a.png") == 2
    assert result.stdout == "1 coloured into out, 2 failed, 0 skipped\n"


def broken_models() -> dict[str, bytes]:
    graph = tiny.tiny_model(0.2, 0.4)
    good = attach_card(graph, tiny.CARD)
    return {
        "text.onnx": b"not a model",
        "empty.onnx": b"",
        "bare.onnx": graph,
        "flipped.onnx": bytes([*good[:40], good[40] ^ 1, *good[41:]]),
        "cut.onnx": good[: len(good) // 2],
        "monet.onnx": attach_card(graph, replace(tiny.CARD, task="translate")),
    }


@pytest.mark.parametrize("name", ["gone.onnx", *broken_models()])
def test_model_problem_comes_once_before_any_photo(draw_photo: DrawPhoto, name: str) -> None:
    draw_photo(Path("in/a.png"))
    draw_photo(Path("in/b.png"))
    for each, content in broken_models().items():
        Path(each).write_bytes(content)
    result = colorize("in", "-o", "out", "--model", name)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert name in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_before_the_command_begins_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("img2img.cli.app.app", interrupted)
    monkeypatch.setattr("warnings.showwarning", warnings.showwarning)  # put back what main() changes
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130


def test_ctrl_c_while_the_zip_is_packed_says_how_to_go_on(
    draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object, names: Iterable[object]) -> None:
        assert len(list(names)) == 1
        raise KeyboardInterrupt

    draw_photo(Path("in/a.png"))
    with monkeypatch.context() as patch:
        patch.setattr("img2img.batch.zip_output.ZipOutput.pack", interrupted)
        result = colorize("in", "-o", "out.zip")
    assert result.exit_code == 130
    assert "1 coloured into out.zip, 0 failed, 0 skipped; stopped, the same command" in result.stdout
    assert not Path("out.zip").exists()
    again = colorize("in", "-o", "out.zip")
    assert (again.stderr, again.stdout) == ("", "0 coloured, 0 failed, 1 skipped (1 up to date)\n")
    assert Path("out.zip").exists()


def test_version_is_one_line() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"img2img \d+\.\d+\.\d+\S*\n", result.stdout)


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("colorize", "translate", "models", "train", "export", "evaluate"):
        assert re.search(rf"^  {command} +\w", result.stdout, re.MULTILINE)


def test_help_explains_every_option_with_examples() -> None:
    text = CliRunner().invoke(app, ["colorize", "--help"]).stdout
    for option in OPTIONS + COLOUR_OPTIONS:
        assert re.search(rf"^  .*{option}\b.*\S", text, re.MULTILINE), option
    assert text.count("img2img colorize ") >= 5
    assert "Exit codes" in text


def test_help_tells_the_true_limit() -> None:
    assert f"{DEFAULT_MAX_PIXELS:,}" in CliRunner().invoke(app, ["colorize", "--help"]).stdout


def test_unknown_recipe_is_answered_with_the_recipes() -> None:
    result = CliRunner().invoke(app, ["train", "foo"])
    assert result.exit_code == 2
    assert "no recipe is called 'foo'; there are: colorizer, colorizer-gan, cyclegan, pix2pix, gan" in result.stderr


def test_usage_error_names_the_whole_command() -> None:
    result = CliRunner().invoke(app, ["data", "download", "a/b"])
    assert result.exit_code == 2
    assert result.stderr.endswith("Try 'img2img data download --help'.\n")
    assert "Try 'img2img colorize --help'." in colorize("").stderr


def test_examples_of_the_program_begin_with_commands_that_exist() -> None:
    examples = re.findall(r"^    img2img (\w+) (?:(\w+) )?", CliRunner().invoke(app, ["--help"]).stdout, re.MULTILINE)
    assert {"colorize", "translate", "train", "generate"} <= {command for command, _ in examples}
    for command, word in examples:
        words = [command, word, "--help"] if command == "train" else [command, "--help"]
        assert CliRunner().invoke(app, words).exit_code == 0


@pytest.mark.parametrize("name", ["filters", "filters.txt", "nowhere/filters.png", "folder.png"])
def test_picture_of_filters_that_cannot_be_written_is_refused_at_once(name: str) -> None:
    Path("folder.png").mkdir()
    result = CliRunner().invoke(app, ["features", "no-run", "-o", name])
    assert result.exit_code == 2
    assert "give a .png, .jpg or .webp file in a folder that exists" in result.stderr
    assert "--format" not in result.stderr


def test_examples_in_the_help_parse(draw_photo: DrawPhoto, steered_model: Path) -> None:
    for name in ("photo.jpg", "other.jpg", "a.jpg", "b.tif", "album/c/d.jpg"):
        draw_photo(Path(name))
    with tarfile.open("scans.tar", "w") as archive:
        archive.add("photo.jpg")
    text = CliRunner().invoke(app, ["colorize", "--help"]).stdout
    examples = re.findall(r"^ +img2img colorize (.+?)(?:  .*)?$", text, re.MULTILINE)
    for example in examples:
        if "<" not in example and "film.mp4" not in example:
            assert colorize(*example.split(), "--model", str(steered_model)).exit_code == 0, example


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["photo.jpg"], "'photo.jpg': say what to do with it, such as: img2img colorize photo.jpg"),
        (["a.tif", "b.tif"], "img2img colorize a.tif b.tif"),
        (["colorise", "photo.jpg"], "no command is called 'colorise'; did you mean colorize?"),
        (["train", "cyclgan"], "no recipe is called 'cyclgan'; did you mean cyclegan?"),
        (["models", "shwo"], "no command is called 'shwo'; did you mean show?"),
        (["xyz"], "no command is called 'xyz'; there are: colorize, translate, "),
        (["my", "old", "album", "-o", "out"], "img2img colorize 'my old album' -o out"),
        (["my old album"], "'my old album': say what to do with it, such as: img2img colorize 'my old album'"),
        (["colorize", "my", "old", "album", "-o", "out"], "'my old album' has spaces in it: put it in quotes"),
        (["colorize", "photo.jpg", "my", "film.mp4"], "'my film.mp4' has spaces in it: put it in quotes"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_what_was_meant(words: list[str], says: str) -> None:
    Path("my old album").mkdir()
    Path("my film.mp4").touch()
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["-h"], ["--help"]),
        (["help"], ["--help"]),
        (["help", "colorize"], ["colorize", "--help"]),
        (["colorize", "-h"], ["colorize", "--help"]),
        (["help", "train", "dcgan"], ["train", "dcgan", "--help"]),
        (["models", "list"], ["models"]),
    ],
)
def test_usual_ways_to_ask_are_understood(words: list[str], same: list[str]) -> None:
    asked, meant = (CliRunner().invoke(app, each) for each in (words, same))
    assert (asked.exit_code, asked.stdout) == (0, meant.stdout)


def test_model_of_nearly_that_name_is_offered(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("photo.jpg"))
    result = CliRunner().invoke(app, ["colorize", "photo.jpg", "--model", "colorizr"])
    assert "nor a model's name; did you mean colorizer? Available models: " in result.stderr


@pytest.mark.parametrize(("alias", "suffix"), [("jpeg", ".jpg"), ("tif", ".tiff")])
def test_formats_have_their_usual_other_names(draw_photo: DrawPhoto, alias: str, suffix: str) -> None:
    draw_photo(Path("photo.png"))
    assert colorize("photo.png", "--format", alias).exit_code == 0
    assert Path(f"photo.colorized{suffix}").is_file()


def test_format_that_is_none_is_answered_with_the_formats(draw_photo: DrawPhoto) -> None:
    result = colorize(str(draw_photo(Path("photo.png"))), "--format", "gif")
    assert result.exit_code == 2
    assert "--format 'gif': give one of same, jpg, png, webp, tiff, avif" in result.stderr


@pytest.mark.parametrize(
    ("option", "word", "meant"),
    [
        ("--format", "jepg", "jpg"),
        ("--device", "cda", "cuda"),
        ("--on-error", "stpo", "stop"),
        ("--if-color", "SKIP", "skip"),
    ],
)
def test_nearest_choice_of_an_option_is_offered(option: str, word: str, meant: str) -> None:
    result = CliRunner().invoke(app, ["colorize", "photo.png", option, word])
    assert result.exit_code == 2
    assert f"{option} '{word}': give one of " in result.stderr
    assert f"; did you mean {meant}?" in result.stderr
