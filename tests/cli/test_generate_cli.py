"""`img2img generate` and `img2img directions`: what each option draws, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands_in_turn import run_in_turn
from PIL import Image, ImageSequence
from tiny_model import tiny_model, write_tiny_model
from tiny_run import GAN
from tiny_sampler import SIZE, flat, linear_sampler
from typer.testing import CliRunner, Result

from img2img.cli.app import app
from img2img.inference import run_model
from img2img.inference.grid import GAP
from img2img.inference.sampler import Sampler
from img2img.model_file import read_card
from img2img.recipes import recipe_class
from img2img.recipes.settings import make_config
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_info import RunInfo
from img2img.runs.state import TrainState

CHECKOUT = Path(__file__).resolve().parents[2]
CELL = SIZE + GAP
TILT = np.tile(np.linspace(-0.2, 0.2, SIZE), (1, 1, SIZE, 1))


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    linear_sampler(folder / "grey.onnx", np.concatenate([flat(0.2), TILT]))
    linear_sampler(folder / "shades.onnx", flat(0.01), labels=flat(-0.8, 0, 0.8), classes=("dark", "middle", "light"))
    linear_sampler(folder / "like.onnx", flat(0.1, channels=3), condition=True)
    video = np.zeros((1, 1, 4, SIZE, SIZE), np.float32)
    video[0, 0] = np.arange(4)[:, None, None] / 10
    linear_sampler(folder / "video.onnx", video)
    write_tiny_model(folder / "colorizer.onnx", tiny_model(0, 0))
    return folder


def img2img(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def drawn(*words: str | Path) -> str:
    result = img2img("generate", "--model", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refusal(code: int, *words: str | Path) -> str:
    result = img2img("generate", "--model", *words)
    assert result.exit_code == code, result.output
    assert not any(path.suffix in (".png", ".gif", ".webp") for path in Path().rglob("*"))
    return " ".join(result.stderr.split())


def pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image.convert("L")).astype(int)


def cells(name: str) -> np.ndarray:
    """(rows, columns): the grey of each picture's middle."""
    return pixels(name)[SIZE // 2 :: CELL, SIZE // 2 :: CELL]


# Grids


def test_grid_of_64_by_default(models: Path) -> None:
    assert drawn(models / "grey.onnx") == "samples.png: 64 pictures, 8 x 8 px\n"
    assert pixels("samples.png").shape == (8 * CELL - GAP, 8 * CELL - GAP)


def test_grid_shows_the_samplers_pictures_in_order(models: Path) -> None:
    drawn(models / "grey.onnx", "-n", "6", "--columns", "3", "--seed", "5", "-o", "new/grid.png")
    sampler = Sampler(models / "grey.onnx")
    pictures = sampler.sample(sampler.latents(6, 5))[:, SIZE // 2, SIZE // 2, 0]
    np.testing.assert_array_equal(cells("new/grid.png"), pictures.reshape(2, 3))


def test_more_pictures_begin_with_the_fewer(models: Path) -> None:
    drawn(models / "grey.onnx", "-n", "16", "--columns", "8", "-o", "many.png")
    drawn(models / "grey.onnx", "-n", "8", "--columns", "8", "-o", "few.png")
    np.testing.assert_array_equal(pixels("many.png")[:SIZE], pixels("few.png"))


def test_scale_enlarges_the_pictures_and_not_the_gaps(models: Path) -> None:
    drawn(models / "grey.onnx", "-n", "4", "--scale", "3")
    assert pixels("samples.png").shape == (2 * 3 * SIZE + GAP, 2 * 3 * SIZE + GAP)


def test_truncation_keeps_latents_near_the_middle(models: Path) -> None:
    drawn(models / "grey.onnx", "--truncation", "0.1", "-o", "near.png")
    drawn(models / "grey.onnx", "-o", "far.png")
    assert cells("near.png").std() < cells("far.png").std() / 5


def test_classes_are_columns_and_a_label_is_all(models: Path) -> None:
    assert "66 pictures" in drawn(models / "shades.onnx")  # whole rows
    grid = cells("samples.png")
    assert grid.shape == (22, 3)
    np.testing.assert_allclose(grid, np.tile([26, 128, 230], (22, 1)), atol=6)
    for label in ("light", "2"):
        drawn(models / "shades.onnx", "--label", label, "-n", "4", "-o", f"{label}.png")
        np.testing.assert_allclose(cells(f"{label}.png"), np.full((2, 2), 230), atol=6)


def test_picture_is_drawn_after_the_photo(models: Path) -> None:
    Image.new("RGB", (30, 20), (200, 100, 50)).save("photo.jpg")
    drawn(models / "like.onnx", "--like", "photo.jpg", "-n", "1")
    with Image.open("samples.png") as image:
        red, green, blue = np.asarray(image.convert("RGB")).astype(int)[3, 3]
    assert red - green == pytest.approx(100, abs=3)
    assert green - blue == pytest.approx(50, abs=3)


# Walks and videos


def test_walk_is_a_loop_there_and_back(models: Path) -> None:
    out = drawn(models / "grey.onnx", "--interpolate", "3,9", "--frames", "5", "-o", "walk.gif")
    assert out == "walk.gif: 1 walk of 5 steps, 8 x 8 px\n"
    with Image.open("walk.gif") as image:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(image)]
    assert len(frames) == 8
    for frame, partner in ((1, 7), (2, 6), (3, 5)):
        np.testing.assert_array_equal(frames[frame], frames[partner])
    sampler = Sampler(models / "grey.onnx")
    for frame, seed in ((0, 3), (4, 9)):
        np.testing.assert_array_equal(frames[frame], sampler.sample(sampler.latents(1, seed))[0, ..., 0])


def test_strip_has_a_row_a_walk_and_a_column_a_step(models: Path) -> None:
    drawn(models / "grey.onnx", "--interpolate", "3,9", "--frames", "5", "-n", "2", "-o", "walk.png")
    strip = cells("walk.png")
    assert strip.shape == (2, 5)
    sampler = Sampler(models / "grey.onnx")
    middle = SIZE // 2
    for column, seed in ((0, 3), (4, 9)):
        ends = sampler.sample(sampler.latents(2, seed))[:, middle, middle, 0]
        np.testing.assert_array_equal(strip[:, column], ends)


def test_videos_are_an_animation_or_rows_of_frames(models: Path) -> None:
    assert drawn(models / "video.onnx", "-n", "4") == "samples.gif: 4 videos of 4 frames, 8 x 8 px\n"
    with Image.open("samples.gif") as image:
        frames = list(ImageSequence.Iterator(image))
        assert (len(frames), image.size, image.info["loop"]) == (4, (2 * CELL - GAP, 2 * CELL - GAP), 0)
    drawn(models / "video.onnx", "-n", "3", "-o", "strip.png")
    strip = cells("strip.png")
    assert strip.shape == (3, 4)
    steps = np.diff(strip, axis=1)
    assert (np.ptp(steps, axis=1) <= 2).all()  # each row's frames go on evenly
    assert np.abs(steps).max() > 3


def test_walk_of_a_video_model_has_a_column_a_step(models: Path) -> None:
    drawn(models / "video.onnx", "--interpolate", "1,2", "--frames", "3", "-n", "2", "-o", "walk.gif")
    with Image.open("walk.gif") as image:
        assert (len(list(ImageSequence.Iterator(image))), image.size) == (4, (3 * CELL - GAP, 2 * CELL - GAP))


# Folders of classes


def test_per_class_writes_an_image_folder_and_goes_on_where_it_was_stopped(models: Path) -> None:
    assert drawn(models / "shades.onnx", "--per-class", "3", "-o", "more") == "more: 9 pictures written\n"
    names = sorted(path.relative_to("more").as_posix() for path in Path("more").rglob("*.png"))
    assert names == [f"{name}/{index:05d}.png" for name in ("dark", "light", "middle") for index in range(3)]
    for name, shade in (("dark", 26), ("middle", 128), ("light", 230)):
        assert abs(int(pixels(f"more/{name}/00002.png")[4, 4]) - shade) < 6
    whole = Path("more/light/00001.png").read_bytes()
    Path("more/light/00001.png").unlink()
    Path("more/dark/00000.png").write_bytes(b"mine")
    out = drawn(models / "shades.onnx", "--per-class", "4", "-o", "more")
    assert out == "more: 4 pictures written, 8 were there already\n"
    assert Path("more/light/00001.png").read_bytes() == whole
    assert Path("more/dark/00000.png").read_bytes() == b"mine"
    assert "4 pictures written" in drawn(
        models / "shades.onnx", "--per-class", "4", "--label", "dark", "-o", "more", "--overwrite"
    )
    assert Path("more/dark/00000.png").read_bytes() != b"mine"


def test_classes_differ_in_more_than_their_label(models: Path, tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "same.onnx", flat(0.2), labels=flat(0, 0), classes=("one", "two"))
    drawn(path, "--per-class", "2", "-o", "more")
    assert Path("more/one/00001.png").read_bytes() != Path("more/two/00001.png").read_bytes()


def test_strangers_model_names_no_folder_elsewhere(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "evil.onnx", flat(0.2), labels=flat(0, 0), classes=("one", "../../two"))
    assert (
        "'../../two' cannot be a folder's name"
        in img2img("generate", "--model", path, "--per-class", "1", "-o", "in/more").stderr
    )
    assert not (tmp_path.parent / "two").exists()


# Directions


def test_directions_are_fitted_shown_and_followed(models: Path, tmp_path: Path) -> None:
    model = tmp_path / "grey.onnx"
    model.write_bytes((models / "grey.onnx").read_bytes())
    fitted = img2img("directions", "fit", "--model", model, "-n", "200")
    assert fitted.exit_code == 0, fitted.stderr
    assert f"{tmp_path / 'grey.directions.json'}: " in fitted.stdout
    table = img2img("directions", "show", model).stdout
    assert fitted.stdout.startswith(table)
    assert table.startswith("direction")

    drawn(model, "-n", "9", "-o", "plain.png")
    drawn(model, "-n", "9", "-o", "light.png", "--direction", "brightness=1.5")
    change = (cells("light.png") - cells("plain.png")).mean()
    assert change == pytest.approx(1.5 * 0.2 * 127.5, rel=0.2)  # z[0] has the deviation 1

    drawn(model, "-n", "3", "--sweep", "brightness=-1:1", "--frames", "5", "-o", "sweep.png")
    sweep = cells("sweep.png")
    assert sweep.shape == (3, 5)
    assert (np.diff(sweep, axis=1) > 0).all()
    np.testing.assert_allclose(sweep[:, 2], cells("plain.png").ravel()[:3], atol=1)
    assert "8 walks of 9 steps" in drawn(model, "--sweep", "brightness", "-o", "wide.png")


def test_every_frame_of_a_walk_is_moved_alike(models: Path) -> None:
    img2img("directions", "fit", "--model", models / "grey.onnx", "-n", "200", "-o", "d.json")
    walk = ["--interpolate", "3,9", "--frames", "9", "-n", "3", "--truncation", "1.5"]
    drawn(models / "grey.onnx", *walk, "-o", "plain.png")
    drawn(models / "grey.onnx", *walk, "--directions", "d.json", "--direction", "brightness=-1.5", "-o", "moved.png")
    shift = cells("moved.png") - cells("plain.png")
    assert shift.mean() == pytest.approx(-1.5 * 0.2 * 127.5, rel=0.2)
    assert np.ptp(shift) <= 2  # each picture rounds to 8 bits


def test_unknown_direction_lists_those_fitted(models: Path, tmp_path: Path) -> None:
    img2img("directions", "fit", "--model", models / "grey.onnx", "-n", "50", "-o", "d.json")
    said = refusal(2, models / "grey.onnx", "--directions", "d.json", "--direction", "age=1")
    assert "no direction 'age' was fitted for grey; there are: brightness" in said


def test_directions_of_another_model_or_none_exit_with_1(models: Path) -> None:
    img2img("directions", "fit", "--model", models / "grey.onnx", "-n", "50", "-o", "d.json")
    said = refusal(1, models / "video.onnx", "--directions", "d.json", "--direction", "slant=1")
    assert "fitted to another model" in said
    assert "no directions yet" in refusal(1, models / "video.onnx", "--direction", "slant=1")


# Refusals


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grey.onnx", "--label", "7"], "was trained without classes"),
        (["shades.onnx", "--label", "bright"], "choose 0 to 2, or one of dark, middle, light"),
        (["grey.onnx", "--per-class", "3", "-o", "more"], "trained without classes, so it has none to write"),
        (["shades.onnx", "--per-class", "3"], "it needs -o FOLDER"),
        (["shades.onnx", "--per-class", "3", "-o", "more", "-n", "3"], "leave -n out"),
        (["grey.onnx", "--interpolate", "1,2", "--sweep", "slant"], "--interpolate and --sweep are different"),
        (["grey.onnx", "--frames", "3"], "it needs --interpolate or --sweep"),
        (["grey.onnx", "-o", "grid.jpg"], "end it with .png"),
        (["grey.onnx", "-o", "grid.gif"], "these pictures stand still"),
        (["grey.onnx", "--interpolate", "1,2", "-o", "a.png", "--columns", "3"], "a column is a frame"),
        (["grey.onnx", "--interpolate", "1"], "give two seeds"),
        (["grey.onnx", "--interpolate", "1,-2"], "give two seeds"),
        (["grey.onnx", "--direction", "slant"], "give a direction and how far"),
        (["grey.onnx", "--direction", "slant=much"], "give a direction and how far"),
        (["grey.onnx", "--direction", "slant=nan"], "give a direction and how far"),
        (["grey.onnx", "--sweep", "slant=1"], "give a direction, or one and its ends"),
        (["grey.onnx", "--truncation", "0"], "0.01"),
        (["grey.onnx", "--seed", "-1"], "-1"),
        (["grey.onnx", "--like", "photo.jpg"], "leave --like out"),
        (["shades.onnx", "--per-class", "3", "-o", "more", "--scale", "2"], "leave --scale out"),
        (["grey.onnx", "--interpolate", "1,2", "--seed", "0"], "leave --seed out"),
        (["grey.onnx", "--directions", "d.json"], "--directions is the file that --direction and --sweep read"),
        (["grey.onnx", "--direction", "slant=1", "--direction", "slant=2"], "slant: given twice"),
        (["grey.onnx", "-n", "2000000000"], "128,000 megapixels are too many, 200 are the most: give a smaller -n or"),
        (["grey.onnx", "-n", "800", "--scale", "64"], "210 megapixels are too many"),
        (["grey.onnx", "--sweep", "slant", "--frames", "500000"], "give a smaller -n, --frames or --scale"),
        (["video.onnx", "-n", "1000000"], "256 megapixels are too many"),
        (["like.onnx"], "give one with --like PHOTO"),
    ],
)
def test_contradictions_exit_with_2_and_draw_nothing(models: Path, words: list[str], said: str) -> None:
    assert said in refusal(2, models / words[0], *words[1:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["colorizer.onnx"], "is a model for 'colorize', and generating needs one for 'generate'"),
        (["nothing.onnx"], "no such model file"),
        (["like.onnx", "--like", "nothing.jpg"], "nothing.jpg: no such file"),
        ([""], "a folder without a training run"),
    ],
)
def test_what_cannot_be_used_exits_with_1(models: Path, words: list[str], said: str) -> None:
    assert said in refusal(1, models / words[0], *words[1:])


