"""The bare script, which is a floor for what one photo takes, colours as img2img does; the ratio is to it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
MODEL = BENCHMARKS.parent / "checkpoints" / "colorizer.onnx"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def planes(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("YCbCr")).astype(int)


def test_bare_script_does_the_same_work_on_the_same_photo(tmp_path: Path) -> None:
    from sides.bare_script import colorize, opened
    from sides.drawn_photos import make_small

    from img2img import Colorizer

    make_small(tmp_path / "in", 1)
    photo = tmp_path / "in" / "0000.jpg"
    with Image.open(photo) as image:
        image.save(tmp_path / "lossless.png")
        ours = np.asarray(Colorizer(MODEL, threads=1)(image).convert("YCbCr")).astype(int)
    colorize(tmp_path / "lossless.png", tmp_path / "in", opened(MODEL, 1))
    away = np.abs(planes(tmp_path / "in" / "lossless.png") - ours)
    assert np.median(away) <= 1
    assert away.mean() < 1


def test_ratio_is_to_the_bare_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["colorize.py"])
    import colorize
    from whole_process import Run

    ours, bare = [Run(3.0, 180, "", 2.0)] * 3, [Run(2.0, 150, "", 1.0)] * 3
    rows = colorize.compared("a photo", ("1.2 x",), ours, bare)
    assert rows == [
        ("a photo, wall", "1.2 x", "3.00 s", "2.00 s", "1.50 x"),
        ("a photo, processor time", "", "2.00 s", "1.00 s", "2.00 x"),
        ("a photo, peak memory", "", "180 MiB", "150 MiB", "1.20 x"),
    ]
