"""Colours that are asked for: what contradicts itself, what a batch's record holds of it, what comes out."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto
from film_clips import greys, lumas, read_film, write_film
from PIL import Image
from typer.testing import CliRunner

import img2img
from img2img import ColorizeOptions, Colorizer, convert
from img2img.batch.task import Colorizing
from img2img.cli.app import app
from img2img.model_file import read_card
from img2img.photo import read_xmp
from img2img.photo.metadata.marked_xmp import provenance_in
from img2img.photo.metadata.provenance import COMPOSITE, Provenance
from img2img.steering.hints import parse_hint
from img2img.steering.hints_file import json_of_hints

BLUE, GREEN = (40, 60, 160), (40, 120, 40)
HINT = "50%,50%=#2040c0"


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steered_model: Path, tiny_model: Path) -> str:
    """The name of a file in the current folder; plain.onnx beside it cannot be steered."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(steered_model, "steered.onnx")
    shutil.copy(tiny_model, "plain.onnx")
    return "steered.onnx"


@pytest.fixture
def photo(draw_photo: DrawPhoto) -> Path:
    return draw_photo(Path("photo.png"), size=(64, 64))


def flat(path: str, color: tuple[int, int, int]) -> Path:
    Image.new("RGB", (48, 32), color).save(path)
    return Path(path)


def task(**options: Any) -> Colorizing:
    return ColorizeOptions(model="steered.onnx", **options).task()


def mean_color(path: str | Path) -> tuple[float, float, float]:
    with Image.open(path) as image:
        red, green, blue = np.asarray(image.convert("RGB")).reshape(-1, 3).mean(0)
    return float(red), float(green), float(blue)


