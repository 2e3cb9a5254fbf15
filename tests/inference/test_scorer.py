"""The score of a photo: its formula by hand, its parts, and what is said when one of them is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_critic import EVEN, LOST, brightness_critic, scored_pair
from tiny_translator import IDENTITY, matrix_translator

from img2img.errors import ModelError
from img2img.inference.opened_model import find_critic
from img2img.inference.runtimes.execution import Execution
from img2img.inference.scorer import (
    GREY_LEVEL,
    QUANTILES,
    Parts,
    Scorer,
    combined,
    grain,
    quantile_name,
    quantiles_of,
    share_below,
)
from img2img.inference.translator import Translator
from img2img.model_file import lookup
from img2img.photo import Photo


def even(value: int, *shape: int) -> Photo:
    return Photo(np.full((*shape, 3), value, np.uint8), "RGB")


@pytest.fixture
def scorer(tmp_path: Path) -> Scorer:
    return Scorer(Translator(scored_pair(tmp_path), threads=1), Execution(threads=1))


@pytest.mark.parametrize(
    ("z", "share"),
    [
        (-7.0, 0.0),  # stranger than the strangest hundredth
        (-3.0, 0.01),
        (-2.5, 0.03),  # half way from the first quantile to the second
        (-2.0, 0.05),
        (0.0, 0.5),
        (0.25, 0.5625),  # a quarter of the way from 50% to 75%
        (3.0, 0.99),
        (3.1, 1.0),
    ],
)
def test_share_lies_on_a_line_between_quantiles_and_is_0_or_1_outside(z: float, share: float) -> None:
    values = (-3.0, -2.0, -1.5, -1.0, 0.0, 1.0, 1.5, 2.0, 3.0)
    score = {quantile_name(q): value for q, value in zip(QUANTILES, values, strict=True)}
    assert share_below(z, score) == pytest.approx(share)


def test_quantiles_have_names_in_per_cent() -> None:
    assert [quantile_name(q) for q in QUANTILES] == ["q01", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99"]


def test_z_is_the_critics_minus_half_of_the_cycles() -> None:
    score = {"critic_mean": 1.0, "critic_std": 2.0, "cycle_mean": 0.1, "cycle_std": 0.05}
    assert combined(Parts(critic=4.0, cycle=0.2), score) == pytest.approx((4 - 1) / 2 - 0.5 * (0.2 - 0.1) / 0.05)


def test_quantiles_are_those_of_the_pictures_z() -> None:
    pictures = [Parts(critic=float(n), cycle=0.3) for n in range(101)]
    score = quantiles_of(pictures)
    assert (score["pictures"], score["critic_mean"], score["cycle_mean"]) == (101, 50, pytest.approx(0.3))
    assert score["critic_std"] == pytest.approx((101**2 - 1) ** 0.5 / 12**0.5)  # of 0 to 100
    assert score["q25"] == pytest.approx((25 - 50) / score["critic_std"])
    for n in (1, 25, 60, 99):
        assert share_below(combined(pictures[n], score), score) == pytest.approx(n / 100)


def test_grain_is_the_mean_difference_between_neighbours() -> None:
    board = np.indices((4, 6)).sum(0)[..., None] % 2 * np.ones(3)
    assert grain(board) == pytest.approx(2)
    assert grain(board[:1].repeat(4, axis=0)) == pytest.approx(1)  # stripes
    assert grain(np.zeros((4, 6, 3))) == 0


def test_parts_are_the_critics_logit_and_what_the_cycle_loses(scorer: Scorer) -> None:
    parts = scorer.parts(even(153, 90, 120))
    assert parts.critic == pytest.approx(0.2, abs=1e-6)
    assert parts.cycle == pytest.approx(LOST / GREY_LEVEL**0.5)  # an even picture has no grain
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 100
    assert scorer.parts(Photo(stripes, "RGB")).cycle == pytest.approx(LOST / (100 / 127.5) ** 0.5)


def test_score_is_what_the_formula_says(scorer: Scorer) -> None:
    cycle = LOST / GREY_LEVEL**0.5
    z = 0.2 / 0.5 - 0.5 * (cycle - 1) / 2
    assert -0.9 < z < 0.9
    assert scorer.score(even(153, 90, 120)) == pytest.approx((z + 1) / 2)


def test_each_way_has_its_own_column_of_the_critic(tmp_path: Path) -> None:
    scored_pair(tmp_path)
    back = Scorer(Translator(tmp_path / "b2a.onnx", threads=1), Execution(threads=1))
    assert back.parts(even(153, 64, 64)).critic == pytest.approx(-0.2, abs=1e-6)


def test_grey_photo_of_16_bit_gets_the_same_score(scorer: Scorer) -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None] * 3, (64, 64))
    rgb = Photo(np.ascontiguousarray(np.repeat(ramp[..., None], 3, 2)), "RGB")
    grey = Photo(np.ascontiguousarray(ramp.astype(np.uint16) * 257), "L")
    assert scorer.parts(grey).critic == pytest.approx(scorer.parts(rgb).critic)
    assert scorer.score(grey) == pytest.approx(scorer.score(rgb))
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
    with pytest.raises(ModelError, match=r"critic\.onnx: gives no logits .*export it again"):
        Scorer(Translator(path, threads=1)).score(even(9, 64, 64))


def test_translator_itself_needs_no_critic(tmp_path: Path) -> None:
    path = scored_pair(tmp_path)
    (tmp_path / "critic.onnx").unlink()
    assert Translator(path, threads=1).card.score == EVEN