def test_picture_that_exists_is_kept_unless_told(models: Path) -> None:
    Path("samples.png").write_bytes(b"mine")
    result = img2img("generate", "--model", models / "grey.onnx")
    assert (result.exit_code, Path("samples.png").read_bytes()) == (1, b"mine")
    assert "samples.png: is there already; --overwrite replaces it" in result.stderr
    drawn(models / "grey.onnx", "--overwrite")
    assert pixels("samples.png").shape == (78, 78)


def test_export_refuses_its_target_before_the_work(tmp_path: Path) -> None:
    Path("model.onnx").mkdir()
    result = img2img("export", "no-run", "-o", "model.onnx")
    assert (result.exit_code, result.stderr) == (1, "Error: model.onnx: a folder, not a file; name a file with -o\n")


@pytest.mark.parametrize("words", ["export no-run -o model.onnx", "import net_G.pth -o model.onnx"])
def test_a_model_that_is_there_is_left_alone(tmp_path: Path, words: str) -> None:
    Path("model.onnx").write_bytes(b"mine")
    result = img2img(*words.split())
    assert (result.exit_code, Path("model.onnx").read_bytes()) == (1, b"mine")
    wanted = "Error: model.onnx: is there already; --overwrite replaces it, or choose another name\n"
    assert result.stderr == wanted


