"""The benchmark of films counts what it says, and runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Colours that change slowly from place to place."""
    down, across = np.mgrid[:120, :160] / 40
    pixels = np.stack([128 + 90 * np.sin(across), 128 + 90 * np.cos(down), np.full_like(down, 90)], axis=2)
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("movement", ["pan", "zoom"])
def test_true_colours_hardly_change_along_the_true_motion(photo: Path, movement: str) -> None:
    from scenes.camera_clips import change_along, make_clip, true_fields

    clip = make_clip(photo, movement, (96, 64), 6)
    true = true_fields(clip, (64, 96))
    in_place = np.mean([np.hypot(*(true[number] - true[number - 1])).mean() for number in range(1, 6)])
    assert change_along(clip, true) < 0.15 * in_place


def test_a_field_that_flickers_changes_by_its_flicker(photo: Path) -> None:
    from scenes.camera_clips import change_along, make_clip

    clip = make_clip(photo, "pan", (96, 64), 5)
    flat = [
        np.stack([np.full((64, 96), 3.0 * (number % 2)), np.full((64, 96), 4.0 * (number % 2))]) for number in range(5)
    ]
    assert change_along(clip, flat) == pytest.approx(5)


@pytest.mark.slow
def test_the_script_prints_both_tables(photo: Path, tiny_model: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "film.py"), "--frames", "4", "--model", str(tiny_model)]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    for more, lines in (["--photos", str(photo.parent)], 2 + 4 + 1), (["speed"], 2 + 3):
        done = subprocess.run([*command, *more], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == lines
