"""text_table.py: at any width no line is longer, no name is cut, and no word is lost."""

import pytest

from img2img.text_table import text_list, text_table, wrapped_line

WIDTHS = pytest.mark.parametrize("width", [60, 80, 120])
TITLES = ("name", "data", "psnr")
ROWS = [
    ("a-rather-long-name-of-a-model-0001", "photos of landscapes, cities and people, " * 4, "20.25"),
    ("b", "digits\nin two lines", "7.5"),
]


def words(text: str) -> list[str]:
    return sorted(text.split())


@WIDTHS
def test_no_line_is_longer_and_no_word_is_lost(width: int) -> None:
    table = text_table(TITLES, ROWS, width=width)
    assert max(map(len, table.splitlines())) <= width
    assert words(table) == words(" ".join([*TITLES, *(cell for row in ROWS for cell in row)]))
    assert "a-rather-long-name-of-a-model-0001" in table


@WIDTHS
def test_a_table_that_cannot_be_narrow_enough_has_a_block_for_each_row(width: int) -> None:
    titles = ["set", *(f"figure_{number}" for number in range(12))]
    rows = [[name, *(f"{number}.12345" for number in range(12))] for name in ("photos", "people")]
    lines = text_table(titles, rows, width=width).splitlines()
    assert max(map(len, lines)) <= width
    if width < 142:  # 6 + 12 x 9, and 24 between them
        assert lines[:3] == ["photos", "  figure_0   0.12345", "  figure_1   1.12345"]
    assert text_table(titles, rows, width=142).splitlines()[0].split() == titles


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    table = text_table(("set", "photos", "note"), [("a", "1,000", "x"), ("bcd", "7", "")], width=80)
    assert table.splitlines() == ["set  photos  note", "a     1,000  x", "bcd       7"]


def test_the_widest_column_gives_way() -> None:
    table = text_table(("n", "one", "two"), [("a", "aa bb cc dd", "ee")], width=14)
    assert table.splitlines() == ["n  one     two", "a  aa bb   ee", "   cc dd"]


def test_a_list_goes_on_below_its_beginning() -> None:
    told = text_list([("data", "one two three"), ("licence", "MIT\n  indented words here")], width=20)
    assert told.splitlines() == [
        "data     one two",
        "         three",
        "licence  MIT",
        "           indented",
        *told.splitlines()[4:],
    ]
    assert max(map(len, told.splitlines())) <= 20


def test_a_sentence_keeps_names_whole() -> None:
    name = "a-name-that-is-longer-than-the-terminal.jpg"
    assert wrapped_line(f"look at {name} now", indent="  ", width=20).splitlines() == [
        "  look at",
        f"  {name}",
        "  now",
    ]


def test_empty_cells_and_tables_are_no_trouble() -> None:
    assert text_table(("a", "b"), [], width=20) == "a  b"
    assert text_table(("a", "b"), [("x", "")], width=20) == "a  b\nx"
    assert text_list([], width=20) == ""
