import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from noise import noise
from PIL import Image
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.open_source import open_source
from img2img.errors import DataError, ModelError
from img2img.evaluation.chart import figure_panels
from img2img.evaluation.colorizers.colorizer_score import evaluate_colorizer
from img2img.evaluation.colorizers.measured_photos import photos_at
from img2img.evaluation.colorizers.metrics import colourfulness, psnr
from img2img.evaluation.colorizers.similarity import Lpips, ssim
from img2img.evaluation.contact_sheet import contact_sheet, grey_coloured_true
from img2img.evaluation.measure import measure, table
from img2img.evaluation.request import EvaluationRequest


def flat(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)


def test_psnr_of_a_uniform_error_is_its_closed_form() -> None:
    assert psnr(flat(100, 100, 100), flat(110, 110, 110)) == pytest.approx(20 * math.log10(255 / 10))


def test_psnr_of_equal_pictures_is_infinite() -> None:
    assert psnr(flat(1, 2, 3), flat(1, 2, 3)) == math.inf


def test_ssim_of_flat_pictures_is_its_closed_form() -> None:
    steady = (0.01 * 255) ** 2  # without contrast only the means count
    expected = (2 * 100 * 140 + steady) / (100**2 + 140**2 + steady)
    first, second = (np.full((32, 32, 3), grey, np.uint8) for grey in (100, 140))
    assert ssim(first, second) == pytest.approx(expected)
    assert ssim(first, first) == pytest.approx(1)


NOISY = noise(32, 48, 3)


