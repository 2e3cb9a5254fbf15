"""How long a run goes on, and that pauses change nothing of it."""

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_run import QUICK, again, assert_equal_states, command, request
from torch import Tensor
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.runs.state import load_latest
from img2img.training.pace import Pace
from img2img.training.processes.distributed import OneProcess
from img2img.training.start import start

NEVER_SAVED = replace(QUICK, save_every=1000)


def over() -> Pace:
    """A pace whose time is up when the first step is done."""
    return replace(NEVER_SAVED, until=time.monotonic())


def test_run_in_pieces_equals_one_in_one_piece(two_sets: Path, tmp_path: Path) -> None:
    start(request(two_sets, tmp_path / "whole", "wgan", steps=3)).train()
    start(request(two_sets, tmp_path / "cut", "wgan", steps=3, pace=over())).train()
    for step in (1, 2):
        trainer = start(again(two_sets, tmp_path / "cut", "wgan", pace=over()))
        assert (trainer.step, trainer.done) == (step, False)
        trainer.train()
    assert trainer.done
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))


def test_first_previews_come_soon_and_are_told_of(
    two_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pace = replace(NEVER_SAVED, early_previews=(1, 2), preview_every=1000)
    start(request(two_sets, tmp_path, "cyclegan", steps=4, pace=pace)).train()
    drawn = sorted(path.name for path in (tmp_path / "previews").iterdir())
    assert drawn == ["00000001.png", "00000002.png", "00000004.png"]
    said = [line for line in capsys.readouterr().err.splitlines() if "preview: " in line]
    assert said == [f"step {n}: preview: {tmp_path / 'previews' / f'0000000{n}.png'}" for n in (1, 2)]


def test_time_that_is_not_up_yet_stops_nothing(two_sets: Path, tmp_path: Path) -> None:
    trainer = start(request(two_sets, tmp_path, steps=3, pace=replace(NEVER_SAVED, until=time.monotonic() + 600)))
    trainer.train()
    assert trainer.done


def test_command_whose_time_is_up_says_how_to_go_on_and_exits_0(two_sets: Path, tmp_path: Path) -> None:
    _, _, _, *words = command("gan", "--data", str(two_sets), "--out", str(tmp_path / "run"), "--steps", "3")
    first = CliRunner().invoke(app, [*words, "--minutes", "0"])
    assert first.exit_code == 0
    assert first.stderr.endswith(f"stopped at step 1: saved in {tmp_path / 'run'}; --resume goes on\n")
    resume = ["train", "gan", "--out", str(tmp_path / "run"), "--resume", "--device", "cpu", "--minutes", "60"]
    second = CliRunner().invoke(app, resume)
    assert second.exit_code == 0
    assert "done; next: " in second.stderr


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_of_a_limited_run_is_one_all_the_same(two_sets: Path, tmp_path: Path) -> None:
    trainer = start(request(two_sets, tmp_path, pace=over()))
    step = trainer._train_step

    def interrupted(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        signal.raise_signal(signal.SIGINT)
        return step(batch)

    trainer._train_step = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert load_latest(tmp_path).step == 1


class StoppedByAnother(OneProcess):
    """What a process hears of whose own time is not up yet."""

    def agree_to_stop(self, wanted: bool) -> bool:
        return True


@pytest.mark.parametrize("limited", [True, False])
def test_process_that_another_stops_takes_it_for_the_end_of_the_time_if_there_is_one(
    two_sets: Path, tmp_path: Path, limited: bool
) -> None:
    pace = replace(NEVER_SAVED, until=time.monotonic() + 600 if limited else None)
    trainer = start(request(two_sets, tmp_path, pace=pace))
    trainer.processes = StoppedByAnother()
    if limited:
        trainer.train()
    else:
        with pytest.raises(KeyboardInterrupt):
            trainer.train()
    assert load_latest(tmp_path).step == 1
