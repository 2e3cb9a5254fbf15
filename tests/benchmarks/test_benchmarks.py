"""The benchmarks count what they say, and their scripts run."""

import json
import os
import re
import subprocess
import sys
from math import exp, log, pi
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def run(script, *arguments):
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


# 25 Gaussians


def test_real_points_cover_all_25_modes_alike_and_nearly_all_are_of_high_quality() -> None:
    from mode_coverage.gaussian_modes import covered, real_points
    from mode_coverage.mode_game import keys

    found = covered(real_points(keys(2_500, 0, "test"))["image"])
    assert (found.modes, found.enough) == (25, 25)
    assert found.quality == pytest.approx(1 - exp(-4.5), abs=0.01)  # Rayleigh's share within 3 std
    assert found.divergence == pytest.approx(24 / 2 / 2_500, abs=0.005)  # as of any 2,500 drawn from 25


def test_modes_are_covered_by_samples_within_three_std() -> None:
    from mode_coverage.gaussian_modes import covered, modes

    corner, middle, edge = modes()[0], torch.zeros(2), torch.tensor([4.0, 0.0])
    far = torch.tensor([0.16, 0.0])
    found = covered(torch.cat([corner.expand(20, 2), middle.expand(19, 2), (edge + far).expand(21, 2)]))
    assert (found.modes, found.enough) == (2, 1)
    assert found.quality == pytest.approx(39 / 60)
    shares = (20 / 60, 19 / 60, 21 / 60)
    assert found.divergence == pytest.approx(sum(share * log(25 * share) for share in shares))


def test_points_that_are_not_finite_cover_nothing() -> None:
    from mode_coverage.gaussian_modes import covered

    found = covered(torch.full((100, 2), torch.nan))
    assert (found.modes, found.enough, found.quality) == (0, 0, 0)


def test_points_strewn_over_the_plane_cover_modes_by_the_papers_rule_and_none_by_the_stricter() -> None:
    from mode_coverage.gaussian_modes import covered

    strewn = torch.rand(2_500, 2, generator=torch.Generator().manual_seed(0)) * 10 - 5
    found = covered(strewn)
    assert found.modes > 15
    assert found.enough == 0
    assert found.quality == pytest.approx(25 * pi * 0.15**2 / 100, abs=0.01)
    assert found.divergence < 0.02


@pytest.mark.parametrize("name", ["dcgan", "wgan", "wgan-gp", "wgan-sn", "wgan-svc"])
def test_every_point_recipe_plays_the_shipped_step_between_the_same_players(name: str) -> None:
    from mode_coverage.gaussian_modes import PLAYED

    from img2img.recipes import recipe_class

    played = PLAYED[name]
    assert issubclass(played, recipe_class(name))
    assert played.step is recipe_class(name).step
    recipe = played(played.Config(z_dim=2))
    judge = recipe.get_submodule(recipe.judge_name)
    assert recipe.generator(torch.zeros(3, 2)).shape == (3, 2)
    assert judge(torch.zeros(3, 2)).shape == (3, 1)
    assert sum(parameter.numel() for parameter in judge.parameters()) == sum(
        parameter.numel() for parameter in PLAYED["dcgan"](PLAYED["dcgan"].Config(z_dim=2)).discriminator.parameters()
    )


def test_every_loss_is_a_setting_that_its_recipe_takes() -> None:
    from mode_coverage.mode_game import LOSSES

    from img2img.recipes import recipe_class

    for contender in LOSSES.values():
        recipe_class(contender.recipe).Config(**contender.settings)


