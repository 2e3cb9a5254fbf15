"""A folder that a new run is to have: what of an earlier one it may take the place of, and what not."""

import os
from pathlib import Path

import pytest

from img2img.errors import RunError
from img2img.runs import run_folder
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_records import RunRecords
from img2img.saved_states import state_files

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


def test_run_whose_training_removes_a_state_meanwhile_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(CONFIG)
    (tmp_path / "state-00000001.pt").touch()
    stat = Path.stat

    def removed_before(path: Path) -> os.stat_result:
        if path.suffix == ".pt":
            path.unlink()
        return stat(path)

    monkeypatch.setattr(Path, "stat", removed_before)
    assert RunRecords(tmp_path).state == "running"


def test_states_to_be_done_again_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state-00000002.pt").touch()

    def removed_meanwhile(folder: Path) -> list[Path]:
        states = state_files(folder)
        states[-1].unlink()
        return states

    monkeypatch.setattr(run_folder, "state_files", removed_meanwhile)
    RunFolder(tmp_path).forget_after(1)
