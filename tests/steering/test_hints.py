"""Hints are read as people write them, written back without a loss, and fall where they say."""

import pickle
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from img2img.errors import UsageError
from img2img.steering.hints import Coordinate, Hint, parse_hint

PERCENT = st.floats(0, 100).map(lambda value: Coordinate(value, in_percent=True))
PIXELS = st.integers(0, 10**9 - 1).map(lambda value: Coordinate(value, in_percent=False))
COORDINATES = st.one_of(PERCENT, PIXELS)
LEVELS = st.integers(0, 255)
HINTS = st.builds(Hint, COORDINATES, COORDINATES, st.tuples(LEVELS, LEVELS, LEVELS))


def test_percent_and_pixels_are_read_each_on_its_own() -> None:
    mixed = parse_hint(" 52.5% , 300 = #3a6b35 ")
    assert mixed.x == Coordinate(52.5, in_percent=True)
    assert mixed.y == Coordinate(300, in_percent=False)
    assert mixed.color == (58, 107, 53)
    assert str(mixed) == "52.5%,300=#3a6b35"
    assert str(parse_hint("812,300=a22")) == "812,300=#aa2222"


@given(HINTS)
def test_text_back_is_exact(hint: Hint) -> None:
    assert parse_hint(str(hint)) == hint


def test_a_hint_is_a_value() -> None:
    hint, same = parse_hint("52%,40%=#3a6b35"), parse_hint("52.0%,40%=3A6B35")
    assert {hint, same} == {hint}
    assert pickle.loads(pickle.dumps(hint)) == hint
    with pytest.raises(FrozenInstanceError):
        hint.x = hint.y  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a hint"),
        ("52%,40%", "not a hint"),
        ("52%=#3a6b35", "not a hint"),
        ("1,2,3=#3a6b35", "not a hint"),
        ("52%,40%=", "not a hint"),
        ("52%,40%=green", "not a colour"),
        ("101%,40%=#3a6b35", "outside of the photo"),
        ("-1,40%=#3a6b35", "no place"),
        ("1.5,40%=#3a6b35", "no place"),
        ("nan%,40%=#3a6b35", "no place"),
        ("1e1%,40%=#3a6b35", "no place"),
        ("٣,40%=#3a6b35", "no place"),
        ("9999999999,1=#3a6b35", "no place"),
    ],
)
def test_what_is_no_hint_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_hint(text)


@pytest.mark.parametrize("value", [-1, 0.5, 1e9, float("nan"), float("inf")])
def test_pixels_are_whole_numbers_from_0(value: float) -> None:
    with pytest.raises(UsageError, match="no pixel"):
        Coordinate(value, in_percent=False)


@pytest.mark.parametrize("value", [-0.1, 100.1, float("nan")])
def test_shares_are_0_to_100_percent(value: float) -> None:
    with pytest.raises(UsageError, match="outside"):
        Coordinate(value, in_percent=True)


def test_a_place_on_a_grid() -> None:
    """A photo of 400 x 100 pixels (width x height) under a grid of 10 columns and 5 rows: cells of 40 x 20."""
    photo, grid = (100, 400), (5, 10)
    assert parse_hint("0,0=000").place(photo, grid) == (0, 0)
    assert parse_hint("39,19=000").place(photo, grid) == (0, 0)
    assert parse_hint("40,20=000").place(photo, grid) == (1, 1)
    assert parse_hint("399,99=000").place(photo, grid) == (4, 9)
    assert parse_hint("50%,50%=000").place(photo, grid) == (2, 5)
    assert parse_hint("100%,100%=000").place(photo, grid) == (4, 9)


@pytest.mark.parametrize("text", ["400,0=000", "0,100=000"])
def test_a_place_outside_the_photo_is_refused_with_its_size(text: str) -> None:
    with pytest.raises(UsageError, match="400 x 100"):
        parse_hint(text).place((100, 400), (5, 10))
