"""The benchmark of priors counts what it says, and draws its sheet."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from img2img.data.open_source import open_source

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_shares_that_move_along_a_line_move_by_its_mean_projection() -> None:
    """All of it, 10 units along a: 10 |cos| over 8 directions."""
    from steer_prior import moved

    centres = np.array([[0, 0], [10, 0]], np.float32)
    expected = 10 * np.abs(np.cos(np.arange(8) * np.pi / 8)).mean()
    assert moved(np.array([1, -1], np.float32), centres) == pytest.approx(expected, rel=1e-5)
    assert moved(np.zeros(2, np.float32), centres) == 0


def test_photos_that_chose_the_constants_are_not_measured(colour_photos: Path) -> None:
    from steer_prior import measured_half

    source = open_source([colour_photos])
    half = measured_half(source, 1000)
    assert [half.name(place) for place in range(len(half))] == [
        source.name(place) for place in range(1, len(source), 2)
    ]
    assert len(measured_half(source, 2)) == 2


@pytest.mark.slow
def test_sheet_has_a_row_of_references_and_one_for_each_photo(colour_photos: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    script = BENCHMARKS / "steer_prior.py"
    subprocess.run([sys.executable, script, colour_photos, "--sheet", sheet, "--limit", "4"], check=True)
    with Image.open(sheet) as image:
        assert image.width == 11 * 144