def test_colorize_refuses_a_sampler(models: Path) -> None:
    Image.new("L", (8, 8)).save("photo.jpg")
    result = img2img("colorize", "photo.jpg", "--model", models / "grey.onnx")
    assert result.exit_code == 1
    assert "is a model for 'generate', and colouring needs one for 'colorize'" in result.stderr


# Runs and processes


def save_state(run: Path, step: int, recipe: str = "gan") -> Path:
    """A state without weights, and the run that it is of."""
    config = vars(make_config(recipe_class(recipe), GAN))
    run.mkdir(exist_ok=True)
    RunFolder(run).write_info(RunInfo(recipe, config, 0, [], None, "", {}, ""))
    TrainState(recipe, config, 0, step, 0, {}, {}, {}, torch.get_rng_state(), []).save(run)
    return run / f"state-{step:08d}.pt"


def test_new_run_removes_what_was_made_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "exported").mkdir()
    for name in ("exported/run.onnx", "exported/run.safetensors", "directions.json", "mine.onnx"):
        (tmp_path / name).touch()
    RunFolder(tmp_path).create(RunInfo("gan", {}, 0, [], None, "", {}, ""))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "exported", "mine.onnx"]
    assert not list((tmp_path / "exported").iterdir())


def test_samplers_take_no_native_size(tmp_path: Path) -> None:
    save_state(tmp_path / "run", 100)
    result = img2img("export", "run", "-o", "model.onnx", "--native-size", "64")
    assert result.exit_code == 1
    assert "--native-size: gan draws at the size it was trained at; leave it out" in result.stderr


