"""The trainer's promises, held on networks small enough for a test."""

import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from conftest import Fitting, StartProcess
from PIL import Image
from safetensors.torch import save_file
from stopping import stopping
from tiny_run import QUICK, TINY, again, assert_equal_states, command, in_classes, request, train_until
from torch import nn
from typer.testing import CliRunner

from img2img.cli.app import app
from img2img.data.data_choice import chosen_data
from img2img.data.open_source import open_source
from img2img.device import pick_device
from img2img.errors import DataError, ModelError, RunError, SettingError
from img2img.networks.settling_norm import SettlingNorm, following
from img2img.networks.unet import UNet
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.recipe import Recipe, frozen
from img2img.recipes.settings import make_config
from img2img.runs.run_folder import RunFolder
from img2img.runs.run_records import RunRecords
from img2img.runs.state import load_latest
from img2img.saved_states import state_files
from img2img.training.ema import Ema
from img2img.training.health.history import Finding
from img2img.training.memory_format import channels_last
from img2img.training.pace import Pace
from img2img.training.progress import training_progress
from img2img.training.request import TrainingRequest
from img2img.training.start import start

ONE_THREAD = {"OMP_NUM_THREADS": "1"}

UNTIMED = {"images_per_second": 0, "seconds": 0}
FOURS = replace(QUICK, log_every=2, save_every=4)