def test_training_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    from mode_coverage.gaussian_modes import drawn_points

    first, again, other = drawn_points("wgan-gp", 0, 2), drawn_points("wgan-gp", 0, 2), drawn_points("wgan-gp", 1, 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# 1,000 stacked digits


def one_hot(*numbers, probability=1.0):
    """(N, 3, 10) of a reader that gives the digits of each number this probability."""
    digits = torch.tensor([[number // 100, number // 10 % 10, number % 10] for number in numbers])
    rest = (1 - probability) / 9
    return torch.full((*digits.shape, 10), rest).scatter_(2, digits[..., None], probability)


def test_one_picture_over_and_over_is_one_mode_at_the_largest_divergence() -> None:
    from mode_coverage.digit_modes import counted

    found = counted(one_hot(*[407] * 50))
    assert found.modes == 1
    assert found.divergence == pytest.approx(log(1000))
    assert found.sure == 1


def test_each_number_once_is_a_thousand_modes_at_no_divergence() -> None:
    from mode_coverage.digit_modes import counted

    found = counted(one_hot(*range(1000)))
    assert found.modes == 1000
    assert found.divergence == pytest.approx(0, abs=1e-9)


def test_planes_count_in_their_order() -> None:
    from mode_coverage.digit_modes import counted

    assert counted(one_hot(12, 21, 120, 102)).modes == 4


def test_divergence_of_a_half_and_two_quarters() -> None:
    from mode_coverage.digit_modes import counted

    expected = 0.5 * log(500) + 0.5 * log(250)
    assert counted(one_hot(1, 1, 2, 3)).divergence == pytest.approx(expected)


def test_a_digit_is_sure_above_nine_tenths() -> None:
    from mode_coverage.digit_modes import counted

    assert counted(one_hot(1, 2, probability=0.95)).sure == 1
    assert counted(one_hot(1, 2, probability=0.85)).sure == 0


@pytest.mark.slow
def test_reader_is_right_about_more_than_95_percent_and_sees_all_modes_in_real_pictures() -> None:
    from mode_coverage.digit_modes import Reader, StackedDigits, read
    from mode_coverage.mode_game import keys

    data = StackedDigits()
    reader = Reader(data)
    assert reader.accuracy > 0.95
    found = read((data.batch(some)["image"] for some in keys(10_000, 0, "test").split(1_000)), reader)
    assert found.modes >= 995
    assert found.divergence < 0.1


# The scripts


def test_results_are_measured_once_and_kept_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import modes

    calls = []
    monkeypatch.setitem(modes.MEASURES, "gaussians", (lambda *asked: calls.append(asked) or {"modes": 7}, 10))
    for _ in range(2):
        assert modes.Results(tmp_path / "kept.json").of("gaussians", "bce", 0, 10) == {"modes": 7}
    modes.Results(tmp_path / "kept.json").of("gaussians", "bce", 0, 20)
    assert calls == [("bce", 0, 10), ("bce", 0, 20)]


def test_spread_is_the_median_and_both_ends() -> None:
    from modes import spread

    assert spread([3, 9, 4], "{:.0f}") == "4 (3 to 9)"
    assert spread([4, 4, 4], "{:.0f}") == "4"


@pytest.mark.slow
def test_modes_prints_a_line_for_each_loss_and_draws_the_points(tmp_path: Path) -> None:
    asked = ("--only", "gaussians", "--losses", "bce", "wgan-gp", "--seeds", 2, "--steps", 3)
    first = run("modes.py", *asked, "--json", tmp_path / "kept.json", "--picture", tmp_path / "modes.png")
    head, _, bce, gp = first.splitlines()
    assert cells(head) == ["loss", "modes of 25", "by 20 samples", "KL, nats", "high quality"]
    assert [cells(line)[0] for line in (bce, gp)] == ["BCE, non-saturating", "Wasserstein, gradient penalty"]
    assert len(json.loads((tmp_path / "kept.json").read_text())) == 4
    with Image.open(tmp_path / "modes.png") as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    halves = np.array_split(colours[..., 2] - colours[..., 0] > 40, 2, axis=1)
    assert all(half.sum() > 20 for half in halves)  # blue points in both panels
    assert run("modes.py", *asked, "--json", tmp_path / "kept.json") == first


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "setting"), [("gan", "generator_channels=8"), ("colorizer", "image_size=32")])
def test_train_step_prints_both_sides_of_a_recipe(recipe: str, setting: str) -> None:
    asked = ("--recipes", recipe, "--steps", 2, "--warm", 1, "--runs", 1, "--workers", 0, "--device", "cpu")
    head, _, line = run("train_step.py", *asked, "--set", setting, "--set", "batch_size=4").splitlines()
    assert len(cells(head)) == len(cells(line))
    name, shape, ours, plain, ratio, *_ = cells(line)
    assert name == f"`{recipe}`"
    assert shape.startswith("4 x ")
    ours, plain, ratio = (float(re.match(r"[\d.]+", cell)[0]) for cell in (ours, plain, ratio))
    assert ratio == pytest.approx(ours / plain, rel=0.05)


def test_train_step_knows_every_recipe() -> None:
    from train_step import CASES

    from img2img.recipes import RECIPES

    assert set(CASES) == set(RECIPES)


# Ageing


def test_photos_are_measured_aged_and_never_in_another_grey() -> None:
    from ageing import key_of

    from img2img.recipes.ageing.aged import drawn_strengths

    keys = torch.cat([key_of(number) for number in range(20)])
    assert drawn_strengths(keys).flatten(1).any(1).all()
    assert not (keys % 3).any()
    assert len(keys.unique()) == 20


@pytest.mark.slow
def test_ageing_prints_every_kind_beside_the_clean_photo_and_draws_the_picture(
    colour_photos: Path, tmp_path: Path
) -> None:
    from img2img.recipes.ageing.aged import KINDS

    head, _, grey, clean, *kinds, mixture = run("ageing.py", "--photos", colour_photos, "--count", 2).splitlines()
    assert cells(head) == ["ageing", "strengths", "share of aged", "distance in ab", "chroma", "LPIPS"]
    assert [cells(line)[0] for line in kinds] == list(KINDS)
    assert cells(clean)[3] == "0.00"
    assert number(cells(grey)[3]) == pytest.approx(number(cells(clean)[4]), abs=0.06)  # as far off as those are vivid
    assert all(number(cells(line)[3]) > 0 for line in (*kinds, mixture))
    run("ageing.py", "--photos", colour_photos, "--photo", 1, "--sheet", tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.width > 1000


# Batches


@pytest.mark.slow
def test_batch_prints_every_row_with_both_sides() -> None:
    counts = ("--photos", 12, "--large", 1, "--finished", 20, "--listed", 30, "--runs", 1)
    _, _, *lines = run("batch.py", *counts).splitlines()
    assert len(lines) == 7
    table = {cells(line)[0]: cells(line)[2:] for line in lines}
    onnxruntime, openvino = table["12 photos of 500 x 375"], table["12 photos of 500 x 375, OpenVINO"]
    for measured, beside, ratio in (onnxruntime, openvino):
        assert number(ratio) == pytest.approx(number(measured) / number(beside), abs=0.1 + 1 / number(beside))
    assert all(number(measured) > 0 for measured, *_ in table.values())


def number(cell):
    return float(re.match(r"[\d.]+", cell)[0])


def test_batch_side_of_nothing_writes_each_photo_as_it_was(tmp_path: Path) -> None:
    from sides.batch_side import Nothing, as_batch
    from sides.drawn_photos import make_small

    make_small(tmp_path / "photos", 2)
    as_batch(Nothing(), tmp_path / "photos", tmp_path / "out")
    for number in range(2):
        before, after = (Image.open(tmp_path / folder / f"{number:04}.jpg") for folder in ("photos", "out"))
        assert np.abs(np.asarray(before).astype(int) - np.asarray(after)).mean() < 1


def test_tiny_photos_lie_in_folders_of_a_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sides import drawn_photos

    monkeypatch.setattr(drawn_photos, "IN_A_FOLDER", 3)
    drawn_photos.make_tiny(tmp_path / "photos", 7)
    found = sorted(path.relative_to(tmp_path / "photos").as_posix() for path in (tmp_path / "photos").rglob("*.jpg"))
    assert found[0] == "000/000000.jpg"
    assert [path.split("/")[0] for path in found] == ["000"] * 3 + ["001"] * 3 + ["002"]


def test_medians_are_of_each_side_taken_in_turn() -> None:
    from batch import in_turn

    first, second = iter([3, 1, 2]), iter([10, 30, 20])
    taken = []
    sides = [lambda: taken.append("a") or next(first), lambda: taken.append("b") or next(second)]
    assert in_turn(3, *sides) == [2, 20]
    assert "".join(taken) == "ababab"