def export(model: Path, run: Path, step: int) -> None:
    """What an export of the run's newest state leaves, which `model` stands for."""
    state = save_state(run, step)
    (run / "exported").mkdir(exist_ok=True)
    shutil.copy(model, run / "exported" / "run.onnx")
    made_of = {"state": state.name, "content": run_model._content_sum(state)}
    (run / "exported" / run_model.MADE_OF).write_text(json.dumps(made_of))


def test_directions_of_a_run_are_those_of_its_newest_state(models: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    export(models / "grey.onnx", run, 100)
    drawn(run, "-n", "4")
    img2img("directions", "fit", "--model", run, "-n", "50")
    assert (run / "directions.json").is_file()
    drawn(run, "-n", "4", "--direction", "brightness=1", "-o", "moved.png")
    assert img2img("directions", "show", run).exit_code == 0
    export(models / "shades.onnx", run, 200)
    assert img2img("directions", "show", run).exit_code == 1


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for index in range(8):
        Image.linear_gradient("L").rotate(90 * index).resize((16, 16)).save(tmp_path / "photos" / f"{index}.png")
    return tmp_path / "photos"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the exporter's own
def test_trained_run_is_exported_once_and_drawn_from(photos: Path, tmp_path: Path) -> None:
    small = ["image_size=16", "batch_size=4", "z_dim=6", "generator_channels=8", "discriminator_channels=8"]
    words = [word for setting in small for word in ("--set", setting)]
    trained = img2img("train", "gan", "--data", photos, "--steps", "2", "--out", "run", "--device", "cpu", *words)
    assert trained.exit_code == 0, trained.output
    assert drawn("run", "-n", "4") == "samples.png: 4 pictures, 16 x 16 px\n"
    exported = Path("run/exported/run.onnx").stat().st_mtime_ns
    drawn("run", "-n", "4", "-o", "again.png")
    assert Path("run/exported/run.onnx").stat().st_mtime_ns == exported
    np.testing.assert_array_equal(pixels("again.png"), pixels("samples.png"))


def test_generating_from_a_file_needs_no_training_package(models: Path, tmp_path: Path) -> None:
    fit = f"directions fit --model {models / 'grey.onnx'} -n 50 -o d.json"
    asked = (
        f"generate --model {models / 'grey.onnx'} -n 4 -o four.png",
        fit,
        f"{fit.replace('d.json', 'e.json')} --data digits",
    )
    done = run_in_turn(asked, tmp_path, without=("torch", "cv2", "onnx", "sklearn", "safetensors"))
    lines = done.stdout.splitlines()
    assert lines[:2] == ["four.png: 4 pictures, 8 x 8 px", "0"]
    assert [line for line in lines if line.isdigit()] == ["0", "0", "1"], done.stderr
    assert done.stderr.count("\n") == 1
    assert "pip install '.[train]'" in done.stderr


def test_card_says_what_the_sampler_draws(models: Path) -> None:
    shown = img2img("models", "show", models / "shades.onnx").stdout
    assert "label (N, 3), one-hot, 0 to 1" in shown
    assert read_card(models / "shades.onnx").classes == ("dark", "middle", "light")
