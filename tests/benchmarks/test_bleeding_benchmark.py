"""The benchmark of bleeding counts what it says, and runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_model import CARD, tiny_model, write_tiny_model

from img2img.errors import DataError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def step(height: float) -> np.ndarray:
    """L that rises between columns 9 and 10 of 20."""
    light = np.full((15, 20), 30, np.float32)
    light[:, 10:] += height
    return light


def test_a_step_of_17_is_a_strong_edge_and_one_of_15_is_none() -> None:
    """The Gaussian of 1 px leaves 0.31 of a step's height between its two sides, a pixel apart from the outline."""
    from bleeding import near_edges

    assert not near_edges(step(15)).any()
    assert near_edges(step(17)).any(axis=0).nonzero()[0].tolist() == list(range(6, 14))  # 3 px beside columns 9 and 10


def test_within_reach_of_one_place_is_a_disc_of_3_px() -> None:
    from bleeding import within_reach

    place = np.zeros((11, 11), bool)
    assert not within_reach(place).any()
    place[5, 5] = True
    down, across = np.mgrid[:11, :11] - 5
    np.testing.assert_array_equal(within_reach(place), down**2 + across**2 <= 9)


def test_error_is_the_mean_distance_in_ab_near_the_outline_and_elsewhere() -> None:
    from bleeding import Score, lab_of, near_edges

    truth = np.full((15, 20, 3), 60, np.uint8)
    truth[:, 10:] = 200
    coloured = truth.copy()
    coloured[:, 8:10] = (90, 50, 40)
    near = near_edges(lab_of(truth)[0]).sum()
    distance = np.hypot(*lab_of(coloured)[1:, 0, 8])
    score = Score()
    score.add(coloured, truth)
    score.add(truth, truth)
    assert score.near == pytest.approx(distance * 2 * 15 / (2 * near), rel=1e-3)
    assert score.elsewhere == pytest.approx(0, abs=0.01)
    assert score.psnrs[1] == float("inf")


def test_true_colours_come_back_the_better_the_finer_they_were() -> None:
    from bleeding import of_truth, score_photos

    down, across = np.mgrid[:256, :256] // 20 % 2
    photo = Image.fromarray(np.stack([60 + 120 * down, 60 + 90 * down, 90 + 60 * across], axis=2).astype(np.uint8))
    quarter, half, full = score_photos([of_truth(CARD, factor) for factor in (4, 2, 1)], iter([photo]))
    assert quarter.near > 1.5 * half.near > 2 * full.near
    assert full.near < 1  # 256 px are the tiny card's own size: only rounding is left


def test_grey_photos_tell_nothing() -> None:
    from bleeding import of_truth, score_photos

    with pytest.raises(DataError, match="colour"):
        score_photos([of_truth(CARD, 1)], iter([Image.new("L", (64, 64), 90)]))


def test_photos_are_taken_at_equal_steps(tmp_path: Path) -> None:
    from bleeding import some

    from img2img.data.open_source import open_source

    for number in range(9):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")
    source = open_source([tmp_path])
    limited = some(source, 3)
    assert [Path(limited.name(place)).name for place in range(len(limited))] == ["0.png", "4.png", "8.png"]
    assert len(some(source, None)) == len(some(source, 20)) == 9


# The scenes


@pytest.fixture(params=["a face of 200 px", "eight faces of 12 to 40 px", "stripes of 24 px", "leaves against the sky"])
def scene(request: pytest.FixtureRequest):
    from scenes.bleeding_scenes import SCENES

    return SCENES[request.param]()


def filled(scene, planes: np.ndarray) -> np.ndarray:
    """The joined picture that has just this Cb and Cr (2, H, W)."""
    return np.stack([scene.luma, *(128 + planes).astype(np.uint8)], axis=2)


def test_perfect_chroma_neither_bleeds_nor_lacks(scene) -> None:
    from bleeding import score_scene

    assert score_scene(scene, CARD, 4, lambda *_: filled(scene, scene.chroma())) == pytest.approx((0, 0), abs=1e-6)


def test_one_colour_all_over_bleeds_by_the_area_behind_and_the_other_lacks_all(scene) -> None:
    from bleeding import score_scene

    whole, none = (np.broadcast_to(np.reshape(pair, (2, 1, 1)), (2, 512, 512)) for pair in (scene.colour, scene.behind))
    behind = (~scene.mask).sum() / scene.mask.sum()
    assert score_scene(scene, CARD, 4, lambda *_: filled(scene, whole)) == pytest.approx((behind, 0), abs=1e-5)
    assert score_scene(scene, CARD, 4, lambda *_: filled(scene, none)) == pytest.approx((0, 1), abs=1e-5)


def test_coarser_chroma_bleeds_more_and_lacks_more(scene) -> None:
    from bleeding import score_scene

    quarter, half, full = (score_scene(scene, CARD, factor) for factor in (4, 2, 1))
    assert quarter[0] > half[0] > full[0]
    assert quarter[1] > half[1] > full[1]


@pytest.mark.slow
def test_the_table_has_models_and_true_colours_in_columns(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx", tiny_model(0.1, 0.1), native_size=64)
    down, across = np.mgrid[:384, :512]
    pixels = np.stack([(down // 50 + across // 50) % 2 * 180 + 60, 60 + across // 4, 90 + 0 * down], axis=2)
    (tmp_path / "photos").mkdir()
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / "a.png")
    command = [
        sys.executable,
        BENCHMARKS / "bleeding.py",
        model,
        model,
        "--photos",
        tmp_path / "photos",
        "--limit",
        "1",
    ]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    head, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines())
    assert head[1:] == ["tiny.onnx"] * 2 + [f"true colours, {share} of 64 px" for share in ("1/4", "1/2", "1/1")]
    assert len(lines) == 4 + 2 * 4
    assert {len(line) for line in lines} == {6}
    near, elsewhere, ratio, _ = (line[1:] for line in lines[:4])
    assert near[0] == near[1]
    assert float(ratio[2]) == pytest.approx(float(near[2]) / float(elsewhere[2]), abs=0.02)
