"""Directions: found where they are known to lie, stored with their model, and used as they were measured."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_sampler import SIZE, flat, linear_sampler

from img2img.errors import DataError, ModelError, UsageError
from img2img.evaluation.class_properties import class_properties
from img2img.generation.directions import LEFT_OUT, _row, fit_directions, r_squared, ridge
from img2img.generation.directions_file import WHAT_IT_SHOWS, Directions, directions_path, stored_directions
from img2img.generation.fit import fit_model
from img2img.generation.properties import Property, brightness
from img2img.inference.sampler import Sampler

LEFT_TO_RIGHT = np.tile(np.linspace(-1, 1, SIZE), (1, 1, SIZE, 1))
TILT = Property("tilt", "of 1", lambda pictures: pictures[:, :, SIZE // 2 :].mean((1, 2, 3)) - brightness(pictures))
BRIGHTNESS = Property("brightness", "of 1", brightness)
FIT_AGAIN = "fit toy again"
BASIS = np.concatenate([flat(0.1), 0.1 * LEFT_TO_RIGHT, flat(0.0)])  # z[0] brightness, z[1] tilt, z[2] nothing


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linear_sampler(tmp_path_factory.mktemp("model") / "toy.onnx", BASIS)


def test_direction_of_a_property_that_is_one_latent_is_that_axis(model: Path) -> None:
    fit = fit_directions(Sampler(model), [BRIGHTNESS, TILT], n=400, seed=0)
    of_brightness, of_tilt = fit.directions
    np.testing.assert_allclose(of_brightness.vector, [1, 0, 0], atol=0.02)
    np.testing.assert_allclose(of_tilt.vector, [0, 1, 0], atol=0.02)
    assert of_brightness.r2 > 0.99  # 8 bit and white's limit are what is not linear
    assert of_brightness.deviation == pytest.approx(0.05, rel=0.1)  # 0.1 z / 2
    assert of_brightness.mean == pytest.approx(0.5, abs=0.01)
    assert of_brightness.length == pytest.approx(1, rel=0.1)
    assert np.linalg.norm(of_tilt.vector) == pytest.approx(1)


def test_one_step_moves_its_own_property_by_one_deviation_and_no_other(model: Path) -> None:
    fit = fit_directions(Sampler(model), [BRIGHTNESS, TILT], n=400, seed=1)
    np.testing.assert_allclose(fit.changes, np.eye(2), atol=0.04)


def test_entangled_properties_show_in_the_table(tmp_path: Path) -> None:
    basis = np.concatenate([flat(0.1) + 0.1 * LEFT_TO_RIGHT, flat(0.0)])  # one latent moves both
    fit = fit_directions(Sampler(linear_sampler(tmp_path / "toy.onnx", basis)), [BRIGHTNESS, TILT], n=400, seed=1)
    np.testing.assert_allclose(fit.changes, np.ones((2, 2)), atol=0.05)


def test_opposite_moves_do_not_cancel(tmp_path: Path) -> None:
    """A step of 1 along brightness moves `swing` by 1 for half of the samples, by -1 for the others."""
    basis = np.concatenate([flat(0.1), 0.2 * LEFT_TO_RIGHT])

    def swing(pictures: np.ndarray) -> np.ndarray:
        return np.sign(TILT.measure(pictures)) * (brightness(pictures) - 0.5) / 0.05 + 40 * TILT.measure(pictures)

    properties = [BRIGHTNESS, Property("swing", "of 1", swing)]
    fit = fit_directions(Sampler(linear_sampler(tmp_path / "toy.onnx", basis)), properties, n=1000, seed=0)
    _, of_swing = fit.directions
    assert fit.changes[0][0] == pytest.approx(1, abs=0.05)
    assert fit.changes[0][1] == pytest.approx(1 / of_swing.deviation, rel=0.2)


def test_direction_that_moves_its_own_property_down_shows_it(model: Path) -> None:
    fit = fit_directions(Sampler(model), [BRIGHTNESS, TILT], n=400, seed=1)
    assert _row([np.array([-2.0, -4.0, np.nan]), np.array([-1.0, 1.0, 3.0])], fit.directions, 0) == pytest.approx(
        (-3 / fit.directions[0].deviation, 5 / 3 / fit.directions[1].deviation)
    )


def test_property_that_no_picture_has_or_that_never_changes_is_left_out(model: Path) -> None:
    never = Property("never", "", lambda pictures: np.full(len(pictures), np.nan))
    always = Property("always", "", lambda pictures: np.full(len(pictures), 3.0))
    fit = fit_directions(Sampler(model), [never, BRIGHTNESS, always], n=60, seed=0)
    assert [direction.name for direction in fit.directions] == ["brightness"]
    assert fit.left_out == {"never": LEFT_OUT, "always": LEFT_OUT}
    assert np.shape(fit.changes) == (1, 1)


def test_pictures_without_a_property_do_not_bend_its_direction(model: Path) -> None:
    some = Property("some", "", lambda pictures: np.where(brightness(pictures) < 0.47, np.nan, brightness(pictures)))
    (direction,) = fit_directions(Sampler(model), [some], n=600, seed=0).directions
    np.testing.assert_allclose(direction.vector, [1, 0, 0], atol=0.02)


def test_property_that_is_hardly_linear_in_z_is_left_out_with_its_r2(model: Path) -> None:
    rng = np.random.default_rng(0)
    noise = Property("noise", "", lambda pictures: rng.normal(size=len(pictures)))
    fit = fit_directions(Sampler(model), [noise, BRIGHTNESS], n=400, seed=0)
    assert [direction.name for direction in fit.directions] == ["brightness"]
    assert np.shape(fit.changes) == (1, 1)
    assert re.fullmatch(r"hardly linear in z \(R2 -?0\.0\d\); a larger -n may help", fit.left_out["noise"])
    stored = Directions("toy", "abc", 0, 400, fit)
    assert f"  noise: {fit.left_out['noise']}" in stored.table().splitlines()
    with pytest.raises(UsageError, match="no direction for noise: hardly linear in z"):
        stored.step("noise")


@pytest.mark.parametrize(
    ("predicted", "r2"),
    [([1, 2, 3], 1), ([2, 2, 2], 0), ([11, 12, 13], 1 - 100 / (2 / 3)), ([3, 2, 1], -3)],
)
def test_r2_counts_a_level_that_is_wrong(predicted: list[float], r2: float) -> None:
    assert r_squared(np.array([1.0, 2.0, 3.0]), np.array(predicted, float)) == pytest.approx(r2)


def test_r2_is_0_where_nothing_varies() -> None:
    assert r_squared(np.array([1.0]), np.array([2.0])) == r_squared(np.array([]), np.array([])) == 0


def test_angle_that_passes_zero_is_followed(tmp_path: Path) -> None:
    """Hues about 0 degrees are near 0 and near 360; z[0] turns them."""
    basis = np.zeros((2, 3, SIZE, SIZE), np.float32)
    basis[0, 1], basis[0, 2] = 0.05, -0.05
    red = np.broadcast_to(np.reshape([0.6, -0.6, -0.6], (1, 3, 1, 1)), (1, 3, SIZE, SIZE))
    path = linear_sampler(tmp_path / "red.onnx", basis, labels=red)
    directions, _ = fit_model(str(path), n=300, seed=0)
    hue = next(one for one in directions.fit.directions if one.name == "hue")
    assert abs(hue.vector[0]) > 0.99
    assert min(hue.mean, 360 - hue.mean) < 1
    assert hue.deviation == pytest.approx(np.degrees(0.05 * np.sqrt(3) / 1.2), rel=0.15)  # across over along


def test_what_labels_do_is_no_matter_of_z(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "shades.onnx", BASIS / 2, labels=flat(-0.5, 0.5))
    (direction,) = fit_directions(Sampler(path), [BRIGHTNESS], n=400, seed=0).directions
    assert direction.deviation == pytest.approx(0.025, rel=0.1)  # within a label, not the 0.25 between them
    assert direction.r2 > 0.98
    np.testing.assert_allclose(direction.vector, [1, 0, 0], atol=0.03)


def test_ridge_is_the_least_squares_line() -> None:
    z = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32)
    weights, offset = ridge(z, z @ [1.0, -2.0, 0.5] + 7)
    np.testing.assert_allclose(weights, [1, -2, 0.5], atol=1e-3)
    assert offset == pytest.approx(7, abs=1e-3)


def test_too_few_samples_are_refused(model: Path) -> None:
    with pytest.raises(UsageError, match=r"5 samples are too few for latents of 3 numbers: give -n 30"):
        fit_directions(Sampler(model), [BRIGHTNESS], n=5, seed=0)


def test_fewer_samples_than_classes_are_refused(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "many.onnx", BASIS, labels=flat(*np.linspace(-0.2, 0.2, 20)))
    with pytest.raises(UsageError, match=r"10 samples are too few for 20 classes: give -n 200 or more"):
        fit_directions(Sampler(path), [BRIGHTNESS], n=10, seed=0)


def test_model_that_draws_after_a_photo_is_refused(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "like.onnx", flat(0.1, channels=3), condition=True)
    with pytest.raises(UsageError, match=r"like.onnx: directions of models that draw after a photo cannot be fitted"):
        fit_model(str(path), n=50, seed=0, recognise=partial(class_properties, ["not even read"]))


def test_target_is_refused_before_anything_is_drawn(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target, said in ((tmp_path, "a folder, not a file"), (tmp_path / "file" / "d.json", "is a file, not a folder")):
        with pytest.raises(ModelError, match=said):
            fit_model(str(model), n=50, seed=0, recognise=partial(class_properties, ["not even read"]), target=target)


def test_stored_directions_come_back_whole(model: Path, tmp_path: Path) -> None:
    fit = fit_directions(Sampler(model), [BRIGHTNESS, TILT], n=100, seed=3)
    stored = Directions("toy", "abc", 3, 100, replace(fit, left_out={"hue": "grey"}), ("a note",))
    stored.save(tmp_path / "toy.directions.json")
    assert Directions.read(tmp_path / "toy.directions.json", FIT_AGAIN) == stored
    np.testing.assert_allclose(stored.step("tilt"), np.array(fit.directions[1].vector) * fit.directions[1].length)
    with pytest.raises(UsageError, match="no direction 'tld' was fitted for toy; there are: brightness, tilt"):
        stored.step("tld")


def test_fit_is_stored_beside_the_model_and_the_same_again(model: Path) -> None:
    first, path = fit_model(str(model), n=60, seed=4)
    assert path == directions_path(str(model)) == model.with_name("toy.directions.json")
    assert fit_model(str(model), n=60, seed=4)[0] == first == stored_directions(str(model), None, Sampler(model).card)
    assert json.loads(path.read_text())["model_sha256"] == Sampler(model).card.sha256


def test_directions_of_another_model_are_refused(model: Path, tmp_path: Path) -> None:
    _, path = fit_model(str(model), n=60, seed=0, target=tmp_path / "mine.json")
    other = linear_sampler(tmp_path / "other.onnx", BASIS * 2)
    with pytest.raises(
        ModelError,
        match=r"mine.json: fitted to another model: `img2img directions fit --model .*other.onnx -o .*mine.json`",
    ):
        stored_directions(str(other), path, Sampler(other).card)


def test_runs_keep_their_directions_inside(tmp_path: Path) -> None:
    assert directions_path(str(tmp_path)) == tmp_path / "directions.json"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1}', '{"format": 2, "fit": {"directions": [{}]}}'])
def test_damaged_directions_are_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "d.json").write_text(content)
    with pytest.raises(ModelError, match=r"d.json: holds no directions .*: fit toy again"):
        Directions.read(tmp_path / "d.json", FIT_AGAIN)


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("fit", "changes"), [[1.0, 0.0]]),
        (("fit", "changes"), [[1.0], [0.0]]),
        (("fit", "directions", 0, "vector"), [1.0, 0.0]),
        (("fit", "directions", 0, "vector"), [1.0, 0.0, float("nan")]),
        (("fit", "directions", 0, "length"), "long"),
        (("fit", "left_out"), ["hue"]),
    ],
)
def test_damaged_directions_name_the_file_and_the_command(
    model: Path, tmp_path: Path, where: tuple[str | int, ...], wrong: object
) -> None:
    sampler, path = Sampler(model), tmp_path / "d.json"
    fit = fit_directions(sampler, [BRIGHTNESS, TILT], n=100, seed=3)
    Directions("toy", sampler.card.sha256, 3, 100, fit).save(path)
    assert stored_directions(str(model), path, sampler.card).fit == fit
    content = inner = json.loads(path.read_text())
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = wrong
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"d.json: .*: `img2img directions fit --model .*toy.onnx -o .*d.json`"):
        stored_directions(str(model), path, sampler.card)


def test_missing_directions_say_what_makes_them(tmp_path: Path) -> None:
    path = linear_sampler(tmp_path / "toy.onnx", BASIS)
    with pytest.raises(ModelError, match=rf"no directions yet: `img2img directions fit --model {path}` finds them"):
        stored_directions(str(path), None, Sampler(path).card)


def test_table_has_a_row_a_direction(model: Path) -> None:
    fit = fit_directions(Sampler(model), [BRIGHTNESS, TILT], n=100, seed=3)
    fit = replace(fit, changes=((1.0, 0.25), (0.004, -0.5)), left_out={"hue": "grey"})
    fit = replace(fit, directions=tuple(replace(one, r2=0.875) for one in fit.directions))
    assert Directions("toy", "abc", 3, 100, fit, ("a note",)).table().splitlines() == [
        "direction     R2  brightness   tilt",
        "brightness  0.88       +1.00   0.25",
        "tilt        0.88        0.00  -0.50",
        WHAT_IT_SHOWS,
        "a note",
        "without a direction:",
        "  hue: grey",
    ]


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """An ImageFolder: pictures bright on the left, and on the right."""
    rng = np.random.default_rng(0)
    for name, side in (("left", slice(0, 4)), ("right", slice(4, 8))):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for index in range(30):
            picture = rng.integers(100, 140, (8, 8), np.uint8)
            picture[:, side] += np.uint8(rng.integers(20, 60))
            Image.fromarray(picture).save(tmp_path / "shapes" / name / f"{index}.png")
    return tmp_path / "shapes"


def test_labelled_data_adds_a_direction_for_each_class(model: Path, shapes: Path, tmp_path: Path) -> None:
    directions, _ = fit_model(
        str(model), n=200, seed=0, recognise=partial(class_properties, [str(shapes)]), target=tmp_path / "d.json"
    )
    left, right = (one for one in directions.fit.directions if one.name.startswith("class-"))
    assert (left.name, right.name) == ("class-left", "class-right")
    assert left.vector[1] < -0.97
    assert right.vector[1] > 0.97
    assert "100.0%" in directions.notes[0]


def test_data_without_labels_is_refused(model: Path, shapes: Path) -> None:
    with pytest.raises(DataError, match=r"no labels: give digits, or a folder with a sub-folder for each class"):
        fit_model(str(model), n=60, seed=0, recognise=partial(class_properties, [str(shapes / "left")]))
