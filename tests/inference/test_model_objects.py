"""What load() gives, as Python objects: batches, what they print as, and how they travel."""

import io
import multiprocessing
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_model import tiny_model, write_tiny_model
from tiny_sampler import SIZE, flat, linear_sampler
from tiny_translator import NEGATIVE, matrix_translator

import img2img
from img2img.errors import ModelError, UnreadablePhoto, UsageError
from img2img.inference.grid import GAP
from img2img.inference.in_order import in_order
from img2img.inference.runtimes.onnx_runtime import OnnxRuntime

RAMP = np.linspace(0, 255, 32 * 48).reshape(32, 48).astype(np.uint8)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_tiny_model(tmp_path / "orange.onnx", tiny_model(0.2, 0.4), name="orange", parameters=1_240_000)
    matrix_translator(tmp_path / "negative.onnx", NEGATIVE)
    linear_sampler(tmp_path / "plain.onnx", flat(0.2))
    linear_sampler(tmp_path / "shades.onnx", flat(0.01), labels=flat(-0.8, 0, 0.8), classes=("dark", "mid", "light"))
    linear_sampler(tmp_path / "like.onnx", flat(0.1, channels=3), condition=True)
    video = np.zeros((1, 1, 4, SIZE, SIZE), np.float32)
    video[0, 0] = np.arange(4)[:, None, None] / 10
    linear_sampler(tmp_path / "video.onnx", video)
    return tmp_path


def same(one: Image.Image, other: Image.Image) -> bool:
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


# Pictures in, pictures out


@pytest.mark.parametrize("name", ["orange", "negative"])
def test_models_take_pictures_of_any_kind(models: Path, name: str) -> None:
    convert: Any = img2img.load(models / f"{name}.onnx", threads=1)
    expected = convert(Image.fromarray(RAMP))
    file = io.BytesIO()
    Image.fromarray(RAMP).save(file, "PNG")
    for given in (RAMP, file.getvalue(), io.BytesIO(file.getvalue())):
        assert same(convert(given), expected)
    assert same(convert.convert(io.BytesIO(file.getvalue())).to_image(), expected)


def test_sixteen_bits_stay_in_what_convert_gives(models: Path) -> None:
    colorize = img2img.Colorizer(models / "orange.onnx", threads=1)
    assert colorize.convert(RAMP.astype(np.uint16) * 257).pixels.dtype == np.uint16


