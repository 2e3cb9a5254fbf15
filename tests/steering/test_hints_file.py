"""A file of hints: what is saved is loaded, and anything else is refused in one line that says what to do."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_hints import HINTS

from img2img.errors import UsageError
from img2img.steering.hints import Hint, parse_hint
from img2img.steering.hints_file import MOST_HINTS, hints_of_json, json_of_hints, read_hints

ONE = {"x": "52%", "y": 300, "color": "#3a6b35"}


def content(**changes: object) -> str:
    return json.dumps({"img2img": "hints", "version": 1, "hints": [ONE]} | changes)


@given(st.lists(HINTS, max_size=4).map(tuple))
def test_what_is_written_is_read_back(hints: tuple[Hint, ...]) -> None:
    assert hints_of_json(json_of_hints(hints), "it") == hints


def test_the_format() -> None:
    hint = parse_hint("52%,300=#3a6b35")
    assert json.loads(json_of_hints([hint])) == json.loads(content())
    assert hints_of_json(content().encode(), "it") == (hint,)
    assert hints_of_json(content(hints=[]), "it") == ()


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.hints.json"
    path.write_text(content())
    assert read_hints(path) == (parse_hint("52%,300=#3a6b35"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "holds no hints"),
        ("{}", "holds no hints"),
        (content(version=2), "version 2.*update img2img"),
        (content(version=True), "version True"),
        (content(version=None), "version None"),
        (content(hints={}), "not a list"),
        (content(hints=[ONE] * (MOST_HINTS + 1)), f"at most {MOST_HINTS}"),
        (content(hints=[ONE, 7]), "hint 2: has no x, y and color"),
        (content(hints=[{"x": 1, "y": 2}]), "hint 1: has no x, y and color"),
        (content(hints=[ONE | {"x": 1.5}]), "hint 1: 1.5 is no coordinate"),
        (content(hints=[ONE | {"x": True}]), "hint 1: True is no coordinate"),
        (content(hints=[ONE | {"x": -1}]), "hint 1: -1 is no pixel"),
        (content(hints=[ONE | {"x": float("nan")}]), "hint 1: nan is no coordinate"),
        (content(hints=[ONE | {"x": "120%"}]), "hint 1: .*outside of the photo"),
        (content(hints=[ONE | {"color": "green"}]), "hint 1: .*not a colour"),
        (content(hints=[ONE | {"color": [1, 2, 3]}]), "hint 1: color is"),
        (" " * (1 << 20) + content(), "too large"),
    ],
)
def test_what_is_no_file_of_hints_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"^here.json: .*{says}"):
        hints_of_json(text, "here.json")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^here.json: damaged"):
        hints_of_json(b"\xff\xfe\xff", "here.json")


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.hints\.json: "):
        read_hints(tmp_path / "none.hints.json")
    with pytest.raises(UsageError, match=tmp_path.name):
        read_hints(tmp_path)
    with pytest.raises(UsageError):
        read_hints(Path("a\0b"))


def test_a_pixel_as_text_is_one_all_the_same() -> None:
    assert hints_of_json(content(hints=[ONE | {"x": "52"}]), "it") == (parse_hint("52,300=#3a6b35"),)
