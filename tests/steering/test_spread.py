"""Hints colour what they are on, as far as it goes, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.errors import UsageError
from img2img.lab import Floats
from img2img.photo.pixels import Pixels
from img2img.steering import spread
from img2img.steering.colors import ab_of
from img2img.steering.hints import parse_hint
from img2img.steering.spread import PULL, spread_hints

RED = ab_of((138, 43, 43))


def steered(grey: Pixels, *hints: str, ab: Floats | None = None, logits: Floats | None = None) -> Floats:
    """ab (2, h, w) of a small luma that is the photo itself; grey predicted and all classes alike by default."""
    h, w = grey.shape
    predicted = np.zeros((2, h, w), np.float32) if ab is None else ab
    classes = np.zeros((3, -(-h // 4), -(-w // 4)), np.float32) if logits is None else logits
    return spread_hints([parse_hint(hint) for hint in hints], grey, predicted, classes, photo=(h, w))


def flat(h: int = 32, w: int = 32, level: int = 120) -> Pixels:
    return np.full((h, w), level, np.uint8)


def share(ab: Floats) -> Floats:
    """How much of RED's chroma is in ab (2, h, w)."""
    shares: Floats = np.tensordot(RED, ab, axes=1) / np.float32(RED @ RED)
    return shares


def test_along_an_even_line_a_point_fades_as_a_hyperbolic_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is like it far away, and a spot of one pixel; two pixels of the photo are one of the line."""
    monkeypatch.setattr(spread, "FAR", 0)
    monkeypatch.setattr(spread, "NEAR", 1e6)
    monkeypatch.setattr(spread, "NEAR_SIDE", 0.01)
    n, decay = 80, np.arccosh(1 + PULL / 2)
    expected = np.cosh(decay * (n - np.arange(n) - 0.5)) / np.cosh(decay * (n - 0.5))
    found = share(steered(flat(2, 2 * n), "0,0=#8a2b2b"))[0, ::2]
    np.testing.assert_allclose(found[:-1], expected[:-1], rtol=3e-3)


def test_a_place_has_its_hints_colour() -> None:
    rng = np.random.default_rng(0)
    grey, ab = rng.integers(0, 256, (33, 30), np.uint8), rng.normal(0, 20, (2, 33, 30)).astype(np.float32)
    found = steered(grey, "3,4=#8a2b2b", "4,4=#3a6b35", "100%,100%=#808080", ab=ab)
    np.testing.assert_array_equal(found[:, 4, 3], RED)
    np.testing.assert_array_equal(found[:, 4, 4], ab_of((0x3A, 0x6B, 0x35)))
    np.testing.assert_allclose(found[:, 32, 29], 0, atol=0.01)


def test_of_two_hints_at_a_place_the_last_counts() -> None:
    assert np.array_equal(steered(flat(), "3,4=#3a6b35", "3,4=#8a2b2b"), steered(flat(), "3,4=#8a2b2b"))


def test_an_edge_of_luma_keeps_a_colour_on_its_side() -> None:
    grey = flat(level=90)
    grey[:, 17:] = 150
    found = share(steered(grey, "5,16=#8a2b2b"))
    assert found[:, :16].min() > 0.8
    assert found[:, 18:].max() < 0.02


def test_a_thin_line_parts_what_differs_and_joins_what_is_alike() -> None:
    """On both sides of a bar the same light: alike in the model's eyes, the other side follows; unlike, it does not."""
    grey = flat()
    grey[:, 15:18] = 10
    assert share(steered(grey, "5,16=#8a2b2b"))[:, 20:].min() > 0.8
    logits = np.zeros((3, 8, 8), np.float32)
    logits[0, :, :4], logits[1, :, 4:] = 5, 5
    assert share(steered(grey, "5,16=#8a2b2b", logits=logits))[:, 20:].max() < 0.02


def test_an_edge_of_the_posterior_keeps_a_colour_on_its_side() -> None:
    logits = np.zeros((3, 8, 8), np.float32)
    logits[0, :, :4], logits[1, :, 4:] = 5, 5
    found = share(steered(flat(), "5,16=#8a2b2b", logits=logits))
    assert found[:, :10].min() > 0.8
    assert found[:, 22:].max() < 0.05