@pytest.fixture(scope="session")
def labelled_photos(colour_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos as an ImageFolder of two classes."""
    return in_classes(colour_photos, tmp_path_factory.mktemp("labelled") / "photos")


def assert_resuming_changes_nothing(recipe, photos, tmp_path, *, workers=0, cache="none") -> None:
    """8 steps in one go and without workers, against 6, a crash, a resume from the state at 4, and 4 more."""
    steps = 8
    start(request(photos, tmp_path / "whole", recipe, steps=steps, pace=replace(FOURS, cache=cache))).train()
    pace = replace(FOURS, cache=cache, workers=workers)
    train_until(start(request(photos, tmp_path / "cut", recipe, steps=steps, pace=pace)), step=6)
    resumed = start(again(photos, tmp_path / "cut", recipe, pace=pace))
    assert resumed.step == 4
    resumed.train()
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))
    records = [RunFolder(tmp_path / name).stats() for name in ("whole", "cut")]
    assert [record["step"] for record in records[0]] == [2, 4, 6, 8]
    for whole, cut in zip(*records, strict=True):
        assert {**whole, **UNTIMED} == {**cut, **UNTIMED}


QUICK_RECIPES = [name for name in RECIPES if not name.startswith("colorizer")]
UNLIKE = {"gan", "wgan-gp", "cyclegan", "tgan"}
"""Of two players, a critic with a penalty, pools of images, videos: the others differ from one of these by little."""


@pytest.mark.parametrize(
    "recipe", [name if name in UNLIKE else pytest.param(name, marks=pytest.mark.slow) for name in QUICK_RECIPES]
)
def test_resumed_run_equals_uninterrupted_run(recipe: str, fitting: Fitting, tmp_path: Path) -> None:
    assert_resuming_changes_nothing(recipe, fitting(recipe), tmp_path, cache="memory")


FED = ["colorizer", "cgan", "cyclegan", "pix2pix"]
"""One recipe for each way in which samples are made: drawn anew, with labels, of two sets, of pairs."""
LOADED = [
    *((recipe, 0, "memory") for recipe in RECIPES if recipe not in QUICK_RECIPES),  # the others are above
    *((recipe, 0, "none") for recipe in RECIPES),
    *((recipe, 2 if recipe == "cgan" else 1, "none") for recipe in FED),  # each worker takes seconds to start
]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "workers", "cache"), LOADED)
def test_resumed_run_equals_uninterrupted_run_however_images_are_loaded(
    recipe: str, workers: int, cache: str, fitting: Fitting, tmp_path: Path
) -> None:
    assert_resuming_changes_nothing(recipe, fitting(recipe), tmp_path, workers=workers, cache=cache)


def test_every_recipe_has_a_tiny_training() -> None:
    assert set(TINY) == set(RECIPES)


def test_two_seeds_train_two_networks(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path / "a", steps=2)).train()
    start(request(colour_photos, tmp_path / "b", steps=2, seed=4)).train()
    a, b = (RunFolder(tmp_path / name).stats()[0]["generator"] for name in "ab")
    assert a != b


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums in the order of the processes that have ONE_THREAD."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def in_this_process(recipe: str, *words: str) -> None:
    """What `command` does, without another start of Python and torch."""
    _, _, _, *arguments = command(recipe, *words)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("recipe", ["colorizer", "cgan", "cyclegan"])
def test_run_killed_with_sigkill_goes_on_to_the_same_end(
    recipe: str, fitting: Fitting, tmp_path: Path, start_process: StartProcess
) -> None:
    def words(out: Path, *more: str) -> list[str]:
        return ["--data", str(fitting(recipe)), "--out", str(out), "--save-every", "5", *more]

    in_this_process(recipe, *words(tmp_path / "whole", "--steps", "20"))
    cut = command(recipe, *words(tmp_path / "cut", "--steps", "20"))
    process = start_process(stopping(cut, signal.SIGKILL, before=3, name="state-*.pt"), env=ONE_THREAD)
    process.communicate(timeout=120)
    assert (process.returncode, len(state_files(tmp_path / "cut"))) == (-signal.SIGKILL, 2)
    resumed = command(recipe, *words(tmp_path / "cut", "--resume"), settings=False)
    subprocess.run(resumed, check=True, env={**os.environ, **ONE_THREAD}, capture_output=True)
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_the_step_saves_and_exits_130(
    sent: Any, colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    run = tmp_path / "run"
    words = ["--data", str(colour_photos), "--out", str(run), "--steps", "100000", "--log-every", "1"]
    process = start_process(command("wgan-gp", *words), env=ONE_THREAD)
    assert process.stderr is not None
    assert any(line.startswith("step 1/") for line in process.stderr)
    process.send_signal(sent)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    state = load_latest(run)
    assert 1 <= state.step < 100000
    assert said.endswith(f"stopped at step {state.step:,}: saved in {run}; --resume goes on\n")


@pytest.mark.slow
def test_ctrl_c_again_and_again_exits_130(colour_photos: Path, tmp_path: Path, start_process: StartProcess) -> None:
    words = ["--data", str(colour_photos), "--out", str(tmp_path), "--steps", "100000", "--log-every", "1"]
    process = start_process(command("gan", *words), env=ONE_THREAD)
    assert process.stderr is not None
    assert any(line.startswith("step 1/") for line in process.stderr)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    assert process.returncode == 130
    said = process.stderr.read()
    assert "Traceback" not in said
    assert "Error" not in said


SECOND = {
    "while the state is written": (
        "import img2img.runs.state as place\n"
        "def then(save, state, file, write=None):\n"
        "    write = file.write\n"
        "    file.write = lambda content: (ctrl_c(), write(content))[1] if state['step'] == 2 else write(content)\n"
        "    save(state, file)\n"
        "place.torch.save = functools.partial(then, place.torch.save)\n"
    ),
    "after the last step": (
        "import img2img.training.trainer as place\n"
        "place.RunFolder.note_stopped = lambda folder, stopped: ctrl_c() if stopped else None\n"
    ),
    "when all is said": (
        "import img2img.cli.app as place\n"
        "def then(leave):\n"
        "    ctrl_c()\n"
        "    leave()\n"
        "place._leave_in_peace = functools.partial(then, place._leave_in_peace)\n"
    ),
}
"""Programs that send the second Ctrl-C at a moment that is sure; the first comes with step 2."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", SECOND)
def test_second_ctrl_c_at_any_moment_ends_in_silence_and_leaves_states_whole(
    moment: str, colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    begin = (
        "import functools, os, signal\n"
        "def ctrl_c(): os.kill(os.getpid(), signal.SIGINT)\n"
        "from img2img.training.progress import Lines\n"
        "step = Lines.step\n"
        "def stopping(lines, at, scalars=None):\n"
        "    step(lines, at, scalars)\n"
        "    if at == 2 and not scalars: ctrl_c()\n"
        "Lines.step = stopping\n"
    )
    words = ["--data", str(colour_photos), "--out", str(tmp_path), "--steps", "100000", "--save-every", "1"]
    _, _, _, *arguments = command("gan", *words)
    program = f"{begin}{SECOND[moment]}from img2img.cli.app import main; main()"
    process = start_process([sys.executable, "-c", program, *arguments], env=ONE_THREAD)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in said, "Error" in said) == (130, False, False), said
    assert load_latest(tmp_path).step == (1 if moment == "while the state is written" else 2)
    assert ("stopped at step 2" in said) == (moment == "when all is said")


