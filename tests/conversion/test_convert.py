"""`img2img.convert`: what it yields, what it refuses and when, what is left when it is closed early."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import DrawPhoto
from film_clips import greys, write_film
from PIL import Image
from tiny_sampler import flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator

import img2img
from img2img import ColorizeOptions, TranslateOptions, convert
from img2img.batch.task import Colorizing
from img2img.conversion.option import option_fields


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_model_may_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a model was opened")

    monkeypatch.setattr(Colorizing, "open", refuse)
    monkeypatch.setattr(Colorizing, "open_for_films", refuse)


def test_a_folder_becomes_a_folder_and_the_second_time_all_is_up_to_date(
    draw_photo: DrawPhoto, tiny_model: Path
) -> None:
    for name in ("a.png", "b/c.png"):
        draw_photo(Path("album", name))
    Path("album/d.png").write_text("a letter")
    outcomes = {str(each.source): each for each in convert(["album"], "out", model=tiny_model, strength=0.5)}
    assert {name: each.status for name, each in outcomes.items()} == {
        "album/a.png": "done",
        "album/b/c.png": "done",
        "album/d.png": "failed",
    }
    assert outcomes["album/b/c.png"].target == Path("out/b/c.png")
    assert "damaged" in str(outcomes["album/d.png"].error) or "photo" in str(outcomes["album/d.png"].error)
    again = list(convert(Path("album"), Path("out"), model=tiny_model, strength=0.5))
    assert [(each.status, each.flags) for each in again[:2]] == [("skipped", ("up to date",))] * 2
    assert [each.status for each in again[2:]] == ["failed"]


def test_the_model_says_whether_it_is_colouring_or_translating(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    matrix_translator(Path("negative.onnx"), NEGATIVE)
    draw_photo(Path("photo.png"), mode="RGB")
    (coloured,) = convert("photo.png", model=tiny_model)
    (translated,) = convert("photo.png", model="negative.onnx", size=64)
    assert [coloured.target, translated.target] == [Path("photo.colorized.png"), Path("photo.negative.png")]


def test_a_film_is_converted(tiny_model: Path) -> None:
    write_film(Path("film.mp4"), greys(3))
    (outcome,) = convert(["film.mp4"], model=tiny_model)
    assert (outcome.status, outcome.target) == ("done", Path("film.colorized.mp4"))


@pytest.mark.usefixtures("no_model_may_be_opened")
def test_what_is_left_alone_costs_no_model(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    photo = draw_photo(Path("photo.png"))
    Path("out").mkdir()
    write_film(Path("film.mp4"), greys(2))
    for name in ("photo.colorized.png", "film.colorized.mp4", "out/photo.png"):
        Path(name).write_bytes(photo.read_bytes())
    for inputs, output in (("photo.png", None), ("film.mp4", None), ("photo.png", "out/"), (["photo.png"] * 2, "out")):
        (outcome,) = convert(inputs, output, model=tiny_model)
        assert (outcome.status, outcome.flags) == ("skipped", ("already there",))


def test_nothing_begins_before_the_first_outcome_is_asked_for(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("album/a.png"))
    unused = convert(["album"], "out", model=tiny_model)
    assert not Path("out").exists()
    assert [each.status for each in convert(["album"], "out", model=tiny_model)] == ["done"]
    assert [each.status for each in unused] == ["skipped"]


def test_closed_early_it_goes_on_from_there(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    for n in range(12):
        draw_photo(Path(f"album/{n:02}.png"))
    with closing(convert(["album"], "out", model=tiny_model, jobs=1, report="report.csv")) as outcomes:
        first = [next(outcomes), next(outcomes)]
    assert [each.status for each in first] == ["done", "done"]
    assert len(Path("report.csv").read_text().splitlines()) == 3
    begun = len(list(Path("out").glob("*.png")))
    assert begun < 12
    assert not list(Path("out").glob("*.part"))
    rest = list(convert(["album"], "out", model=tiny_model, jobs=1))
    assert [each.source for each in rest if each.status == "skipped"] == [each.source for each in first]
    assert sum(each.status == "done" for each in rest) == 10
    for n in range(12):
        with Image.open(f"out/{n:02}.png") as image:
            image.load()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"strenght": 1.2}, "no option 'strenght'; did you mean strength?"),
        ({"size": "native"}, "no option 'size'"),
        ({"strength": -1.0}, "--strength: -1.0 is not a number"),
        ({"strength": "much"}, "--strength 'much': give a number"),
        ({"quality": 101}, "--quality 101: give a whole number from 1 to 100"),
        ({"quality": True}, "--quality True: give a whole number"),
        ({"format": "bmp"}, "--format 'bmp': give one of same, jpg, png, webp, tiff, avif"),
        ({"overwrite": "yes"}, "--overwrite 'yes': give True or False"),
    ],
)
def test_options_are_refused_at_the_call(tiny_model: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(img2img.UsageError) as caught:
        convert("photo.png", model=tiny_model, **options)
    assert says in str(caught.value)


def test_what_contradicts_itself_is_refused_before_anything_is_written(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("album/a.png"))
    for inputs, output, says in (
        (["album"], None, "-o FOLDER"),
        ([], "out", "INPUT"),
    ):
        with pytest.raises(img2img.UsageError, match=says):
            next(convert(inputs, output, model=tiny_model))
    assert not Path("out").exists()


def test_a_model_that_is_not_there_or_makes_pictures_from_noise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(img2img.ModelError, match=r"gone\.onnx"):
        convert("photo.png", model="gone.onnx")
    with pytest.raises(img2img.ModelError, match="converts no photos"):
        convert("photo.png", model=linear_sampler(tmp_path / "sampler.onnx", flat(0.1)))


def test_what_only_photos_can_have_is_refused_for_films() -> None:
    write_film(Path("film.mp4"), greys(2))
    matrix_translator(Path("negative.onnx"), NEGATIVE)
    for option in ({"cycle": True}, {"score": True}, {"min_score": 0.0}, {"quality": 90}, {"engine": "ray"}):
        with pytest.raises(img2img.UsageError, match=f"--{next(iter(option)).replace('_', '-')}.* is for photos"):
            next(convert("film.mp4", model="negative.onnx", **option))


def test_whole_number_for_a_float_is_the_same_setting(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("album/a.png"))
    for given, status in ((1.0, "done"), (1, "skipped"), (1.5, "done"), (1, "done")):
        assert [each.status for each in convert("album", "out", model=tiny_model, strength=given)] == [status]


@pytest.mark.parametrize("name", ["100%done", "%d", "f_%03d.png"])
def test_folder_whose_name_is_like_a_pattern_is_a_folder(draw_photo: DrawPhoto, tiny_model: Path, name: str) -> None:
    draw_photo(Path(name, "a.png"))
    draw_photo(Path("other/b.png"))
    done = {str(each.target) for each in convert([name, "other"], "out", model=tiny_model)}
    assert done == {str(Path("out/a.png")), str(Path("out/b.png"))}


def test_models_with_a_dot_in_their_names_have_results_of_their_own(
    draw_photo: DrawPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMG2IMG_HOME", "home")
    for name in ("snow.v1", "snow.v2"):
        Path("home/models", name).mkdir(parents=True)
        matrix_translator(Path("home/models", name, f"{name}.onnx"), NEGATIVE)
    draw_photo(Path("photo.png"), mode="RGB")
    for model in ("snow.v1", "snow.v2", "home/models/snow.v1/snow.v1.onnx"):
        (done,) = convert("photo.png", model=model, size=64)
        assert done.target == Path(f"photo.{Path(model).name.removesuffix('.onnx')}.png")


def test_journal_is_for_a_folder_of_results(draw_photo: DrawPhoto, tiny_model: Path) -> None:
    draw_photo(Path("photo.png"))
    for output in (None, "new.png"):
        with pytest.raises(img2img.UsageError, match="--journal is for a folder of results"):
            next(convert("photo.png", output, model=tiny_model, journal="journal"))
    for status in ("done", "skipped"):
        (outcome,) = convert("photo.png", "new/", model=tiny_model, journal="journal")
        assert outcome.status == status
    assert "up to date" in outcome.flags
    assert Path("journal").is_file()


def test_options_hold_what_an_option_can_have_and_read_paths() -> None:
    options = ColorizeOptions(report="r.csv", model=Path("mine.onnx"))  # type: ignore[arg-type]
    assert (options.report, options.model) == (Path("r.csv"), "mine.onnx")
    with pytest.raises(img2img.UsageError, match="--jobs 0: give a whole number from 1"):
        replace(options, jobs=0)
    with pytest.raises(img2img.UsageError, match="--min-score nan"):
        TranslateOptions(min_score=float("nan"))


@pytest.mark.parametrize("options", [ColorizeOptions, TranslateOptions])
def test_http_may_set_what_touches_no_file_and_no_machine(options: type[ColorizeOptions]) -> None:
    allowed = {each.field for each in option_fields(options) if each.option.over_http}
    assert {"format", "quality", "model"} <= allowed
    assert not allowed & {"overwrite", "from_file", "report", "journal", "watch", "engine", "address", "device", "jobs"}
