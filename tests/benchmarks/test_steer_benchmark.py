"""The benchmark of steering measures what it says, and runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from img2img.inference.colorizer import Colorizer
from img2img.steering.hints import parse_hint

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_a_true_hint_is_the_mean_of_7_x_7_pixels_that_are_there() -> None:
    from steering_rows.hints import _true_hint

    truth = np.zeros((20, 30, 3), np.uint8)
    truth[:7, :7] = (70, 140, 210)
    assert _true_hint(truth, 3, 3) == parse_hint("3,3=#468cd2")
    assert _true_hint(truth, 0, 0) == parse_hint("0,0=#468cd2")  # of 4 x 4
    assert _true_hint(truth, 3, 10) == parse_hint("10,3=#000000")
    assert _true_hint(truth, 3, 4).color == (60, 120, 180)  # 6 of 7 columns


def test_places_are_drawn_from_the_seed() -> None:
    from steering_rows.hints import true_hints

    truth = np.zeros((20, 30, 3), np.uint8)
    one, same, other = (true_hints(truth, 3, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one == same != other


def test_photos_without_colour_and_the_first_by_name_are_left_out(tmp_path: Path) -> None:
    from steering_rows.subject import Subject

    for number, colour in enumerate(("red", "green", "grey", "blue", "white", "yellow")):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{number}.png")
    subject = Subject(Colorizer("colorizer", threads=1), "colorizer", [str(tmp_path)], skip=1)
    colours = [photo.getpixel((9, 9)) for photo in subject.photos()]
    assert colours == [(0, 128, 0), (0, 0, 255), (255, 255, 0)]


@pytest.mark.slow
def test_the_table_has_a_row_a_count(tmp_path: Path) -> None:
    down, across = np.mgrid[:128, :160]
    pixels = np.stack([200 - across, 60 + across // 2, 60 + down], axis=2)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "a.png")
    command = [sys.executable, BENCHMARKS / "steer.py", "hints", "--data", tmp_path]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    head, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines())
    assert head == ["what", "must reach", "measured", "median photo"]
    assert [line[0].split()[0] for line in lines] == ["1", "3", "10"]
    assert all(line[2] == line[3] for line in lines)  # the mean of one is its median
    assert float(lines[2][2].removesuffix(" dB")) > 1