@pytest.mark.slow
@pytest.mark.parametrize("gap", [0.0, 0.01, 0.1])
def test_two_ctrl_c_at_close_distance_end_in_silence(
    gap: float, colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    words = ["--data", str(colour_photos), "--out", str(tmp_path), "--steps", "100000", "--log-every", "1"]
    process = start_process(command("gan", *words, "--save-every", "1"), env=ONE_THREAD)
    assert process.stderr is not None
    assert any(line.startswith("step 3/") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    time.sleep(gap)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in said, "Error" in said) == (130, False, False), said
    assert load_latest(tmp_path).step >= 2


@pytest.mark.slow
def test_broken_image_ends_a_training_whose_images_others_decode(colour_photos: Path, tmp_path: Path) -> None:
    shutil.copytree(colour_photos, tmp_path / "data")
    (tmp_path / "data" / "0.png").write_text("hello")
    words = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"), "--workers", "1", "--cache", "none"]
    words += ["--set", "precision=float32"]  # or a processor with bfloat16 is told of in a line of its own
    done = subprocess.run(
        command("gan", *words), env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if not line.endswith(" ..."))
    reason = "not a readable image (not an image inside); remove it from the training data"
    assert line == f"Error: {tmp_path / 'data' / '0.png'}: {reason}"


@pytest.mark.slow
def test_ctrl_c_at_a_terminal_reaches_the_loader_workers_too_and_still_saves(
    colour_photos: Path, tmp_path: Path, start_process: StartProcess
) -> None:
    words = ["--data", str(colour_photos), "--out", str(tmp_path), "--steps", "100000", "--log-every", "1"]
    process = start_process(command("gan", *words, "--workers", "2", "--cache", "none"), env=ONE_THREAD)
    assert process.stderr is not None
    assert any(line.startswith("step 1/") for line in process.stderr)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert load_latest(tmp_path).step >= 1


def test_truncated_state_is_passed_over_with_a_warning(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path)).train()
    newest = state_files(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    with pytest.warns(UserWarning, match=f"{newest.name}: damaged"):
        state = load_latest(tmp_path)
    assert state.step == 4


@pytest.mark.parametrize("keep", [1, 3])
def test_only_the_newest_states_are_kept(keep: int, colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, pace=replace(QUICK, save_every=1, keep=keep))).train()
    kept = range(7 - keep, 7)
    assert [path.name for path in state_files(tmp_path)] == [f"state-{step:08d}.pt" for step in kept]


