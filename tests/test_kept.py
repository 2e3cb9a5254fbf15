"""docs/reference/kept.md says what is kept of a file, and nothing is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("pillow_heif")

from kept.tables import DROPPED, KEPT, LOST, NAMED, NONE, REFUSED, TURNED, Conversion, Thing
from kept_page import PAGE, animation_table, film_table, photo_tables, table_in, with_tables

from img2img.batch.outcome import Outcome


def check(tables: dict[str, str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, measured in tables.items():
        assert table_in(page, name) == measured, f"write {PAGE} anew: python tests/kept_page.py"
        assert LOST not in measured


def test_the_tables_about_photos_are_what_is_measured(tmp_path: Path) -> None:
    check(photo_tables(tmp_path))


def test_the_table_about_animations_is_what_is_measured(tmp_path: Path) -> None:
    check(animation_table(tmp_path))


@pytest.mark.slow
def test_the_table_about_films_is_what_is_measured(tmp_path: Path) -> None:
    check(film_table(tmp_path))


def said(path: Path) -> str | None:
    return path.read_text() or None


@pytest.mark.parametrize(
    ("before", "after", "flags", "verdict"),
    [
        ("", "", (), NONE),
        ("", "new", (), NONE),
        ("old", "old", (), KEPT),
        ("old", "dlo", (), TURNED),
        ("old", "new", (), "new!"),
        ("old", "new", ("without the thing",), f"new!, {NAMED}"),
        ("old", "", ("without the thing",), NAMED),
        ("old", "", ("without another",), LOST),
        ("old", None, (), REFUSED),
    ],
)
def test_a_verdict_is_what_two_looks_and_the_flags_say(
    tmp_path: Path, before: str, after: str | None, flags: tuple[str, ...], verdict: str
) -> None:
    source, target = tmp_path / "old.txt", tmp_path / "new.txt"
    source.write_text(before)
    target.write_text(after or "")
    outcome = Outcome(source, target, "failed" if after is None else "done", flags=flags)
    thing = Thing("", said, "the thing", turned=lambda value: value[::-1], becomes="{}!".format)
    assert Conversion({"all": source}, {"all": outcome}).verdict(thing) == verdict


def test_only_what_was_true_of_the_old_file_alone_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "new.txt").write_text("")
    conversion = Conversion(
        {"all": tmp_path / "old.txt"}, {"all": Outcome(tmp_path / "old.txt", tmp_path / "new.txt", "done")}
    )

    assert conversion.verdict(Thing("", said, "x", stale=True)) == DROPPED
    assert conversion.verdict(Thing("", said, "x")) == LOST
    assert conversion.verdict(Thing("", said, "x", "another file")) == NONE


def test_a_table_takes_the_place_of_the_one_under_its_name() -> None:
    page = "a\n<!-- one -->\n| old |\n<!-- end -->\nb\n<!-- two -->\n| stays |\n<!-- end -->\n"
    assert with_tables(page, {"one": "| new |\n"}) == page.replace("old", "new")
    assert table_in(page, "two") == "| stays |\n"