@pytest.mark.slow  # torchmetrics alone takes seconds to import
def test_ssim_is_that_of_torchmetrics() -> None:
    from torchmetrics.functional.image import structural_similarity_index_measure

    half = ((NOISY.astype(int) + NOISY[::-1]) // 2).astype(np.uint8)
    pictures = [torch.from_numpy(each).movedim(-1, 0)[None].double() for each in (half, NOISY)]
    expected = structural_similarity_index_measure(*pictures, data_range=255.0)
    assert ssim(half, NOISY) == pytest.approx(float(expected), abs=1e-9)


def test_ssim_falls_with_noise_and_sees_no_sign_in_a_picture_turned_negative() -> None:
    half = ((NOISY.astype(int) + NOISY[::-1]) // 2).astype(np.uint8)
    assert ssim(255 - NOISY, NOISY) < 0 < ssim(half, NOISY) < 1


@pytest.fixture(scope="module")
def alexnet_file(tmp_path_factory: pytest.TempPathFactory):
    """The part of AlexNet that LPIPS sees, as torchvision publishes it, with weights drawn at random."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("alexnet") / "alexnet.pth"
    torch.save({f"features.{name}": value for name, value in alexnet().features.state_dict().items()}, file)
    return file


def test_lpips_of_equal_pictures_is_0_and_grows_with_the_change(alexnet_file) -> None:
    lpips = Lpips(alexnet_file)
    little, much = ((NOISY * (1 - share)).astype(np.uint8) for share in (0.05, 0.5))
    assert lpips(NOISY, NOISY) == 0
    assert 0 < lpips(little, NOISY) < lpips(much, NOISY)
    assert lpips(much, NOISY) == pytest.approx(lpips(NOISY, much))


@pytest.mark.slow
def test_lpips_of_many_pictures_is_that_of_each_as_torchmetrics_has_it(alexnet_file) -> None:
    from torchmetrics.functional.image.lpips import _LPIPS

    peer = _LPIPS(pnet_rand=True)
    published = torch.load(alexnet_file)
    peer.net.load_state_dict({name: published[f"features.{name.partition('.')[2]}"] for name in peer.net.state_dict()})
    many = [(NOISY * (share / 20)).astype(np.uint8) for share in range(20)]

    def expected(picture) -> float:
        pair = [torch.from_numpy(each).movedim(-1, 0)[None].float() / 127.5 - 1 for each in (picture, NOISY)]
        return float(peer(*pair))

    assert Lpips(alexnet_file).from_truth(many, NOISY) == pytest.approx(
        [expected(picture) for picture in many], abs=1e-5
    )


def test_lpips_uses_the_weights_of_the_file(alexnet_file, tmp_path: Path) -> None:
    weights = torch.load(alexnet_file)
    weights["features.10.weight"].zero_()
    torch.save(weights, tmp_path / "other.pth")
    first, other = Lpips(alexnet_file), Lpips(tmp_path / "other.pth")
    assert first(NOISY, 255 - NOISY) != other(NOISY, 255 - NOISY)


def test_lpips_refuses_other_weights(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other\.pth: not torchvision's AlexNet; fetch https://"):
        Lpips(tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"nowhere\.pth: no such file"):
        Lpips(tmp_path / "nowhere.pth")


def test_figures_of_a_colorizer_have_lpips_where_its_weights_are(
    tiny_model: Path, source, tmp_path: Path, alexnet_file
) -> None:
    request = EvaluationRequest(str(tiny_model), data=(str(tmp_path),), size=64)
    without, with_it = measure(request), measure(replace(request, lpips_weights=alexnet_file))
    assert "lpips" not in without["means"]
    assert {**with_it["means"], **without["means"]} == with_it["means"]
    assert with_it["means"]["lpips"] > 0
    assert "lpips not measured: --lpips-weights FILE takes AlexNet's, https://" in " ".join(table(without).split())
    assert "--lpips-weights" not in table(with_it)
    assert [panel.title.split()[0] for panel in figure_panels(with_it)] == ["PSNR", "SSIM", "LPIPS", "colourfulness"]
    assert [panel.title.split()[0] for panel in figure_panels(without)] == ["PSNR", "SSIM", "colourfulness"]


def test_grey_has_no_colourfulness() -> None:
    assert colourfulness(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, axis=2)) == 0


def test_colourfulness_of_a_flat_colour_is_its_offset_alone() -> None:
    assert colourfulness(flat(200, 100, 50)) == pytest.approx(0.3 * math.hypot(100, 100))


def test_colourfulness_keeps_the_sign_of_the_axes() -> None:
    half_red_half_green = np.concatenate([flat(255, 0, 0), flat(0, 255, 0)])
    # rg is +-255 (mean 0, deviation 255), yb is 127.5 throughout
    assert colourfulness(half_red_half_green) == pytest.approx(255 + 0.3 * 127.5)


@pytest.fixture
def source(tmp_path: Path):
    rng = np.random.default_rng(0)
    for index in range(3):
        pixels = rng.integers(0, 256, (3, 4, 3), np.uint8)
        Image.fromarray(pixels).resize((120, 90), Image.Resampling.BICUBIC).save(tmp_path / f"{index}.png")
    return open_source([tmp_path])


def test_photos_are_brought_to_the_area_in_multiples(source) -> None:
    for photo in photos_at(source, 128):
        assert photo.size == (160, 96) or photo.size == (160, 128) or photo.size == (128, 96)
        assert photo.width % 32 == photo.height % 32 == 0


def test_grey_model_gains_nothing_and_has_no_colour(source) -> None:
    score = evaluate_colorizer(lambda image: image, source, size=64)
    assert score.photos == 3
    assert score.psnr_gain == pytest.approx(0)
    assert score.ssim == score.ssim_of_grey < 1
    assert score.colourfulness_ratio == pytest.approx(0)


def knowing(source, size: int):
    """A colorizer that knows the true photos by their greys."""
    truths = {photo.convert("L").tobytes(): photo for photo in photos_at(source, size)}
    return lambda grey: truths[grey.tobytes()]


def test_perfect_model_reaches_the_truths_colourfulness(source) -> None:
    score = evaluate_colorizer(knowing(source, 64), source, size=64)
    assert score.psnr == math.inf
    assert score.ssim == pytest.approx(1)
    assert score.colourfulness_ratio == pytest.approx(1)


def test_lpips_of_true_colours_is_0_and_that_of_no_colours_is_that_of_the_grey_photo(source, alexnet_file) -> None:
    lpips = Lpips(alexnet_file)
    assert evaluate_colorizer(knowing(source, 64), source, size=64, lpips=lpips).lpips == pytest.approx(0, abs=1e-7)
    grey = evaluate_colorizer(lambda image: image, source, size=64, lpips=lpips)
    assert grey.lpips == pytest.approx(grey.lpips_of_grey) != 0


def test_contact_sheet_shows_grey_coloured_and_truth_of_photos_chosen_by_seed(source, tmp_path: Path) -> None:
    def reddened(image: Image.Image) -> Image.Image:
        return Image.merge("RGB", (Image.new("L", image.size, 255), image, image))

    def drawn(seed: int) -> bytes:
        row = grey_coloured_true(reddened)
        contact_sheet(row, source, tmp_path / "sheet.png", count=3, seed=seed, cell=90)
        return (tmp_path / "sheet.png").read_bytes()

    drawn(0)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet)
    grey, coloured = pixels[:90, :90], pixels[:90, 90:180]
    assert np.ptp(grey, axis=2).max() == 0
    assert (coloured[..., 0] == 255).all()
    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_photos_without_colour_are_left_out(source, tmp_path: Path) -> None:
    Image.new("L", (64, 64), 90).save(tmp_path / "grey.png")
    score = evaluate_colorizer(lambda image: image, open_source([tmp_path]), size=64)
    assert score.photos == 3
    assert math.isfinite(score.psnr_gain)


def test_nothing_but_grey_photos_is_refused(tmp_path: Path) -> None:
    Image.new("L", (64, 64), 90).save(tmp_path / "grey.png")
    with pytest.raises(DataError, match="give colour photos"):
        evaluate_colorizer(lambda image: image, open_source([tmp_path]), size=64)


@pytest.mark.parametrize(
    "words", [["--temperatures", "a,b"], ["--temperatures", "0"], ["--sheet", "nowhere/s.png"], ["--sheet", "s.xyz"]]
)
def test_option_that_cannot_be_is_refused_before_work(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["evaluate", "no-such-model", "--data", ".", *words])
    assert result.exit_code == 2
    assert words[1].split(",")[0] in result.stderr