def test_state_loads_without_running_code_from_it(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    torch.load(state_files(tmp_path)[-1], weights_only=True)


def test_run_folder_says_how_to_start_the_same_run_again(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["recipe"] == "gan"
    assert config["seed"] == 3
    assert config["config"]["batch_size"] == 2
    assert config["versions"]["torch"] == torch.__version__


def test_preview_grid_shows_grey_coloured_and_truth(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, "colorizer", steps=2, pace=replace(QUICK, preview_count=2))).train()
    (preview,) = (tmp_path / "previews").glob("*.png")
    with Image.open(preview) as grid:
        assert grid.size == (3 * 34 + 2, 2 * 34 + 2)


def test_second_run_in_a_folder_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(RunError, match="--resume"):
        start(request(colour_photos, tmp_path))


def test_resume_without_a_state_says_so(tmp_path: Path, colour_photos: Path) -> None:
    with pytest.raises(RunError, match="no readable config"):
        start(again(colour_photos, tmp_path))


SETTLED = [
    {"settings": ["warmup=0"]},
    {"seed": 5},
    {"init": Path("w.safetensors")},
    {"config": Path("c.toml")},
    {"preset": "paper"},
]


@pytest.mark.parametrize("given", SETTLED)
def test_resume_refuses_what_the_run_has_settled(given: Any, colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(SettingError, match="leave out --set"):
        start(again(colour_photos, tmp_path, **given))


def test_run_that_ended_before_its_first_state_can_be_started_again(colour_photos: Path, tmp_path: Path) -> None:
    train_until(start(request(colour_photos, tmp_path)), step=1)
    start(request(colour_photos, tmp_path, steps=2)).train()
    assert [record["step"] for record in RunFolder(tmp_path).stats()] == [1, 2]


def test_file_in_the_runs_place_is_named(colour_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(RunError, match="run: cannot be a run's folder"):
        start(request(colour_photos, tmp_path / "run"))


def test_resume_finds_the_data_from_any_folder(
    colour_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(colour_photos.parent)
    start(request(colour_photos.name, tmp_path, steps=2)).train()
    monkeypatch.chdir(tmp_path)
    resumed = start(again("", tmp_path, steps=3))
    assert resumed.data.images == 7


def test_resume_on_other_data_is_refused_unless_it_is_given(colour_photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(colour_photos, data)
    start(request(data, tmp_path / "run", steps=2)).train()
    (data / "0.png").unlink()
    with pytest.raises(DataError, match="6 images, and the run began with 7"):
        start(again("", tmp_path / "run"))
    start(again(data, tmp_path / "run"))


def test_time_is_counted_over_all_sessions(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    before = RunFolder(tmp_path).seconds()
    start(again(colour_photos, tmp_path, steps=4)).train()
    assert RunFolder(tmp_path).seconds() > before > 0


HEALTHY = replace(QUICK, health_every=2, save_every=4)


def test_health_is_checked_and_told_beside_the_losses(
    colour_photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding("mode collapse", "all alike: more data.")
    settings = (*TINY["wgan-gp"], "batch_size=4")
    trainer = start(request(colour_photos, tmp_path, "wgan-gp", settings=settings, pace=HEALTHY))
    check = trainer.reporter.health.check

    def found_at_four(step, steps, **measured):
        check(step, steps, **measured)
        return [finding] if step == 4 else []

    trainer.reporter.health.check = found_at_four
    trainer.train()
    assert "step 4: mode collapse: all alike: more data.\n" in capsys.readouterr().err
    records = RunFolder(tmp_path).health()
    assert [record["step"] for record in records] == [2, 4, 6]
    assert set(records[0]["gradient_norms"]) == {"critic", "generator"}
    assert records[0]["scalars"]["generator"] == RunFolder(tmp_path).stats()[1]["generator"]
    assert set(records[0]["figures"]) == {"diversity", "duplicates", "apart"}


@pytest.mark.parametrize("recipe", ["dcgan", "tgan"])
def test_looking_at_the_health_changes_nothing(recipe: str, colour_photos: Path, tmp_path: Path) -> None:
    settings = (*TINY[recipe], "batch_size=4")
    for name, every in (("watched", 1), ("alone", 1000)):
        pace = replace(QUICK, health_every=every)
        start(request(colour_photos, tmp_path / name, recipe, settings=settings, pace=pace)).train()
    assert_equal_states(load_latest(tmp_path / "watched"), load_latest(tmp_path / "alone"))


def test_health_goes_on_from_its_records(colour_photos: Path, tmp_path: Path) -> None:
    for name in ("whole", "cut"):
        trainer = start(request(colour_photos, tmp_path / name, steps=8, pace=HEALTHY))
        trainer.train() if name == "whole" else train_until(trainer, step=7)
    start(again(colour_photos, tmp_path / "cut", pace=HEALTHY)).train()
    assert RunFolder(tmp_path / "cut").health() == RunFolder(tmp_path / "whole").health()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_shows_steps_speed_and_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with training_progress(0, 40) as show:
        show.step(11)
        show.step(12, {"step": 12, "generator": 0.51234, "images_per_second": 123.4, "seconds": 3.0})
        show.say("step 12: mode collapse: all alike.")
    drawn = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", sys.stderr.getvalue())
    for text in ("12/40", "123.4 images/s", "generator 0.5123", "step 12: mode collapse: all alike.", "0:00:"):
        assert text in drawn


def test_state_that_cannot_be_saved_ends_the_run_with_the_reason(
    colour_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = start(request(colour_photos, tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("img2img.runs.state.torch.save", full)
    with pytest.raises(RunError, match="no state could be saved at step 2: the disk is full"):
        trainer.train()


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_between_two_checks_still_saves(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path, pace=replace(QUICK, save_every=1000)))
    record = trainer._record

    def interrupted_after_the_decision(show) -> None:
        if trainer.step == 3:
            signal.raise_signal(signal.SIGINT)
        record(show)

    trainer._record = interrupted_after_the_decision
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert load_latest(tmp_path).step == 4  # noticed one step later, and saved
    assert RunRecords(tmp_path).state == "stopped"
    resumed = start(again(colour_photos, tmp_path))
    resumed.reporter.begin(resumed.step)
    assert RunRecords(tmp_path).state == "running"


@pytest.mark.usefixtures("ctrl_c")
def test_second_ctrl_c_quits_at_once(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path, pace=replace(QUICK, save_every=1000)))

    def twice(show) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    trainer._record = twice
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert not state_files(tmp_path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_resume_as_another_recipe_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(SettingError, match="a run of gan"):
        start(again(colour_photos, tmp_path, "colorizer-gan"))


@pytest.mark.parametrize(
    ("recipe", "rate"),
    [
        # Half a cosine after a warm-up of 2%: at 3 of 4 steps (1 + cos(pi * 0.73 / 0.98)) / 2.
        pytest.param(
            "colorizer",
            "the learning rate jumps to its new curve, from 0 to 0.152 of its peak",
            marks=pytest.mark.slow,
        ),
        ("gan", "the learning rate stays at its peak"),
    ],
)
def test_stretched_schedule_says_what_the_learning_rate_does(
    recipe: str, rate: str, colour_photos: Path, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    start(request(colour_photos, tmp_path, recipe, steps=2)).train()
    start(again(colour_photos, tmp_path, recipe, steps=4)).train()
    assert f"schedule stretched: 2 -> 4 steps; {rate}" in log.messages
    assert load_latest(tmp_path).step == 4


def test_schedule_shorter_than_what_is_done_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=3)).train()
    with pytest.raises(SettingError, match="--steps 2: the run is at step 3 already; give 3 or more"):
        start(again(colour_photos, tmp_path, steps=2))


def test_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(
    colour_photos: Path, tmp_path: Path
) -> None:
    trainer = start(request(colour_photos, tmp_path))
    original = trainer._train_step

    def break_at_five(batch):
        scalars = original(batch)
        return {**scalars, "generator": torch.tensor(float("nan"))} if trainer.step == 5 else scalars

    trainer._train_step = break_at_five
    with pytest.raises(RunError, match="generator is not finite any more; the last saved state is still good"):
        trainer.train()
    assert load_latest(tmp_path).step == 4


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_loss_that_was_not_finite_since_the_last_record_is_never_saved(
    bad: Any, colour_photos: Path, tmp_path: Path
) -> None:
    trainer = start(request(colour_photos, tmp_path, pace=replace(QUICK, log_every=1000)))
    original = trainer._train_step

    def break_at_three(batch):
        scalars = original(batch)
        return {**scalars, "discriminator": torch.tensor(bad)} if trainer.step == 3 else scalars

    trainer._train_step = break_at_three
    with pytest.raises(RunError, match="discriminator is not finite"):
        trainer.train()
    assert [path.name for path in state_files(tmp_path)] == ["state-00000002.pt"]


@pytest.mark.parametrize("owner", ["recipe", "ema"])
def test_weight_that_is_not_finite_is_never_saved(owner: str, colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path))
    original = trainer._train_step

    def break_at_four(batch):
        scalars = original(batch)
        if trainer.step == 4:
            with torch.no_grad():
                list(getattr(trainer, owner).parameters())[-1].view(-1)[-1] = float("nan")
        return scalars

    trainer._train_step = break_at_four
    name = list(getattr(trainer, owner).state_dict())[-1]
    with pytest.raises(RunError, match=rf"{name} is not finite any more; the last saved state"):
        trainer.train()
    assert [path.name for path in state_files(tmp_path)] == ["state-00000002.pt"]


def test_run_that_never_was_finite_does_not_speak_of_a_good_state(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path))
    trainer._train_step = lambda batch: {"generator": torch.tensor(float("inf"))}
    with pytest.raises(RunError, match="not finite any more; start again with a lower learning rate"):
        trainer.train()


def test_recorded_losses_are_means_since_the_last_record(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path, steps=7, pace=replace(QUICK, log_every=3)))
    original = trainer._train_step

    def counted(batch):
        original(batch)
        return {"generator": torch.tensor(float(trainer.step**2))}

    trainer._train_step = counted
    trainer.train()
    records = RunFolder(tmp_path).stats()
    assert [(each["step"], each["generator"]) for each in records] == [
        (3, pytest.approx((1 + 4 + 9) / 3)),
        (6, pytest.approx((16 + 25 + 36) / 3)),
        (7, 49),
    ]


def test_step_gets_the_batches_of_all_its_turns_and_counts_them(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path, "wgan-gp", steps=3))
    seen = []
    original = trainer.recipe.step

    def noted(batch, update):
        seen.append((len(batch["image"]), float(trainer.recipe.progress)))
        return original(batch, update)

    trainer.recipe.step = noted
    trainer.train()
    assert seen == [(4, 0.0), (4, pytest.approx(1 / 3)), (4, pytest.approx(2 / 3))]  # batch_size 2, n_critic 2
    assert trainer.samples == 12


def test_number_of_classes_is_read_from_the_data(labelled_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(labelled_photos, tmp_path, "cgan", steps=1))
    assert trainer.recipe.config.classes == 2
    assert RunFolder(tmp_path).read_info().classes == ["cat", "dog"]


def test_recipe_with_labels_asks_for_folders_by_class(colour_photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cgan learns from labelled images.*DIR/cat/1.jpg"):
        start(request(colour_photos, tmp_path / "run", "cgan"))
    assert not (tmp_path / "run").exists()


def test_resume_on_other_classes_is_refused(labelled_photos: Path, tmp_path: Path) -> None:
    shutil.copytree(labelled_photos, tmp_path / "data")
    start(request(tmp_path / "data", tmp_path / "run", "cgan", steps=2)).train()
    (tmp_path / "data" / "dog").rename(tmp_path / "data" / "wolf")
    with pytest.raises(DataError, match="classes cat, wolf, and the run learns cat, dog"):
        start(again(tmp_path / "data", tmp_path / "run", "cgan"))


def test_digits_are_a_word_and_no_folder(colour_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def opening(data):
        opened.append(list(data))
        return open_source([colour_photos])

    monkeypatch.setattr("img2img.data.training_data.open_source", opening)
    start(request("digits", tmp_path, steps=2)).train()
    start(again("", tmp_path))
    assert opened == [["digits"], ["digits"]]


def test_digits_are_the_default_where_they_fit_and_it_is_said(log: pytest.LogCaptureFixture) -> None:
    chosen = chosen_data("gan", ("image",), (), {}, announce=True)
    assert (chosen.named, chosen.domains) == (["digits"], {"image": ["digits"]})
    assert log.messages == ["data: digits, the default for gan; --data takes another set"]


@pytest.mark.slow
def test_generators_alone_are_compiled_and_keep_their_names(colour_photos: Path, tmp_path: Path) -> None:
    plain = start(request(colour_photos, tmp_path / "plain", "wgan-gp"))
    compiled = start(request(colour_photos, tmp_path / "compiled", "wgan-gp", compile=True))
    assert list(compiled.recipe.state_dict()) == list(plain.recipe.state_dict())
    assert compiled.recipe.generator._compiled_call_impl is not None
    assert compiled.recipe.compiled() == (compiled.recipe.generator,)
    assert all(module._compiled_call_impl is None for module in compiled.recipe.critic.modules())
    assert all(module._compiled_call_impl is None for module in compiled.ema.modules())


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling for the CPU needs g++")
@pytest.mark.usefixtures("one_thread")
def test_compiled_generator_trains_like_the_plain_one(colour_photos: Path, tmp_path: Path) -> None:
    words = ["--data", str(colour_photos), "--steps", "3", "--log-every", "3"]
    in_this_process("gan", *words, "--out", str(tmp_path / "plain"))
    compiled = command("gan", *words, "--out", str(tmp_path / "compiled"), "--compile")
    subprocess.run(compiled, check=True, env={**os.environ, **ONE_THREAD}, capture_output=True)
    plain, compiled = (load_latest(tmp_path / name).networks for name in ("plain", "compiled"))
    assert list(plain) == list(compiled)
    assert all(torch.allclose(plain[name], compiled[name], atol=1e-4) for name in plain)


def test_each_process_of_a_machine_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert [pick_device("auto", local_rank) for local_rank in (0, 1)] == [
        torch.device("cuda:0"),
        torch.device("cuda:1"),
    ]
    assert pick_device("cpu", 1) == torch.device("cpu")
    with pytest.raises(SettingError, match="process 3 of this machine has no GPU of its own: there are 2"):
        pick_device("cuda", 2)


def test_every_option_of_the_command_reaches_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []
    monkeypatch.setattr("img2img.training.start.start", lambda request: asked.append(request) or exit(3))
    monkeypatch.chdir(tmp_path)
    Path("RUN").mkdir()
    Path("RUN/config.json").write_text('{"recipe": "dcgan", "config": {"steps": 7}}')
    words = (
        "train dcgan --data digits --data DIR --out RUN --steps 7 --init A.safetensors --resume --seed 5 "
        "--device cpu --config C.toml --set batch_size=2 --workers 3 --cache memory --compile --log-every 11 "
        "--save-every 12 --keep 4 --preview-every 13 --health-every 14 --tensorboard --a X --a Y.tar --b Z "
        "--preset quick --evaluate-every 0"
    )
    assert CliRunner().invoke(app, words.split()).exit_code == 3
    assert asked == [
        TrainingRequest(
            "dcgan",
            ["digits", "DIR"],
            Path("RUN"),
            steps=7,
            init=Path("A.safetensors"),
            resume=True,
            seed=5,
            device="cpu",
            settings=["batch_size=2"],
            pace=Pace(11, 12, 13, workers=3, cache="memory", keep=4, health_every=14, evaluate_every=0),
            config=Path("C.toml"),
            compile=True,
            tensorboard=True,
            domains={"a": ["X", "Y.tar"], "b": ["Z"]},
            preset="quick",
        )
    ]


def test_tensorboard_gets_figures_and_previews(colour_photos: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    start(request(colour_photos, tmp_path, steps=2, tensorboard=True)).train()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(each.step, each.value) for each in events.Scalars("generator")] == [
        (record["step"], pytest.approx(record["generator"])) for record in RunFolder(tmp_path).stats()
    ]
    with Image.open(next((tmp_path / "previews").iterdir())) as preview:
        assert (events.Images("preview")[-1].width, events.Images("preview")[-1].height) == preview.size


def test_tensorboard_shows_each_step_of_a_resumed_run_once(colour_photos: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train_until(start(request(colour_photos, tmp_path, tensorboard=True)), step=5)
    start(again(colour_photos, tmp_path, tensorboard=True)).train()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [each.step for each in events.Scalars("generator")] == [1, 2, 3, 4, 5, 6]


def test_tensorboard_that_is_not_installed_is_named(
    colour_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SettingError, match="pip install tensorboard"):
        start(request(colour_photos, tmp_path, tensorboard=True))


def test_init_starts_the_generator_from_the_file(colour_photos: Path, tmp_path: Path) -> None:
    donor = recipe_class("gan").exported_network(make_config(recipe_class("gan"), TINY["gan"]))
    save_file({k: v.contiguous() for k, v in donor.state_dict().items()}, tmp_path / "donor.safetensors")
    trainer = start(request(colour_photos, tmp_path / "run", init=tmp_path / "donor.safetensors"))
    for name, value in donor.state_dict().items():
        assert torch.equal(trainer.recipe.generator.state_dict()[name], value)


@pytest.mark.parametrize(("content", "message"), [(b"hello", "not a readable"), (None, "no such file")])
def test_init_from_what_is_no_weights_file_is_refused(
    colour_photos: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    init = tmp_path / "weights.safetensors"
    if content:
        init.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        start(request(colour_photos, tmp_path / "run", init=init))
    assert not (tmp_path / "run").exists()


def test_init_with_another_networks_weights_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="weights of another network"):
        start(request(colour_photos, tmp_path / "run", init=tmp_path / "other.safetensors"))


def test_run_of_before_there_were_domains_is_resumed(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=2)).train()
    info = json.loads((tmp_path / "config.json").read_text())
    del info["domains"]
    (tmp_path / "config.json").write_text(json.dumps(info))
    assert start(again("", tmp_path, steps=3)).data.images == 7


def test_first_previews_come_soon(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path, steps=45, pace=replace(QUICK, preview_every=30, save_every=100))).train()
    assert sorted(path.stem for path in (tmp_path / "previews").iterdir()) == ["00000020", "00000030", "00000045"]


def test_missing_default_data_is_named_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"datasets/monet2photo.*is not here; `img2img data download .*--data FOLDER"):
        start(TrainingRequest("colorizer", (), tmp_path / "run"))


def test_device_that_is_not_here_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SettingError, match="no CUDA GPU"):
        start(request(colour_photos, tmp_path, device="cuda"))


@pytest.mark.parametrize("name", ["mps", "cpu:0", "cuda:", "gpu", "meta", ""])
def test_other_devices_of_torch_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="take auto, cpu, cuda or cuda:N"):
        pick_device(name)
    result = CliRunner().invoke(app, ["train", "gan", "--device", name])
    assert result.exit_code == 2
    assert "give auto, cpu, cuda or cuda:N" in result.stderr


def test_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(SettingError, match="--device cuda:2: there are 2 GPUs here, numbered from 0"):
        pick_device("cuda:2")


def test_cache_that_is_none_is_refused_by_the_command_at_once() -> None:
    result = CliRunner().invoke(app, ["train", "gan", "--cache", "disk"])
    assert result.exit_code == 2
    assert "disk" in result.stderr


def test_number_of_classes_that_the_data_has_not_is_refused(labelled_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("classes = 3")
    for changes in ({"settings": (*TINY["cgan"], "classes=3")}, {"config": tmp_path / "c.toml"}):
        with pytest.raises(SettingError, match=r"classes=3: .* has 2; leave out classes"):
            start(request(labelled_photos, tmp_path / "run", "cgan", **changes))
    start(request(labelled_photos, tmp_path / "run", "cgan", settings=(*TINY["cgan"], "classes=2")))


def test_end_of_a_training_says_what_to_do_next(
    fitting: Fitting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for recipe, says in (
        ("gan", "generate --model runs/gan\n"),
        ("colorizer", "export runs/colorizer -o colorizer.onnx\n"),
        ("cyclegan", "export runs/cyclegan -o a2b.onnx --reverse b2a.onnx\n"),
        ("pix2pix", "export runs/pix2pix -o pix2pix.onnx\n"),
    ):
        tiny = [word for setting in TINY[recipe] for word in ("--set", setting)]
        words = ["train", recipe, "--data", str(fitting(recipe)), "--steps", "1", "--device", "cpu", *tiny]
        assert CliRunner().invoke(app, words).stderr.endswith(f"done; next: img2img {says}")


def test_several_values_that_are_not_finite_are_plural(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path))
    trainer._train_step = lambda batch: dict.fromkeys(("a", "b"), torch.tensor(float("nan")))
    with pytest.raises(RunError, match="a, b are not finite any more"):
        trainer.train()


def test_ema_follows_the_closed_form() -> None:
    live = nn.Linear(1, 1, bias=False)
    nn.init.constant_(live.weight, 0.0)
    ema = Ema({"live": live}, decay=0.9)
    nn.init.constant_(live.weight, 1.0)
    for _ in range(5):
        ema.update(step=10**6)
    assert ema.averages["live"].weight.item() == pytest.approx(1 - 0.9**5)


def test_averaged_norms_settle_with_the_live_ones() -> None:
    live = nn.Sequential(SettlingNorm(2))
    ema, x = Ema({"live": live}, decay=0.9), torch.randn(2, 2, 4, 4)
    averaged = ema.averages["live"]
    with following(live):
        live(x * 3 + 1)
    ema.update(0)
    assert torch.allclose(averaged(x), F.instance_norm(x), atol=1e-5)
    live[0].settle()
    ema.update(1)
    assert torch.equal(averaged(x), live(x))
    assert not torch.allclose(averaged(x), F.instance_norm(x), atol=0.1)


def test_ema_copies_buffers_as_they_are() -> None:
    live = nn.BatchNorm2d(2)
    ema = Ema({"live": live}, decay=0.999)
    live(torch.randn(8, 2, 3, 3) * 4 + 2)
    ema.update(step=10**6)
    assert torch.equal(ema.averages["live"].running_mean, live.running_mean)


def test_frozen_networks_pass_gradients_on_and_collect_none() -> None:
    network = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen(network):
        out = network(x).sum()
    out.backward()
    assert x.grad is not None
    assert network.weight.grad is None
    assert network.weight.requires_grad


def test_learning_rate_rises_in_a_line_then_falls_like_half_a_cosine() -> None:
    recipe = recipe_class("colorizer")
    instance = Recipe.__new__(Recipe)
    nn.Module.__init__(instance)
    instance.config = make_config(recipe, ["warmup=0.1"])
    assert instance.lr_multiplier(0.05) == pytest.approx(0.5)
    assert instance.lr_multiplier(0.1) == pytest.approx(1.0)
    assert instance.lr_multiplier(0.55) == pytest.approx(0.5)
    assert instance.lr_multiplier(1.0) == pytest.approx(0.0)


def test_resumed_run_keeps_its_images_where_they_were(colour_photos: Path, tmp_path: Path) -> None:
    enough = request(colour_photos, tmp_path, "dcgan", steps=40)
    train_until(start(enough), step=3)
    assert RunFolder(tmp_path).read_info().cache == "memory"
    shorter = start(TrainingRequest("dcgan", (), tmp_path, steps=3, resume=True, device="cpu"))
    assert shorter.pace.cache == "memory"  # a new run of 3 steps would not be worth it


def test_damaged_newer_state_does_not_outlive_the_good_ones(colour_photos: Path, tmp_path: Path) -> None:
    start(request(colour_photos, tmp_path)).train()
    state_files(tmp_path)[-1].write_bytes(b"cut")
    with pytest.warns(UserWarning, match="damaged"):
        resumed = start(again(colour_photos, tmp_path, pace=replace(QUICK, save_every=1, keep=1)))
    train_until(resumed, step=5)
    assert [path.name for path in state_files(tmp_path)] == ["state-00000005.pt"]
    assert load_latest(tmp_path).step == 5


def test_networks_and_batches_are_channels_last(colour_photos: Path, tmp_path: Path) -> None:
    trainer = start(request(colour_photos, tmp_path, "dcgan", settings=(*TINY["dcgan"], "image_channels=3")))
    for kernel in trainer.recipe.parameters():
        assert kernel.ndim < 4 or kernel.is_contiguous(memory_format=torch.channels_last)
    compute, seen = trainer._compute, []
    trainer._compute = lambda batch: (seen.append(batch["image"]), compute(batch))[1]
    trainer.train()
    assert all(image.is_contiguous(memory_format=torch.channels_last) for image in seen)


def test_kernels_of_one_channel_or_one_pixel_have_the_strides_of_channels_last() -> None:
    network = channels_last(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 1)))
    assert [layer.weight.stride() for layer in network] == [(9, 1, 3, 1), (4, 1, 4, 4)]


def test_features_inside_a_colorizer_are_channels_last(colour_photos: Path, tmp_path: Path) -> None:
    recipe = start(request(colour_photos, tmp_path, "colorizer")).recipe
    unet = recipe.get_submodule("generator.unet")
    assert isinstance(unet, UNet)
    _, skips = unet.encoder(torch.zeros(2, 1, 32, 32))  # one channel: its own strides tell nothing
    assert [skip.is_contiguous(memory_format=torch.channels_last) for skip in skips] == [True, True, True]


def test_frozen_features_and_image_pools_are_channels_last(two_sets: Path, tmp_path: Path) -> None:
    settings = (*TINY["cyclegan"], "discriminator=projected")
    recipe = start(request(two_sets, tmp_path, "cyclegan", settings=settings)).recipe
    buffers = {name: buffer for name, buffer in recipe.named_buffers() if buffer.ndim == 4}
    assert {"pool_a.images", "d_b.features.network.stem.0.weight"} <= buffers.keys()
    assert all(buffer.is_contiguous(memory_format=torch.channels_last) for buffer in buffers.values())


def test_critic_in_bfloat16_sees_its_new_weights_at_every_turn(colour_photos: Path, tmp_path: Path) -> None:
    """Autocast can keep the bf16 copies of weights for a whole step, in which the critic changes several times."""
    settings = (*TINY["wgan-gp"], "n_critic=4", "discriminator_lr=0.05", "precision=bf16")
    trainer = start(request(colour_photos, tmp_path, "wgan-gp", settings=settings))
    image, update, seen = torch.randn(8, 1, 8, 8), trainer._update, []

    def looking(name, loss) -> None:
        update(name, loss)
        if name == "critic":
            in_bf16 = trainer.recipe.critic(image).detach().float()
            with torch.autocast("cpu", enabled=False):
                seen.append((in_bf16, trainer.recipe.critic(image).detach()))

    trainer._update = looking
    trainer._train_step(next(iter(trainer._batches())))
    assert len(seen) == 4
    for in_bf16, in_float in seen:
        assert torch.allclose(in_bf16, in_float, rtol=0.05, atol=0.05 * float(in_float.abs().max()))
