"""The two kinds of pictures that docs/make_domains.py makes of any photos."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mean_colour import draw_colours
from PIL import Image
from served import CHECKOUT


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten, each brighter than the one before."""
    for index in range(10):
        (path,) = draw_colours(tmp_path / "one", 1, (60 + 12 * index,) * 3, seed=index, side=40).iterdir()
        (tmp_path / "photos").mkdir(exist_ok=True)
        path.rename(tmp_path / "photos" / f"{index}.png")
    return tmp_path / "photos"


def made(kind: str, photos: Path) -> dict[str, list[np.ndarray]]:
    out = photos.parent / kind
    subprocess.run([sys.executable, "docs/make_domains.py", kind, photos, "-o", out], check=True, cwd=CHECKOUT)
    return {
        name: [np.asarray(Image.open(path)).astype(float) for path in sorted((out / name).iterdir())]
        for name in ("trainA", "trainB")
    }


def test_dusk_is_the_darkest_third_and_day_the_brightest(photos: Path) -> None:
    sets = made("dusk", photos)
    assert {name: len(pictures) for name, pictures in sets.items()} == {"trainA": 3, "trainB": 3}
    assert min(picture.mean() for picture in sets["trainA"]) > max(picture.mean() for picture in sets["trainB"]) + 30


def test_drawings_are_light_and_grey_and_of_other_photos(photos: Path) -> None:
    sets = made("drawing", photos)
    assert {name: len(pictures) for name, pictures in sets.items()} == {"trainA": 5, "trainB": 5}
    for picture in sets["trainB"]:
        assert (picture == picture[..., :1]).all()
        assert picture.mean() > 200
