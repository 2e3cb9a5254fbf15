"""The help: at 80 columns every command's summary stands whole in its line."""

import re

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app

COMMANDS = get_command(app)
assert isinstance(COMMANDS, TyperGroup)
GROUPS = [[], *([name] for name, each in COMMANDS.commands.items() if isinstance(each, TyperGroup))]


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
def test_summaries_fit_their_line(words: list[str]) -> None:
    told = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).stdout
    summaries = told[told.index("\nCommands:\n") :].splitlines()[2:]
    assert summaries
    assert [line for line in summaries if "..." in line or len(line) > 80 or not re.match(r"  \S", line)] == []


@pytest.mark.parametrize("words", [["serve"], ["train", "dcgan"], ["export"], ["data", "download"]], ids=" ".join)
def test_values_are_named_in_words_of_ours(words: list[str]) -> None:
    told = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).stdout
    assert "Options:" in told
    assert re.findall(r"<[a-z ]+>", told) == []
