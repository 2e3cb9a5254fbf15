"""docs/reference/kept.md: its tables are measured, and written into it anew by `python tests/kept_page.py`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kept.animation_files import ANIMATIONS
from kept.animation_things import THINGS as ANIMATION_THINGS
from kept.film_files import write_films
from kept.film_things import THINGS as FILM_THINGS
from kept.photo_files import PHOTOS
from kept.photo_things import THINGS as PHOTO_THINGS
from kept.tables import Conversion, converted, table, write_files
from tiny_model import tiny_model, write_tiny_model

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "kept.md"
_FILMS = ("MP4", "MKV", "MOV", "WebM", "AVI")
_INTO = (("PNG", "JPEG"), ("TIFF", "JPEG"), ("JPEG", "PNG"), ("JPEG", "WebP"), ("JPEG", "AVIF"))
_BECOMES = {"GIF": "GIF (to PNG)", "HEIC": "HEIC (to JPEG)", "AVI": "AVI (to MKV)"}


def photo_tables(folder: Path) -> dict[str, str]:
    """Each format's photos as the same format, and those that come out otherwise in another one."""
    model = write_tiny_model(folder / "tiny.onnx", tiny_model(0.2, 0.4))
    same = {
        name: converted(write_files(folder / name, suffix, files()), folder / f"new {name}", model)
        for name, (suffix, files) in PHOTOS.items()
    }
    other = {
        f"{source} to {target}": converted(
            same[source].sources, folder / f"{source} as {target}", model, format=_option(target)
        )
        for source, target in _INTO
    }
    differing = [
        thing
        for thing in PHOTO_THINGS
        if any(new.verdict(thing) != same[name.split()[0]].verdict(thing) for name, new in other.items())
    ]
    return {"photos": table(_headed(same), PHOTO_THINGS), "other formats": table(other, differing)}


def animation_table(folder: Path) -> dict[str, str]:
    model = write_tiny_model(folder / "tiny.onnx", tiny_model(0.2, 0.4))
    columns = {
        name: converted(write_files(folder / name, suffix, files()), folder / f"new {name}", model)
        for name, (suffix, files) in ANIMATIONS.items()
    }
    return {"animations": table(columns, ANIMATION_THINGS)}


def film_table(folder: Path) -> dict[str, str]:
    model = write_tiny_model(folder / "tiny.onnx", tiny_model(0.2, 0.4))
    columns = {
        name: converted(write_films(folder / name, f".{name.lower()}"), folder / f"new {name}", model)
        for name in _FILMS
    }
    return {"films": table(_headed(columns), FILM_THINGS)}


def _option(image_format: str) -> str:
    return {"JPEG": "jpg"}.get(image_format, image_format.lower())


def _headed(columns: Mapping[str, Conversion]) -> dict[str, Conversion]:
    return {_BECOMES.get(name, name): column for name, column in columns.items()}


def table_in(page: str, name: str) -> str:
    """The table that stands there under that name."""
    found = _place(name).search(page)
    assert found is not None, name
    return found[2]


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    for name, text in tables.items():
        assert _place(name).search(page), name
        page = _place(name).sub(lambda found, text=text: f"{found[1]}{text}{found[3]}", page)  # type: ignore[misc]
    return page


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for measure in (photo_tables, animation_table, film_table):
        with tempfile.TemporaryDirectory() as folder:
            page = with_tables(page, measure(Path(folder)))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