# What is refused


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"influence": 0.5}, "--influence works only with a --reference or --palette"),
        ({"influence": 1.5}, "--influence 1.5: give a number from 0 to 1"),
        ({"warmth": -2}, "--warmth -2: give a number from -1 to 1"),
        ({"palette": ""}, "--palette: '' is not a colour"),
        ({"palette": ["#fff", "red"]}, "--palette: 'red' is not a colour"),
        ({"palette": 5}, "--palette"),
        ({"hint": "50%"}, "--hint: "),
        ({"hint": "50%,50%=green"}, "--hint: "),
        ({"hint": ["50%,50%=#fff", None]}, "--hint None: give a text"),
    ],
)
def test_wrong_options_are_told(photo: Path, model: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(img2img.UsageError) as raised:
        list(convert(photo, model=model, **options))
    assert says in str(raised.value)


@pytest.mark.parametrize("inputs", [["album"], ["photo.png", "album/a.png"], ["album/*.png"]])
def test_hints_for_one_photo_are_refused_for_many(
    photo: Path, model: str, draw_photo: DrawPhoto, inputs: list[str]
) -> None:
    draw_photo(Path("album/a.png"))
    asked: list[tuple[str, Any, str]] = [("hint", HINT, "--hint"), ("hints", "photo.hints.json", "--hints FILE")]
    for option, value, name in asked:
        with pytest.raises(img2img.UsageError, match=f"{name} is for one photo.*--hints auto"):
            list(convert(inputs, "out", model=model, **{option: value}))
    assert not Path("out").exists()


@pytest.mark.parametrize("option", ["hint", "hints"])
def test_hints_are_refused_for_films(model: str, option: str) -> None:
    write_film(Path("film.mp4"), greys(2))
    for value in (HINT,) if option == "hint" else ("auto", "film.hints.json"):
        with pytest.raises(img2img.UsageError, match=f"--{option} is for photos"):
            next(convert("film.mp4", model=model, **{option: value}))


@pytest.mark.parametrize("inputs", ["photo.png", "album", "film.mp4"])
def test_a_reference_that_cannot_be_read_is_told_by_name_before_anything_is_made(
    photo: Path, model: str, draw_photo: DrawPhoto, inputs: str
) -> None:
    draw_photo(Path("album/a.png"))
    write_film(Path("film.mp4"), greys(2))
    Path("letter.jpg").write_text("a letter")
    before = sorted(Path().iterdir())
    for name in ("gone.jpg", "letter.jpg"):
        with pytest.raises(img2img.UnreadablePhoto, match=f"^{name}: "):
            list(convert(inputs, "out" if inputs == "album" else None, model=model, reference=name))
    assert sorted(Path().iterdir()) == before


def test_a_model_that_cannot_be_steered_says_so(photo: Path) -> None:
    flat("blue.png", BLUE)
    Path("photo.hints.json").write_text("{}")
    asked: dict[str, Any] = {"warmth": 0.3, "palette": "#fff", "reference": "blue.png", "hint": HINT, "hints": "auto"}
    for name, value in asked.items():
        with pytest.raises(img2img.ModelError, match=r"plain\.onnx: this model cannot be steered"):
            list(convert(photo, model="plain.onnx", **{name: value}))
    assert [each.status for each in convert(photo, model="plain.onnx", warmth=0.0, palette=[])] == ["done"]


# What a batch's record holds


def test_nothing_asked_for_leaves_the_record_as_it_was_before_one_could_ask(model: str) -> None:
    before = {"model": read_card(Path(model)).sha256, "strength": 1.0}
    assert task().settings() == before
    assert task(warmth=0.0, palette=[], hint=[], hints="auto").settings() == before
    flat("blue.png", BLUE)
    assert task(reference="blue.png", influence=0).settings() == before


def test_all_that_is_asked_for_is_in_the_record_by_its_content(photo: Path) -> None:
    flat("blue.png", BLUE)
    shutil.copy("blue.png", "same.png")
    flat("green.png", GREEN)
    asked: list[dict[str, Any]] = [
        {},
        {"reference": "blue.png"},
        {"reference": "green.png"},
        {"reference": "blue.png", "influence": 0.5},
        {"palette": "#fff"},
        {"palette": "#fff,#000"},
        {"warmth": 0.1},
        {"hint": HINT},
        {"hint": "50%,50%=#2040c1"},
    ]
    records = [json.dumps(task(**options).settings(), sort_keys=True) for options in asked]
    assert len(set(records)) == len(asked)
    assert "blue.png" not in "".join(records)
    assert task(reference="same.png").settings() == task(reference="blue.png").settings()
    assert task(palette=["#FFFFFF"]).settings() == task(palette="#fff").settings()


def test_what_is_asked_for_travels_to_other_machines_small() -> None:
    Image.effect_noise((3000, 2000), 90).convert("RGB").save("large.jpg")
    options: dict[str, Any] = {
        "reference": "large.jpg",
        "influence": 0.5,
        "palette": "#fff",
        "warmth": 0.1,
        "hint": HINT,
    }
    made = task(**options)
    sent = pickle.dumps(made)
    Path("large.jpg").unlink()
    arrived = pickle.loads(sent)
    assert len(sent) < 2**20
    assert arrived == made
    assert hash(arrived) == hash(made)  # a worker keeps its model open from batch to batch
    assert arrived.settings() == made.settings()
    assert made.steering.reference
    assert np.array_equal(arrived.steering.reference.photo.pixels, made.steering.reference.photo.pixels)


def statuses(**options: Any) -> dict[str, str]:
    outcomes = convert("album", "out", model="steered.onnx", **options)
    return {each.source.name: each.flags[0] if each.status == "skipped" else each.status for each in outcomes}


def test_an_album_is_done_again_for_another_reference_and_not_for_the_same_one(draw_photo: DrawPhoto) -> None:
    draw_photo(Path("album/a.png"))
    flat("reference.png", BLUE)
    assert statuses() == {"a.png": "done"}
    assert statuses(warmth=0, hints="auto") == {"a.png": "up to date"}
    assert statuses(reference="reference.png") == {"a.png": "done"}
    shutil.copy("reference.png", "moved.png")
    assert statuses(reference="moved.png", influence=1) == {"a.png": "up to date"}
    flat("reference.png", GREEN)
    assert statuses(reference="reference.png") == {"a.png": "done"}


# What comes out


def test_colours_lean_to_what_is_asked_for(photo: Path, model: str) -> None:
    flat("blue.png", BLUE)
    made: dict[str, tuple[float, float, float]] = {}
    asked: dict[str, dict[str, Any]] = {
        "plain": {},
        "cool": {"warmth": -1},
        "palette": {"palette": "#283ca0"},
        "reference": {"reference": "blue.png"},
        "hint": {"hint": HINT},
    }
    for name, options in asked.items():
        (outcome,) = convert(photo, f"{name}.png", model=model, **options)
        assert outcome.status == "done", outcome.error
        made[name] = mean_color(f"{name}.png")
    red, _, blue = made.pop("plain")
    assert red > blue
    for name, (less_red, _, more_blue) in made.items():
        assert less_red < red, name
        assert more_blue > blue, name


def test_python_and_the_command_line_make_the_same_bytes(photo: Path, model: str) -> None:
    flat("blue.png", BLUE)
    words = "--reference blue.png --influence 0.5 --palette #283ca0,#fff --warmth -0.3 --hint 10%,20%=#3a6b35 --hint"
    words = f"colorize {photo} --model {model} -o cli.png {words} 30,40=#fff"
    result = CliRunner().invoke(app, words.split())
    assert (result.exit_code, result.stderr) == (0, "")
    hints = ["10%,20%=#3a6b35", "30,40=#fff"]
    chosen: dict[str, Any] = {"influence": 0.5, "palette": ["#283ca0", "#fff"], "warmth": -0.3}
    (outcome,) = convert(photo, "python.png", model=model, hint=hints, reference=Path("blue.png"), **chosen)
    assert outcome.status == "done", outcome.error
    assert Path("cli.png").read_bytes() == Path("python.png").read_bytes()
    with Image.open("blue.png") as blue, Image.open(photo) as image:
        coloured = Colorizer(model)(image, reference=blue, hints=hints, **chosen)
    with Image.open("cli.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(coloured))


def test_a_hint_outside_of_the_photo_is_that_photos_failure(photo: Path, model: str) -> None:
    (outcome,) = convert(photo, model=model, hint="64,3=#fff")
    assert outcome.status == "failed"
    assert str(outcome.error).startswith("photo.png: hint 64,3=#ffffff: outside of the photo, which is 64 x 64")
    (outcome,) = convert(photo, model=model, hint="63,3=#fff")
    assert outcome.status == "done"


def test_hints_in_a_file_and_single_ones_add_up(photo: Path, model: str) -> None:
    first, second = "10%,20%=#3a6b35", "70%,80%=#8a2b2b"
    Path("first.json").write_text(json_of_hints([parse_hint(first)]))
    assert task(hints="first.json", hint=second).settings() == task(hint=[first, second]).settings()


def test_results_say_what_was_asked_for_by_its_content(photo: Path, model: str) -> None:
    flat("secret.png", BLUE)
    Path("photo.hints.json").write_text(json_of_hints([parse_hint(HINT)]))
    chosen: dict[str, Any] = {"reference": "secret.png", "palette": ["#FFF"], "warmth": 0.3, "hint": "1%,2%=#000"}
    (outcome,) = convert(photo, "made.png", model=model, hints="auto", **chosen)
    assert outcome.status == "done", outcome.error
    options = {
        "strength": 1.0,
        "reference": hashlib.sha256(Path("secret.png").read_bytes()).hexdigest(),
        "influence": 1.0,
        "palette": "#ffffff",
        "warmth": 0.3,
        "hints": f"{HINT} 1%,2%=#000000",
    }
    made = Provenance.of_ours(COMPOSITE, read_card(Path(model)).name, read_card(Path(model)).sha256, options)
    assert provenance_in(read_xmp(Path("made.png"))) == made


def film_colors(path: str) -> np.ndarray:
    return np.stack([frame.to_ndarray(format="rgb24") for frame in read_film(Path(path))])


def test_a_film_leans_to_what_is_asked_for_and_keeps_its_luma(model: str) -> None:
    write_film(Path("film.mp4"), greys(3))
    for warmth in (-1.0, 0.0):
        (outcome,) = convert("film.mp4", f"{warmth}.mkv", model=model, warmth=warmth)
        assert outcome.status == "done", outcome.error
    cool, plain = map(film_colors, ("-1.0.mkv", "0.0.mkv"))
    assert cool[..., 2].mean() > plain[..., 2].mean() + 10
    assert np.abs(lumas(Path("-1.0.mkv")).astype(int) - lumas(Path("0.0.mkv"))).mean() < 2  # it was compressed


def test_hints_reach_no_film(model: str) -> None:
    for made in (task(hint=HINT), task(hints="auto")):
        with pytest.raises(img2img.UsageError, match="hints are for photos"):
            made.open_for_films(1)
