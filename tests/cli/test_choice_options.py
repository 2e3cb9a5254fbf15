"""Every option that takes one of a few words: its help lists them, and a misspelt word is answered with the nearest."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.recipes import RECIPES


def options_of(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], TyperOption]]:
    """Every option of every command, with the words that call it."""
    for name, each in getattr(command, "commands", {}).items():
        yield from options_of(each, *words, name)
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and words:
            yield words, parameter


def choices_of(option: TyperOption) -> list[str]:
    """The words of its metavar: NAME|FILE names kinds of values, not values."""
    words = (option.metavar or "").split("|")
    return words if len(words) > 1 and all(word == word.lower() for word in words) else []


OPTIONS = list(options_of(get_command(app)))
CHOICES = [
    pytest.param(words, option, id=" ".join([*words, option.opts[0]]))
    for words, option in OPTIONS
    if choices_of(option) and (words[0] != "train" or words[1] in ("dcgan", "pix2pix"))
]


def test_those_that_choose_are_found() -> None:
    found = {(words[0], option.opts[0]) for words, option in OPTIONS if choices_of(option)}
    assert found >= {
        ("serve", "--runtime"),
        ("serve", "--device"),
        ("train", "--cache"),
        ("train", "--direction"),
        ("export", "--which"),
        ("import", "--norm"),
        ("import", "--result"),
        ("evaluate", "--features"),
        ("data", "--list"),
        ("colorize", "--on-error"),
    }
    assert {words[1] for words, option in OPTIONS if words[0] == "train" and choices_of(option)} == set(RECIPES)


def test_none_is_left_to_typers_own_choice_which_suggests_nothing() -> None:
    assert [(words, option.opts) for words, option in OPTIONS if hasattr(option.type, "choices")] == []


@pytest.mark.parametrize(("words", "option"), CHOICES)
def test_a_misspelt_choice_is_answered_with_the_nearest(words: tuple[str, ...], option: TyperOption) -> None:
    for choice in choices_of(option):
        said = CliRunner().invoke(app, [*words, option.opts[0], choice + "x", "nowhere", "1,1"], env={"COLUMNS": "400"})
        assert said.exit_code == 2, said.output
        assert f"did you mean {choice}?" in said.output


def test_a_word_like_none_of_them_is_answered_with_all() -> None:
    said = CliRunner().invoke(app, ["serve", "--runtime", "tvm"], env={"COLUMNS": "400"})
    wanted = "Invalid value for '--runtime': 'tvm': give one of auto, onnxruntime, openvino\n"
    assert (said.exit_code, said.output.split("Error: ")[1]) == (2, wanted)
