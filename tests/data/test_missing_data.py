"""What is said of data that is not there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.data_item import refuse_missing
from img2img.data.download.catalogue import find_set
from img2img.data.open_source import open_source
from img2img.errors import DataError


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of data sets: one fetched, one of the user's own, and a shard of it."""
    (tmp_path / "datasets" / "horse2zebra" / "trainA").mkdir(parents=True)
    (tmp_path / "landscapes").mkdir()
    (tmp_path / "shards.tar").touch()
    (tmp_path / "landscape.txt").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("digts", "; did you mean digits?"),
        ("landscpes", "; did you mean landscapes?"),
        ("Landscapes/", "; did you mean landscapes?"),
        ("shard.tar", "; did you mean shards.tar?"),
        ("horse2zebra", "; did you mean datasets/horse2zebra?"),
        ("datasets/horse2zebr/trainA", "; did you mean datasets/horse2zebra/trainA?"),
        ("datasets/horse2zebr/trainC", "; `img2img data download horse2zebra` fetches that set"),
        ("datasets/monet2photo/trainB", "; `img2img data download monet2photo` fetches that set"),
        ("monet2foto", "; `img2img data download monet2photo` fetches that set"),
        ("photos", ""),
        ("shards.tar/inside", ""),
    ],
)
def test_what_was_meant_is_said(name: str, advice: str) -> None:
    for look in (refuse_missing, open_source):
        with pytest.raises(DataError) as caught:
            look([name])
        assert str(caught.value) == f"{name}: no such folder or tar file{advice}"


@pytest.mark.parametrize("words", [["digts"], ["--a", "landscapes", "--b", "digts"], ["--ab", "digts"]])
def test_check_and_training_say_it_alike(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["data", "check", *words])
    assert (result.exit_code, result.stderr) == (1, "Error: digts: no such folder or tar file; did you mean digits?\n")


def test_set_of_nearly_that_name_is_offered() -> None:
    with pytest.raises(DataError, match=r"^no data set is called 'horse2zebre' .*; did you mean horse2zebra\?$"):
        find_set("horse2zebre")
