"""--seed, of every command that has one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.recipes import RECIPES


def seeded(command: Any, *words: str) -> Iterator[Any]:
    """Commands with the option, by the words that name them."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from seeded(inner, *words, name)
    for option in command.params:
        if "--seed" in option.opts:
            yield pytest.param(command, option, id=" ".join(words))


SEEDED = [*seeded(get_command(app))]


def test_commands_have_seeds() -> None:
    assert len(SEEDED) == len(RECIPES) + 4


@pytest.mark.parametrize(("command", "option"), SEEDED)
def test_seed_has_64_bits_at_most(command: Any, option: Any) -> None:
    context = typer.Context(command)
    for seed in (0, 2**64 - 1):
        assert option.process_value(context, str(seed)) == seed
    for seed in (-1, 2**64, 10**40):
        with pytest.raises(typer.BadParameter, match=f"{seed}: give a number from 0 to 18446744073709551615"):
            option.process_value(context, str(seed))


def test_training_with_a_seed_that_is_too_large_is_a_wrong_use(colour_photos: Path, tmp_path: Path) -> None:
    words = ["train", "gan", "--data", str(colour_photos), "--out", str(tmp_path / "run"), "--seed", str(2**64)]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, (tmp_path / "run").exists()) == (2, False)
    assert "18446744073709551616: give a number from 0" in " ".join(result.stderr.split())


def test_training_takes_the_largest_seed(colour_photos: Path, tmp_path: Path) -> None:
    words = ["train", "gan", "--data", str(colour_photos), "--out", str(tmp_path / "run"), "--seed", str(2**64 - 1)]
    result = CliRunner().invoke(app, [*words, "--steps", "1", "--set", "image_size=8", "--device", "cpu"])
    assert result.exit_code == 0, result.stderr
