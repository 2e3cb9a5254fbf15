"""The score of a photo: by hand, and what is said when a part of it is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_critic import EVEN, brightness_critic, scored_pair
from tiny_translator import IDENTITY, matrix_translator

from img2img.errors import ModelError
from img2img.inference.opened_model import find_critic
from img2img.inference.runtimes.execution import Execution
from img2img.inference.scorer import QUANTILES, Scorer, as_seen, quantile_name, quantiles_of, share_below
from img2img.inference.translator import Translator
from img2img.model_file import TensorSpec, lookup
from img2img.photo import Photo


def even(value: int, *shape: int) -> Photo:
    return Photo(np.full((*shape, 3), value, np.uint8), "RGB")


@pytest.fixture
def scorer(tmp_path: Path) -> Scorer:
    return Scorer(Translator(scored_pair(tmp_path), threads=1), Execution(threads=1))


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (-7.0, 0.0),  # stranger than the strangest hundredth
        (-3.0, 0.01),
        (-2.75, 0.0125),  # a quarter of the way from the first quantile to the second
        (-2.0, 0.02),
        (0.0, 0.5),
        (0.25, 0.5625),  # a quarter of the way from 50% to 75%
        (3.0, 0.99),
        (3.1, 1.0),
    ],
)
def test_share_lies_on_a_line_between_quantiles_and_is_0_or_1_outside(value: float, share: float) -> None:
    values = (-3.0, -2.0, -1.8, -1.5, -1.0, 0.0, 1.0, 1.5, 2.0, 3.0)
    score = {quantile_name(q): at for q, at in zip(QUANTILES, values, strict=True)}
    assert share_below(value, score) == pytest.approx(share)


def test_quantiles_have_names_in_per_cent() -> None:
    names = ["q01", "q02", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99"]
    assert [quantile_name(q) for q in QUANTILES] == names


def test_quantiles_are_those_of_the_pictures() -> None:
    score = quantiles_of([float(n) for n in range(101)])
    assert (score["pictures"], score["q02"], score["q25"]) == (101, 2, 25)
    for n in (1, 25, 60, 99):
        assert share_below(n, score) == pytest.approx(n / 100)


def test_score_is_the_share_of_pictures_below_what_the_critic_says(scorer: Scorer) -> None:
    photo = even(153, 90, 120)
    assert scorer.log_likelihood(photo) == pytest.approx(0.2, abs=1e-6)
    assert scorer.score(photo) == scorer.share(scorer.log_likelihood(photo)) == pytest.approx(0.7)
    assert scorer.score(even(10, 90, 120)) == 0


def test_each_way_has_its_own_column_of_the_critic(tmp_path: Path) -> None:
    scored_pair(tmp_path)
    back = Scorer(Translator(tmp_path / "b2a.onnx", threads=1), Execution(threads=1))
    assert back.log_likelihood(even(153, 64, 64)) == pytest.approx(-0.2, abs=1e-6)


def test_critic_sees_a_small_copy_with_sides_that_it_takes() -> None:
    assert as_seen(even(153, 300, 600), 128, 32).shape == (1, 3, 96, 192)
    grey = Photo(np.full((40, 40), 255, np.uint8), "L")
    assert as_seen(grey, 64, 32) == pytest.approx(np.ones((1, 3, 64, 64)))


def test_grey_photo_of_16_bit_gets_the_same_score(scorer: Scorer) -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None] * 3, (64, 64))
    rgb = Photo(np.ascontiguousarray(np.repeat(ramp[..., None], 3, 2)), "RGB")
    grey = Photo(np.ascontiguousarray(ramp.astype(np.uint16) * 257), "L")
    assert scorer.log_likelihood(grey) == pytest.approx(scorer.log_likelihood(rgb))
    assert scorer.score(replace(rgb, alpha=np.zeros((64, 64), np.uint8))) == scorer.score(rgb)


def test_critic_lies_beside_the_model_or_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, shelf = scored_pair(tmp_path), tmp_path / "shelf"
    assert find_critic(path) == tmp_path / "critic.onnx"
    shelf.mkdir()
    monkeypatch.setattr(lookup, "checkpoints", lambda: shelf)
    (tmp_path / "critic.onnx").rename(shelf / "critic.onnx")
    assert find_critic(path) == shelf / "critic.onnx"


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        Scorer(Translator(path, threads=1))
    return str(caught.value)


def test_what_is_missing_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = scored_pair(tmp_path, critic=None)
    assert "its card names no critic, so photos get no score; `img2img export --critic` adds it" in refusal(path)
    path = scored_pair(tmp_path, score=None)
    assert "its card has no quantiles of a score: `img2img export --critic` measures them" in refusal(path)
    path = scored_pair(tmp_path)
    (tmp_path / "critic.onnx").unlink()
    assert "critic.onnx: not there, and a2b.onnx needs it for scores: keep the two side by side" in refusal(path)
    matrix_translator(tmp_path / "critic.onnx", IDENTITY)
    assert "is a model for 'translate', and scoring needs one for 'critic'" in refusal(path)
    brightness_critic(tmp_path / "critic.onnx", classes=("c2d", "d2c"))
    assert "judges what is given to c2d and d2c, not to a2b" in refusal(path)
    brightness_critic(tmp_path / "critic.onnx", classes=("a2b",))
    with pytest.raises(ModelError, match=r"critic\.onnx: gives no numbers .*export it again"):
        Scorer(Translator(path, threads=1)).score(even(9, 64, 64))


def test_critic_or_score_of_an_earlier_kind_is_refused(tmp_path: Path) -> None:
    earlier = "critic.onnx: a critic of an earlier kind: `img2img export --critic` makes a new one"
    path = scored_pair(tmp_path, score={"pictures": 9.0, "critic_mean": 0.0, "cycle_mean": 1.0, "q50": 0.0})
    assert earlier in refusal(path)
    path = scored_pair(tmp_path)
    brightness_critic(tmp_path / "critic.onnx", outputs=(TensorSpec("critic", (1, 2), "logit", (-1.0, 1.0)),))
    assert earlier in refusal(path)


def test_translator_itself_needs_no_critic(tmp_path: Path) -> None:
    path = scored_pair(tmp_path)
    (tmp_path / "critic.onnx").unlink()
    assert Translator(path, threads=1).card.score == EVEN
