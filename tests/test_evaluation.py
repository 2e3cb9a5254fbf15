import math

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import DataError
from img2img.evaluation.contact_sheet import CELL, contact_sheet
from img2img.evaluation.evaluate import evaluate_colorizer, photos_at
from img2img.evaluation.metrics import colourfulness, psnr
from img2img.training.image_source import open_source


def flat(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)


def test_psnr_of_a_uniform_error_is_its_closed_form():
    assert psnr(flat(100, 100, 100), flat(110, 110, 110)) == pytest.approx(20 * math.log10(255 / 10))


def test_psnr_of_equal_pictures_is_infinite():
    assert psnr(flat(1, 2, 3), flat(1, 2, 3)) == math.inf


def test_grey_has_no_colourfulness():
    assert colourfulness(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, axis=2)) == 0


def test_colourfulness_of_a_flat_colour_is_its_offset_alone():
    assert colourfulness(flat(200, 100, 50)) == pytest.approx(0.3 * math.hypot(100, 100))


def test_colourfulness_keeps_the_sign_of_the_axes():
    half_red_half_green = np.concatenate([flat(255, 0, 0), flat(0, 255, 0)])
    # rg is +-255 (mean 0, deviation 255), yb is 127.5 throughout
    assert colourfulness(half_red_half_green) == pytest.approx(255 + 0.3 * 127.5)


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    for index in range(3):
        pixels = rng.integers(0, 256, (3, 4, 3), np.uint8)
        Image.fromarray(pixels).resize((120, 90), Image.Resampling.BICUBIC).save(tmp_path / f"{index}.png")
    return open_source([tmp_path])


def test_photos_are_brought_to_the_area_in_multiples(source):
    for photo in photos_at(source, 128):
        assert photo.size == (160, 96) or photo.size == (160, 128) or photo.size == (128, 96)
        assert photo.width % 32 == photo.height % 32 == 0


def test_grey_model_gains_nothing_and_has_no_colour(source):
    score = evaluate_colorizer(lambda image: image, source, size=64)
    assert score.photos == 3
    assert score.psnr_gain == pytest.approx(0)
    assert score.colourfulness_ratio == pytest.approx(0)


def test_perfect_model_reaches_the_truths_colourfulness(source):
    truth = iter(list(photos_at(source, 64)))
    score = evaluate_colorizer(lambda _: next(truth), source, size=64)
    assert score.psnr == math.inf
    assert score.colourfulness_ratio == pytest.approx(1)


def test_contact_sheet_shows_grey_coloured_and_truth_of_photos_chosen_by_seed(source, tmp_path):
    def reddened(image: Image.Image) -> Image.Image:
        return Image.merge("RGB", (Image.new("L", image.size, 255), image, image))

    def drawn(seed: int) -> bytes:
        contact_sheet(reddened, source, tmp_path / "sheet.png", count=3, seed=seed)
        return (tmp_path / "sheet.png").read_bytes()

    drawn(0)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    grey, coloured = pixels[:CELL, :CELL], pixels[:CELL, CELL : 2 * CELL]
    assert np.ptp(grey, axis=2).max() == 0
    assert (coloured[..., 0] == 255).all()
    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_photos_without_colour_are_left_out(source, tmp_path):
    Image.new("L", (64, 64), 90).save(tmp_path / "grey.png")
    score = evaluate_colorizer(lambda image: image, open_source([tmp_path]), size=64)
    assert score.photos == 3
    assert math.isfinite(score.psnr_gain)


def test_nothing_but_grey_photos_is_refused(tmp_path):
    Image.new("L", (64, 64), 90).save(tmp_path / "grey.png")
    with pytest.raises(DataError, match="give colour photos"):
        evaluate_colorizer(lambda image: image, open_source([tmp_path]), size=64)


@pytest.mark.parametrize(
    "words", [["--temperatures", "a,b"], ["--temperatures", "0"], ["--sheet", "nowhere/s.png"], ["--sheet", "s.xyz"]]
)
def test_option_that_cannot_be_is_refused_before_work(words):
    result = CliRunner().invoke(app, ["evaluate", "no-such-model", "--data", ".", *words])
    assert result.exit_code == 2
    assert words[1].split(",")[0] in result.stderr
