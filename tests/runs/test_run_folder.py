"""A folder that a new run is to have: what of an earlier one it may take the place of, and what not."""

from pathlib import Path

import pytest

from img2img.errors import RunError
from img2img.runs.run_folder import RunFolder

CONFIG = '{"recipe": "gan", "config": {"steps": 6}}'


@pytest.mark.parametrize("kept", ["best.pt", "exported/run.onnx"])
def test_what_an_earlier_run_is_still_good_for_is_not_deleted(kept: str, tmp_path: Path) -> None:
    for name in ("stats.jsonl", "directions.json", "exported/made-of.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "config.json").write_text(CONFIG)
    RunFolder(tmp_path).refuse_another_run()
    (tmp_path / kept).touch()
    with pytest.raises(RunError, match=f"{kept}: an earlier run's, which a new one would delete; move it, or give"):
        RunFolder(tmp_path).refuse_another_run()


@pytest.mark.parametrize("name", ["config.json", "stats.jsonl", "quality.jsonl"])
def test_files_of_another_program_under_our_names_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("may be there")
    RunFolder(tmp_path).refuse_another_run()
    (tmp_path / name).write_text('{"port": 8080}')
    with pytest.raises(RunError, match=rf"{name}: is there already, and is no run's"):
        RunFolder(tmp_path).refuse_another_run()


def test_run_that_ended_before_its_first_state_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(CONFIG)
    (tmp_path / "stats.jsonl").write_text("{}")
    RunFolder(tmp_path).refuse_another_run()