def test_reference_is_a_picture_of_any_kind(steered_model: Path) -> None:
    colorize = img2img.Colorizer(steered_model, threads=1)
    blue = np.full((16, 16, 3), (30, 60, 200), np.uint8)
    expected = colorize(RAMP, reference=Image.fromarray(blue))
    assert same(colorize(RAMP, reference=blue), expected)
    assert not same(colorize(RAMP), expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_many_are_as_one_by_one_and_in_order(models: Path, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("colorizer", "translator"):
        monkeypatch.setattr(f"img2img.inference.{module}.usable_cores", lambda: 2)
    pictures = [np.full((32, 32 + 16 * index), 40 * index, np.uint8) for index in range(6)]
    colorize = img2img.Colorizer(models / "orange.onnx", threads=threads)
    each = [colorize(picture, strength=0.5) for picture in pictures]
    assert all(map(same, colorize.many(pictures, strength=0.5), each))
    translate = img2img.Translator(models / "negative.onnx", threads=threads)
    assert all(map(same, translate.many(iter(pictures), size=64), [translate(each, size=64) for each in pictures]))


def test_many_steer_each_as_one_call_does(steered_model: Path) -> None:
    colorize = img2img.Colorizer(steered_model, threads=1)
    blue = np.full((16, 16, 3), (30, 60, 200), np.uint8)
    (many,) = colorize.many([RAMP], reference=blue, influence=0.5, palette=["#8a2b2b"], warmth=0.3)
    assert same(many, colorize(RAMP, reference=blue, influence=0.5, palette=["#8a2b2b"], warmth=0.3))


def test_what_is_no_picture_among_many_raises_at_its_turn(models: Path) -> None:
    done = img2img.Colorizer(models / "orange.onnx", threads=1).many([RAMP, b"no photo", RAMP])
    assert next(done).size == (48, 32)
    with pytest.raises(UnreadablePhoto, match="not a photo"):
        next(done)
    assert list(done) == []


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_are_taken_ahead_than_are_worked_on(at_once: int) -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    made = in_order(lambda number: number**2, numbers(), at_once=at_once)
    assert [next(made) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(taken) <= 5 + at_once
    made.close()  # type: ignore[attr-defined]


def test_several_are_worked_on_at_once() -> None:
    together = threading.Barrier(3, timeout=120)
    assert sorted(in_order(lambda _: together.wait(), range(3), at_once=3)) == [0, 1, 2]


# Samplers


def test_sampler_draws_as_many_as_are_asked_for(models: Path) -> None:
    draw = img2img.Sampler(models / "plain.onnx")
    drawn = draw(8, seed=3)
    assert (len(drawn), drawn[0].mode, drawn[0].size) == (8, "L", (SIZE, SIZE))
    np.testing.assert_array_equal(drawn.pixels, draw.sample(draw.latents(8, 3)))
    np.testing.assert_array_equal(draw(3, seed=3).pixels, drawn.pixels[:3])
    assert same(drawn[-1], list(drawn)[7])
    assert len(drawn[2:5]) == 3


@pytest.mark.parametrize(
    ("label", "greys"),
    [(None, [26, 128, 230, 26]), ("light", [230] * 4), (0, [26] * 4), (["mid", 0, 0, "light"], [128, 26, 26, 230])],
)
def test_classes_come_in_turn_or_as_asked_for(models: Path, label: Any, greys: list[int]) -> None:
    drawn = img2img.Sampler(models / "shades.onnx")(4, label=label, truncation=0.01)
    assert np.abs(drawn.pixels[:, 0, 0, 0].astype(int) - greys).max() <= 1


def test_sampler_draws_after_a_picture(models: Path) -> None:
    white = img2img.Sampler(models / "like.onnx")(1, like=np.full((20, 30, 3), 255, np.uint8), truncation=0.01)
    assert white.pixels.min() >= 254


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("plain", {"count": 0}, "0 pictures: ask for one or more"),
        ("plain", {"label": 1}, "was trained without classes"),
        ("shades", {"label": "blue"}, "draws no 'blue'; choose 0 to 2, or one of dark, mid, light"),
        ("shades", {"count": 2, "label": [1]}, "2 latents and 1 labels"),
        ("like", {}, "needs a picture as its condition"),
        ("plain", {"like": RAMP}, "takes no picture as a condition"),
    ],
)
def test_what_a_sampler_cannot_draw_is_refused(models: Path, name: str, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        img2img.Sampler(models / f"{name}.onnx")(**asked)


def test_notebook_shows_drawings_as_a_grid_and_videos_as_strips(models: Path) -> None:
    drawn = img2img.Sampler(models / "plain.onnx")(4)
    assert drawn.grid().size == (2 * SIZE + GAP, 2 * SIZE + GAP)
    assert drawn.grid(4).size == (4 * SIZE + 3 * GAP, SIZE)
    with Image.open(io.BytesIO(drawn._repr_png_())) as shown:
        assert same(shown, drawn.grid())
    assert repr(drawn) == f"<Drawn: 4 of {SIZE} x {SIZE} px>"
    videos = img2img.Sampler(models / "video.onnx")(2)
    assert [video.size for video in videos] == [(4 * SIZE, SIZE)] * 2
    of_classes = img2img.Sampler(models / "shades.onnx")(6)
    assert of_classes.grid().size == (3 * SIZE + 2 * GAP, 2 * SIZE + GAP)


# What they print as, and how they travel


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orange", "<Colorizer orange: colorize, about 256 x 256 px, 1.2 M parameters>"),
        ("negative", "<Translator negative: translate, about 64 x 64 px, 0.0 M parameters>"),
        ("plain", "<Sampler plain: generate, 8 x 8 px, 0.0 M parameters>"),
        ("shades", "<Sampler shades: generate, 8 x 8 px, 3 classes, 0.0 M parameters>"),
        ("video", "<Sampler video: generate, 8 x 8 px, 4 frames, 0.0 M parameters>"),
    ],
)
def test_model_says_what_it_is(models: Path, name: str, text: str) -> None:
    assert repr(img2img.load(models / f"{name}.onnx")) == text


@pytest.mark.parametrize("name", ["orange", "negative", "plain"])
def test_pickled_model_opens_again_in_another_folder(
    models: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(models)
    model = img2img.load(f"{name}.onnx", device="cpu", threads=1)
    stored = pickle.dumps(model)
    assert len(stored) < 1000  # no weights
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = pickle.loads(stored)
    assert (type(again), again.card, again._execution) == (type(model), model.card, model._execution)


def test_model_with_a_name_travels_by_its_name() -> None:
    stored = pickle.dumps(img2img.load("digits", threads=1))
    assert b"checkpoints" not in stored
    assert pickle.loads(stored).card.name == "digits"


def test_pickled_model_whose_file_changed_is_refused(models: Path) -> None:
    stored = pickle.dumps(img2img.load(models / "orange.onnx"))
    write_tiny_model(models / "orange.onnx", tiny_model(0.4, 0.2))
    with pytest.raises(ModelError, match="is another model than the one that was pickled"):
        pickle.loads(stored)


def test_model_on_a_runtime_of_the_callers_cannot_be_pickled(models: Path) -> None:
    runtime = OnnxRuntime((models / "orange.onnx").read_bytes(), threads=1)
    with pytest.raises(TypeError, match=r"<Colorizer orange: .*>: cannot be pickled"):
        pickle.dumps(img2img.Colorizer(models / "orange.onnx", runtime=runtime))


@pytest.mark.slow
def test_model_goes_to_processes_that_are_spawned(models: Path) -> None:
    colorize = img2img.Colorizer(models / "orange.onnx", threads=1)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert same(pool.submit(colorize, RAMP).result(), colorize(RAMP))


def test_available_models_are_cards_by_name() -> None:
    models = img2img.models()
    assert {"colorizer", "horse2zebra", "digits"} <= models.keys()
    assert isinstance(models["colorizer"], img2img.ModelCard)
    assert models["colorizer"].task == "colorize"


@pytest.mark.parametrize("given", [Image.new("L", (4, 4)), b"photo", RAMP, [RAMP], io.BytesIO()])
def test_convert_takes_names_and_says_what_takes_pictures(given: Any) -> None:
    with pytest.raises(TypeError, match=r"names of files and folders, not a value of type \w+: load\(model\)"):
        img2img.convert(given)
