"""A folder that a new run is to have: what of an earlier one it may take the place of, and what not."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from img2img.atomic_file import write_at_once
from img2img.errors import RunError
from img2img.runs import run_folder
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_info import RunInfo
from img2img.runs.run_records import RunRecords
from img2img.saved_states import best_file, state_file, state_files

CONFIG = '{"recipe": "gan", "config": {"steps": 6}}'
INFO = RunInfo("gan", {}, 0, [], None, "", {}, "")


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


@pytest.mark.parametrize("begin", [lambda run: run.forget_after(1), lambda run: run.create(INFO)])
def test_states_that_a_process_left_half_written_are_removed(
    tmp_path: Path, begin: Callable[[RunFolder], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {".notes.pt.part", ".state-of-mine.txt", "best.pt.part"}
    for name in others:
        (tmp_path / name).touch()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: sys.exit())  # a process that ends just then, so that
        patch.setattr(Path, "unlink", lambda *_: None)  # nothing is tidied up
        for target in (state_file(tmp_path, 1), state_file(tmp_path, 20_000), best_file(tmp_path)):
            with pytest.raises(SystemExit):
                write_at_once(target, b"half of it")
    assert len(list(tmp_path.iterdir())) == len(others) + 3
    begin(RunFolder(tmp_path))
    assert {path.name for path in tmp_path.iterdir() if path.suffix not in (".json", ".jsonl")} == others
