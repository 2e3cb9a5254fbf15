"""The change outside of a subject: hand-worked for masks drawn by code, and masks grown from seeds of known places."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from mean_colour import draw_colours, mean_colour
from PIL import Image
from tiny_translator import RED_TO_BLUE, matrix_translator
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.errors import SettingError, UsageError
from img2img.evaluation.measure import measure
from img2img.evaluation.request import EvaluationRequest
from img2img.evaluation.sets.comparison import FEWEST
from img2img.evaluation.subject.change_outside import summed_change
from img2img.evaluation.subject.subject_mask import subject_masks
from img2img.model_file import read_card
from img2img.networks.imagenet.subject_encoder import SubjectEncoder
from img2img.recipes.translation.subject_class import class_indices


def middle() -> torch.Tensor:
    mask = torch.zeros(12, 12, dtype=torch.bool)
    mask[4:8, 4:8] = True
    return mask


def test_picture_left_as_it_is_has_no_change_anywhere() -> None:
    figures = summed_change([torch.zeros(12, 12)], [middle()], rim=1).figures()
    assert figures == {
        "pictures_with_subject": 1,
        "change_outside": 0,
        "change_inside": 0,
        "share_outside": 0,
        "change_foreground": 0,
    }


def test_change_is_told_apart_inside_outside_and_in_the_lower_third_and_the_rim_counts_in_the_whole_alone() -> None:
    difference = torch.full((12, 12), 2.0)
    difference[8:] = 5  # the lower third, whose first row has 6 pixels of the rim
    difference[middle()] = 10
    figures = summed_change([difference], [middle()], rim=1)
    above, below = 144 - 36 - 42, 48 - 6  # outside the mask of 16 pixels and its rim of 20
    assert figures.change_inside == 10
    assert figures.change_foreground == 5
    assert figures.change_outside == pytest.approx((2 * above + 5 * below) / 108)
    assert figures.share_outside == pytest.approx((2 * above + 5 * below) / (160 + 2 * 80 + 5 * 48))


def test_mask_grows_over_the_places_that_have_the_features_of_the_seeds() -> None:
    features = torch.randn(3, 10, 10, generator=torch.Generator().manual_seed(0)) * 0.05
    features[0, 2:8, 2:8] += 1
    log_odds = torch.full((10, 10), 1.0)  # neither the subject nor surely its surroundings
    log_odds[0], log_odds[4:6, 3:7] = -1, 4
    mask, none = subject_masks([features, features], [log_odds, torch.zeros(10, 10)], 10)
    assert none is None
    assert mask is not None
    expected = torch.zeros(10, 10, dtype=torch.bool)
    expected[2:8, 2:8] = True
    assert (mask == expected).float().mean() > 0.95


def test_subject_is_all_animals_or_a_class_and_a_slip_is_answered_with_the_nearest() -> None:
    assert len(class_indices("animal")) == 398
    assert class_indices("Zebra") == [340]
    with pytest.raises(SettingError, match="did you mean sorrel"):
        class_indices("sorrell")


def test_slip_in_the_options_class_is_answered_as_a_wrong_option() -> None:
    asked = EvaluationRequest("horse2zebra", data=("a",), real=("b",), subject_class="sorrell")
    with pytest.raises(UsageError, match=r"^--subject=sorrell: no such class; did you mean sorrel"):
        measure(asked)


@pytest.mark.parametrize("dim", [1, 2])
def test_features_of_a_place_are_of_the_pixels_under_it(dim: int) -> None:
    """Those of the mirrored picture lie where the mirrored ones do, and not a place beside: nothing is displaced."""
    coarse = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1
    picture = torch.nn.functional.interpolate(coarse, size=(256, 256))
    encoder = SubjectEncoder(class_indices("animal"))
    features, mirrored = encoder(picture)[0][0], encoder(picture.flip(dim + 1))[0][0].flip(dim)

    def likeness(shift: int) -> float:
        inner, moved = (some[:, 4:-4, 4:-4] for some in (features, mirrored.roll(shift, dim)))
        return float(torch.nn.functional.cosine_similarity(inner, moved, dim=0).mean())

    assert likeness(0) > max(likeness(-1), likeness(1)) + 0.02


@pytest.fixture
def grey_pictures_with_a_red_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where red and blue change places, the middle alone changes, by (130 + 0 + 130) / 3 grey levels."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("img2img.evaluation.sets.distances.RESAMPLES", 20)
    monkeypatch.setattr("img2img.evaluation.measure.feature_network", lambda *_: mean_colour())
    matrix_translator(Path("swap.onnx"), RED_TO_BLUE, native_size=256)
    draw_colours(Path("blue"), FEWEST, (60, 70, 190))
    Path("red").mkdir()
    pixels = np.full((256, 256, 3), 128, np.uint8)
    pixels[92:164, 92:164] = (190, 70, 60)
    for index in range(FEWEST):
        Image.fromarray(pixels).save(f"red/{index}.png")


class MiddleEncoder:
    """Stands for the encoder: sure of the subject in the middle 64 pixels, as far as that is red."""

    def __init__(self, classes: Sequence[int]) -> None:
        self.animals = len(classes) == 398

    def __call__(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features, log_odds = torch.zeros(1, 2, 24, 24), torch.full((1, 1, 24, 24), -4.0)
        features[0, 0, 9:15, 9:15] = picture[0, 0, 128, 128]
        if self.animals:
            log_odds[..., 9:15, 9:15] = 4
        return features, log_odds


@pytest.mark.usefixtures("grey_pictures_with_a_red_middle")
def test_command_prints_and_saves_the_change_around_the_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("img2img.evaluation.subject.change_outside.SubjectEncoder", MiddleEncoder)
    words = ["evaluate", "swap.onnx", "--data", "red", "--real", "blue", "--subject"]
    result = CliRunner().invoke(app, [*words, "animal", "--save", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    change = figures["change"]
    assert (change["pictures_with_subject"], change["change_outside"], change["share_outside"]) == (FEWEST, 0, 0)
    assert change["change_inside"] == pytest.approx(260 / 3, abs=0.5)
    card = read_card(Path("swap.onnx"))
    assert card.metrics == figures
    assert card.metrics_command == "img2img evaluate swap --data red --real blue --subject animal"
    table = " ".join(CliRunner().invoke(app, [*words, "zebra"]).stdout.split())
    assert "change pictures_with_subject 0" in table


@pytest.mark.usefixtures("grey_pictures_with_a_red_middle")
def test_class_that_is_none_is_refused_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("img2img.evaluation.measure.compare_translated")
    result = CliRunner().invoke(
        app, ["evaluate", "swap.onnx", "--data", "red", "--real", "blue", "--subject", "sorrell"]
    )
    assert result.exit_code == 2
    assert "did you mean sorrel" in result.stderr
