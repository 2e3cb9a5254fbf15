"""The README is short, for people first, and shows what is there."""

import re

from documents import CHECKOUT, commands

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_readme_shows_commands_of_both_halves() -> None:
    assert {line.split()[1] for line in commands(CHECKOUT / "README.md")} == {
        "colorize",
        "translate",
        "serve",
        "train",
        "export",
    }


def test_readme_colours_a_photo_before_it_speaks_of_training_and_is_short() -> None:
    assert len(README.splitlines()) < 150
    assert README.index("img2img colorize") < README.index("img2img serve") < README.index("img2img train")
    assert "train" not in README[README.index("## Install") : README.index("## Horses to zebras")]
    assert "must reach" not in README


def test_pictures_that_the_readme_shows_are_there() -> None:
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (CHECKOUT / path).is_file(), path


def test_files_that_the_readme_links_to_are_there() -> None:
    for path in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", README):
        assert path.startswith("https://") or (CHECKOUT / path).exists(), path
