"""Saved states: which are kept, and what is said when none can be read."""

import random
import warnings
from pathlib import Path

import pytest
import torch

from img2img.errors import RunError
from img2img.runs import state as state_module
from img2img.runs.state import TrainState, load_best, load_latest, python_rng_state, restore_python_rng
from img2img.saved_states import state_files, state_step, stopping_place


def state(step: int) -> TrainState:
    return TrainState("gan", {}, 0, step, 0, {}, {}, {}, torch.get_rng_state(), python_rng_state())


def steps(folder: Path) -> list[int]:
    return [state_step(path) for path in state_files(folder)]


@pytest.mark.parametrize(("keep", "kept"), [(1, [7]), (2, [6, 7]), (5, [3, 4, 5, 6, 7]), (9, [1, 2, 3, 4, 5, 6, 7])])
def test_newest_states_are_kept(keep: int, kept: list[int], tmp_path: Path) -> None:
    for step in range(1, 8):
        state(step).save(tmp_path, keep=keep)
    assert steps(tmp_path) == kept


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_state_that_was_just_saved_is_kept_beside_newer_ones(keep: int, tmp_path: Path) -> None:
    for step in (10, 20, 30):
        (tmp_path / f"state-{step:08d}.pt").write_bytes(b"damaged")
    state(5).save(tmp_path, keep=keep)
    assert steps(tmp_path) == [5, *(10, 20, 30)[3 - (keep - 1) :]]


def test_old_state_that_somebody_removes_meanwhile_ends_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed_meanwhile(folder: Path) -> list[Path]:
        states = state_files(folder)
        for old in states[:-1]:
            old.unlink()
        return states

    state(1).save(tmp_path)
    monkeypatch.setattr(state_module, "state_files", removed_meanwhile)
    state(2).save(tmp_path, keep=1)
    assert steps(tmp_path) == [2]


def test_other_files_are_no_states(tmp_path: Path) -> None:
    for name in ("state-best.pt", "best.pt", "state-00000001 (copy).pt", "state-00000002.pt.part"):
        (tmp_path / name).touch()
    state(3).save(tmp_path, keep=1)
    assert steps(tmp_path) == [3]


def test_folder_without_a_state_is_told_from_one_whose_states_are_damaged(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no state in there.*not a run's folder, or nothing saved yet"):
        load_latest(tmp_path)
    for step, said in ((1, "its only state cannot be read"), (2, "none of its 2 states can be read")):
        (tmp_path / f"state-{step:08d}.pt").write_bytes(b"cut")
        with pytest.warns(UserWarning, match="damaged"), pytest.raises(RunError, match=said) as caught:
            load_latest(tmp_path)
        assert "another --out, or delete state-*.pt" in str(caught.value)
        assert "--resume" not in str(caught.value)


def test_damaged_state_is_passed_over(tmp_path: Path) -> None:
    state(1).save(tmp_path)
    (tmp_path / "state-00000002.pt").write_bytes(b"cut")
    with pytest.warns(UserWarning, match="state-00000002.pt: damaged .* and passed over"):
        assert load_latest(tmp_path).step == 1
    (tmp_path / "state-00000002.pt").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_latest(tmp_path).step == 1


def test_stopped_run_is_told_what_is_saved(tmp_path: Path) -> None:
    assert stopping_place(tmp_path, 3) == "stopped at step 3: nothing was saved yet"
    state(1174).save(tmp_path)
    assert stopping_place(tmp_path, 1174) == f"stopped at step 1,174: saved in {tmp_path}; --resume goes on"
    assert "holds the state of step 1,174; --resume goes on from there" in stopping_place(tmp_path, 1180)


def test_pythons_random_numbers_go_on_where_they_were() -> None:
    before = python_rng_state()
    drawn = random.random()
    restore_python_rng(before)
    assert random.random() == drawn


def test_best_state_stands_beside_the_newest_ones(tmp_path: Path) -> None:
    best = state(1)
    best.quality = {"kid_ab": 0.5}
    best.save_best(tmp_path)
    for step in range(2, 5):
        state(step).save(tmp_path, keep=1)
    assert load_best(tmp_path).step == 1
    assert load_best(tmp_path).quality == {"kid_ab": 0.5}
    assert load_latest(tmp_path).step == 4
    state(5).save_best(tmp_path)
    assert load_best(tmp_path).step == 5
    assert steps(tmp_path) == [4]


def test_best_state_that_is_not_there_or_damaged_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no best.pt in there .*its quality was never measured"):
        load_best(tmp_path)
    (tmp_path / "best.pt").write_bytes(b"cut")
    with pytest.raises(RunError, match=r"best.pt: damaged .*delete it"):
        load_best(tmp_path)


def test_state_of_before_there_was_a_quality_is_read(tmp_path: Path) -> None:
    older = {name: value for name, value in vars(state(3)).items() if name != "quality"}
    torch.save(older, tmp_path / "state-00000003.pt")
    assert load_latest(tmp_path).quality == {}