def test_two_hints_of_a_colour_reach_further_than_one() -> None:
    one, both = (
        share(steered(flat(64, 64), *hints)) for hints in (["8,31=#8a2b2b"], ["8,31=#8a2b2b", "55,31=#8a2b2b"])
    )
    assert one.max() <= both.max() <= 1 + 1e-4
    assert (both > one - 1e-4).all()
    assert both[31, 31] > one[31, 31]


def test_two_hints_in_one_region_meet_between_them() -> None:
    """In the middle of a scene that is its own mirror image (every other pixel of 33) both count alike."""
    red, green = RED, ab_of((0x3A, 0x6B, 0x35))
    found = steered(flat(33, 33), "4,16=#8a2b2b", "28,16=#3a6b35")[:, 16]
    own = np.linalg.solve(np.stack([red, green], axis=1), found)  # of each in each pixel
    assert own[0, 16] == pytest.approx(own[1, 16], rel=1e-3)
    assert own[0, 16] > 0.3
    assert (np.diff(own[0, 4:29]) < 1e-6).all()
    assert (np.diff(own[1, 4:29]) > -1e-6).all()


def test_a_mirrored_scene_is_coloured_in_mirror_image() -> None:
    grey = np.random.default_rng(0).integers(100, 130, (33, 33), np.uint8)
    one, mirrored = steered(grey, "4,10=#8a2b2b"), steered(grey[:, ::-1].copy(), "28,10=#8a2b2b")
    np.testing.assert_allclose(one, mirrored[:, :, ::-1], atol=0.05)
    turned = steered(np.ascontiguousarray(grey.T), "10,4=#8a2b2b")
    np.testing.assert_allclose(one, np.moveaxis(turned, 1, 2), atol=0.01)


def test_a_grey_hint_makes_grey() -> None:
    predicted = np.broadcast_to(np.reshape(RED, (2, 1, 1)), (2, 32, 32)).copy()
    assert share(steered(flat(), "16,16=#777", ab=predicted)).max() < 0.1


def test_the_wall_keeps_its_colour_but_a_cast_goes_from_all() -> None:
    """What is unlike the hint is pulled to the prediction the more, the further the hint is from it."""
    logits = np.zeros((2, 16, 16), np.float32)
    logits[0, :, 8:] = np.linspace(0, 3, 8)  # what the model thinks drifts, with no edge anywhere
    vivid, faint = (
        steered(flat(64, 64), "4,32=#e02020", logits=logits),
        steered(flat(64, 64), "4,32=#7a7674", logits=logits),
    )
    far = [float(np.hypot(*ab[:, 32, 60]) / np.hypot(*ab[:, 32, 4])) for ab in (vivid, faint)]
    assert far[0] < far[1]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(1, 20), st.integers(1, 4))
def test_differences_stay_within_those_of_the_hints_and_0(seed: int, h: int, w: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    grey, ab = rng.integers(0, 256, (h, w), np.uint8), rng.normal(0, 20, (2, h, w)).astype(np.float32)
    logits = rng.normal(0, 3, (4, -(-h // 4), -(-w // 4))).astype(np.float32)
    places = [(int(rng.integers(h)), int(rng.integers(w))) for _ in range(count)]
    hints = [f"{x},{y}=#{rng.integers(1 << 24):06x}" for y, x in places]
    change = steered(grey, *hints, ab=ab, logits=logits) - ab
    for plane in change:
        held = [0.0, *(float(plane[place]) for place in places)]
        assert min(held) - 0.01 <= plane.min() <= plane.max() <= max(held) + 0.01


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_a_hint_of_what_is_predicted_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grey, ab = rng.integers(0, 256, (8, 12), np.uint8), rng.normal(0, 20, (2, 8, 12)).astype(np.float32)
    ab[:, 3, 5] = RED
    np.testing.assert_array_equal(steered(grey, "5,3=#8a2b2b", ab=ab), ab)


def test_a_hint_outside_the_photo_is_refused() -> None:
    with pytest.raises(UsageError, match="40 x 30"):
        steered(flat(30, 40), "40,3=#8a2b2b")
