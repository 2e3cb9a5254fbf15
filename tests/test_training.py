"""The trainer's promises, held on a network small enough for a test."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from img2img.errors import DataError, ModelError, RunError, SettingError
from img2img.recipes import RECIPES, recipe_class
from img2img.recipes.recipe import Recipe, frozen
from img2img.training.data import EndlessSamples, photo_augmentation
from img2img.training.ema import Ema
from img2img.training.image_source import decode_rgb, open_source
from img2img.training.run_folder import RunFolder
from img2img.training.settings import make_config
from img2img.training.start import Request, start
from img2img.training.state import load_latest, state_files
from img2img.training.trainer import Pace, Trainer

TINY = ("batch_size=2", "image_size=32", "pretrained=false")
UNTIMED = {"images_per_second": 0, "seconds": 0}
QUICK = Pace(log_every=1, save_every=2, preview_every=1000, preview_count=1)


def request(colour_photos: Path, out: Path, recipe: str = "colorizer", **changes) -> Request:
    return replace(
        Request(recipe, [colour_photos], out, steps=6, settings=TINY, seed=3, device="cpu", pace=QUICK), **changes
    )


def assert_equal_states(a, b) -> None:
    for name in ("networks", "ema"):
        for key, value in getattr(a, name).items():
            assert torch.equal(value, getattr(b, name)[key]), f"{name}.{key}"
    for name, optimizer in a.optimizers.items():
        for index, moments in optimizer["state"].items():
            for key, value in moments.items():
                assert torch.equal(value, b.optimizers[name]["state"][index][key])


class Interrupted(Exception):
    pass


def train_until(trainer: Trainer, step: int) -> None:
    """Stop as a crash would: in the middle of nowhere, with only the saved states left behind."""
    original = trainer._train_step

    def stop_at(batch):
        if trainer.step == step:
            raise Interrupted
        return original(batch)

    trainer._train_step = stop_at
    with pytest.raises(Interrupted):
        trainer.train()


@pytest.mark.parametrize("recipe", RECIPES)
def test_resumed_run_equals_uninterrupted_run(recipe, colour_photos, tmp_path):
    start(request(colour_photos, tmp_path / "whole", recipe)).train()
    train_until(start(request(colour_photos, tmp_path / "cut", recipe)), step=5)
    resumed = start(request(colour_photos, tmp_path / "cut", recipe, resume=True, settings=(), seed=None, steps=None))
    assert resumed.step == 4
    resumed.train()
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))
    records = [RunFolder(tmp_path / name).stats() for name in ("whole", "cut")]
    for whole, cut in zip(*records, strict=True):
        assert {**whole, **UNTIMED} == {**cut, **UNTIMED}


def test_loader_workers_change_nothing(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path / "none", steps=2)).train()
    start(request(colour_photos, tmp_path / "two", steps=2, pace=replace(QUICK, workers=2))).train()
    assert_equal_states(load_latest(tmp_path / "none"), load_latest(tmp_path / "two"))


def test_two_seeds_train_two_networks(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path / "a", steps=2)).train()
    start(request(colour_photos, tmp_path / "b", steps=2, seed=4)).train()
    a, b = (RunFolder(tmp_path / name).stats()[0]["loss"] for name in "ab")
    assert a != b


@pytest.mark.slow
def test_run_killed_with_sigkill_goes_on_to_the_same_end(colour_photos, tmp_path):
    def command(out: Path, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "img2img", "train", "colorizer", "--data", str(colour_photos), "--out", str(out),
            "--device", "cpu", "--save-every", "1", "--log-every", "1", "--preview-every", "1000", *more,
        ]  # fmt: skip

    begin = ["--steps", "8", *(word for setting in TINY for word in ("--set", setting))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command(tmp_path / "whole", *begin), check=True, env=environment, capture_output=True)
    process = subprocess.Popen(command(tmp_path / "cut", *begin), env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not state_files(tmp_path / "cut") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    subprocess.run(command(tmp_path / "cut", "--resume"), check=True, env=environment, capture_output=True)
    assert_equal_states(load_latest(tmp_path / "whole"), load_latest(tmp_path / "cut"))


@pytest.mark.slow
def test_ctrl_c_finishes_the_step_saves_and_exits_130(colour_photos, tmp_path):
    run = tmp_path / "run"
    command = [
        sys.executable, "-m", "img2img", "train", "colorizer", "--data", str(colour_photos), "--out", str(run),
        "--steps", "100000", "--log-every", "1", *(word for setting in TINY for word in ("--set", setting)),
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert process.stderr is not None
    assert process.stderr.readline().startswith("step 1/")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    process.stderr.close()
    state = load_latest(run)
    assert 1 <= state.step < 100000


def test_truncated_state_is_passed_over_with_a_warning(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path)).train()
    newest = state_files(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    with pytest.warns(UserWarning, match=f"{newest.name}: damaged"):
        state = load_latest(tmp_path)
    assert state.step == 4


def test_only_the_newest_three_states_are_kept(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, pace=replace(QUICK, save_every=1))).train()
    assert [path.name for path in state_files(tmp_path)] == [f"state-{step:08d}.pt" for step in (4, 5, 6)]


def test_state_loads_without_running_code_from_it(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    torch.load(state_files(tmp_path)[-1], weights_only=True)


def test_run_folder_says_how_to_start_the_same_run_again(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["recipe"] == "colorizer"
    assert config["seed"] == 3
    assert config["config"]["batch_size"] == 2
    assert config["versions"]["torch"] == torch.__version__


def test_preview_grid_shows_grey_coloured_and_truth(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2, pace=replace(QUICK, preview_count=2))).train()
    (preview,) = (tmp_path / "previews").glob("*.png")
    with Image.open(preview) as grid:
        assert grid.size == (3 * 34 + 2, 2 * 34 + 2)


def test_second_run_in_a_folder_is_refused(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(RunError, match="--resume"):
        start(request(colour_photos, tmp_path))


def test_resume_without_a_state_says_so(tmp_path, colour_photos):
    with pytest.raises(RunError, match="no readable config"):
        start(request(colour_photos, tmp_path, resume=True, settings=(), seed=None))


@pytest.mark.parametrize("given", [{"settings": TINY}, {"seed": 5}, {"init": Path("weights.safetensors")}])
def test_resume_refuses_what_the_run_has_settled(given, colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(SettingError, match="leave --set"):
        start(request(colour_photos, tmp_path, **({"resume": True, "settings": (), "seed": None} | given)))


def test_run_that_ended_before_its_first_state_can_be_started_again(colour_photos, tmp_path):
    train_until(start(request(colour_photos, tmp_path)), step=1)
    start(request(colour_photos, tmp_path, steps=2)).train()
    assert [record["step"] for record in RunFolder(tmp_path).stats()] == [1, 2]


def test_file_in_the_runs_place_is_named(colour_photos, tmp_path):
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(RunError, match="run: cannot be a run's folder"):
        start(request(colour_photos, tmp_path / "run"))


def test_resume_finds_the_data_from_any_folder(colour_photos, tmp_path, monkeypatch):
    monkeypatch.chdir(colour_photos.parent)
    start(request(Path(colour_photos.name), tmp_path, steps=2)).train()
    monkeypatch.chdir(tmp_path)
    resumed = start(Request("colorizer", (), tmp_path, resume=True, device="cpu", steps=3))
    assert len(resumed.source) == 7


def test_resume_on_other_data_is_refused_unless_it_is_given(colour_photos, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(colour_photos, data)
    start(request(data, tmp_path / "run", steps=2)).train()
    (data / "0.png").unlink()
    with pytest.raises(DataError, match="6 images, and the run began with 7"):
        start(Request("colorizer", (), tmp_path / "run", resume=True, device="cpu"))
    start(Request("colorizer", [data], tmp_path / "run", resume=True, device="cpu"))


def test_time_is_counted_over_all_sessions(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    before = RunFolder(tmp_path).seconds()
    start(request(colour_photos, tmp_path, steps=4, resume=True, settings=(), seed=None)).train()
    assert RunFolder(tmp_path).seconds() > before > 0


def test_state_that_cannot_be_saved_ends_the_run_with_the_reason(colour_photos, tmp_path, monkeypatch):
    trainer = start(request(colour_photos, tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("img2img.training.state.torch.save", full)
    with pytest.raises(RunError, match="no state could be saved at step 2: the disk is full"):
        trainer.train()


def test_ctrl_c_between_two_checks_still_saves(colour_photos, tmp_path):
    trainer = start(request(colour_photos, tmp_path, pace=replace(QUICK, save_every=1000)))
    record = trainer._record

    def interrupted_after_the_decision(scalars, started):
        trainer._stop = trainer.step == 3
        return record(scalars, started)

    trainer._record = interrupted_after_the_decision
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert load_latest(tmp_path).step == 4  # noticed one step later, and saved


def test_resume_as_another_recipe_is_refused(colour_photos, tmp_path):
    start(request(colour_photos, tmp_path, steps=2)).train()
    with pytest.raises(SettingError, match="a run of colorizer"):
        start(request(colour_photos, tmp_path, "colorizer-gan", resume=True, settings=(), seed=None))


def test_stretched_schedule_is_announced(colour_photos, tmp_path, capsys):
    start(request(colour_photos, tmp_path, steps=2)).train()
    start(request(colour_photos, tmp_path, steps=4, resume=True, settings=(), seed=None)).train()
    assert "2 -> 4 steps" in capsys.readouterr().err
    assert load_latest(tmp_path).step == 4


def test_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(colour_photos, tmp_path):
    trainer = start(request(colour_photos, tmp_path))
    original = trainer._train_step

    def break_at_five(batch):
        scalars = original(batch)
        return {"loss": torch.tensor(float("nan"))} if trainer.step == 5 else scalars

    trainer._train_step = break_at_five
    with pytest.raises(RunError, match="loss is not finite"):
        trainer.train()
    assert load_latest(tmp_path).step == 4


def test_init_starts_the_generator_from_the_file(colour_photos, tmp_path):
    from safetensors.torch import save_file

    donor = recipe_class("colorizer").exported_network(make_config(recipe_class("colorizer")))
    save_file({k: v.contiguous() for k, v in donor.state_dict().items()}, tmp_path / "donor.safetensors")
    trainer = start(request(colour_photos, tmp_path / "run", "colorizer-gan", init=tmp_path / "donor.safetensors"))
    for name, value in donor.state_dict().items():
        assert torch.equal(trainer.recipe.generator.state_dict()[name], value)


@pytest.mark.parametrize(("content", "message"), [(b"hello", "not a readable"), (None, "no such file")])
def test_init_from_what_is_no_weights_file_is_refused(colour_photos, tmp_path, content, message):
    init = tmp_path / "weights.safetensors"
    if content:
        init.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        start(request(colour_photos, tmp_path / "run", init=init))
    assert not (tmp_path / "run").exists()


def test_init_with_another_networks_weights_is_refused(colour_photos, tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="weights of another network"):
        start(request(colour_photos, tmp_path / "run", init=tmp_path / "other.safetensors"))


def test_missing_data_is_asked_for(tmp_path):
    with pytest.raises(DataError, match="--data FOLDER"):
        start(Request("colorizer", (), tmp_path))


def test_missing_folder_and_empty_folder_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such"):
        open_source([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no images in there"):
        open_source([tmp_path])


def test_device_that_is_not_here_is_refused(colour_photos, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SettingError, match="no CUDA GPU"):
        start(request(colour_photos, tmp_path, device="cuda"))


class NoAugmentation:
    def set_random_seed(self, seed: int) -> None:
        pass

    def __call__(self, *, image: np.ndarray) -> dict[str, np.ndarray]:
        return {"image": image}


def test_every_epoch_visits_each_image_once_in_an_order_of_its_own(colour_photos):
    source = open_source([colour_photos])
    samples = EndlessSamples(source, NoAugmentation(), seed=1)
    seen = [float(samples[n]["image"].sum()) for n in range(2 * len(source))]
    first, second = seen[: len(source)], seen[len(source) :]
    assert sorted(first) == sorted(second)
    assert first != second


def test_sample_depends_on_its_number_alone(colour_photos):
    source = open_source([colour_photos])
    forward = EndlessSamples(source, photo_augmentation(32), seed=5)
    backward = EndlessSamples(source, photo_augmentation(32), seed=5)
    images = [forward[n]["image"] for n in range(20)]
    for n in reversed(range(20)):
        assert torch.equal(backward[n]["image"], images[n])


def test_ema_follows_the_closed_form():
    live = nn.Linear(1, 1, bias=False)
    nn.init.constant_(live.weight, 0.0)
    ema = Ema({"live": live}, decay=0.9)
    nn.init.constant_(live.weight, 1.0)
    for _ in range(5):
        ema.update(step=10**6)
    assert ema.averages["live"].weight.item() == pytest.approx(1 - 0.9**5)


def test_ema_copies_buffers_as_they_are():
    live = nn.BatchNorm2d(2)
    ema = Ema({"live": live}, decay=0.999)
    live(torch.randn(8, 2, 3, 3) * 4 + 2)
    ema.update(step=10**6)
    assert torch.equal(ema.averages["live"].running_mean, live.running_mean)


def test_frozen_networks_pass_gradients_on_and_collect_none():
    network = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen(network):
        out = network(x).sum()
    out.backward()
    assert x.grad is not None
    assert network.weight.grad is None
    assert network.weight.requires_grad


def test_learning_rate_rises_in_a_line_then_falls_like_half_a_cosine():
    recipe = recipe_class("colorizer")
    instance = Recipe.__new__(Recipe)
    nn.Module.__init__(instance)
    instance.config = make_config(recipe, ["warmup=0.1"])
    assert instance.lr_multiplier(0.05) == pytest.approx(0.5)
    assert instance.lr_multiplier(0.1) == pytest.approx(1.0)
    assert instance.lr_multiplier(0.55) == pytest.approx(0.5)
    assert instance.lr_multiplier(1.0) == pytest.approx(0.0)


def test_settings_are_parsed_by_their_types():
    config = make_config(
        recipe_class("colorizer-gan"), ["batch_size=4", "generator_lr=1e-5", "betas=0, 0.9", "pretrained=no"]
    )
    assert (config.batch_size, config.generator_lr, config.betas, config.pretrained) == (
        4,
        1e-5,
        (0.0, 0.9),
        False,
    )


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("size=3", "no setting 'size'; it has: steps, batch_size"),
        ("batch_size=many", "batch_size takes int"),
        ("batch_size", "write it as name=value"),
        ("batch_size=0", "must be 1 or more"),
        ("image_size=100", "multiple of 32"),
        ("adversarial=tough-love", "one of minimax, bce"),
        ("temperature=0", "above 0, at most 1"),
        ("temperature=nan", "above 0, at most 1"),
        ("saturation=-1", "0 or more"),
        ("warmup=1", "below 1"),
        ("generator_lr=-1", "above 0"),
        ("lambda_l1=-1", "0 or more"),
        ("betas=0.5, 1", "below 1"),
        ("discriminator_channels=0", "1 or more"),
        ("pretrained=perhaps", "pretrained takes bool"),
    ],
)
def test_setting_that_cannot_be_is_explained(assignment, message):
    with pytest.raises(SettingError, match=message):
        make_config(recipe_class("colorizer-gan"), [assignment])


def test_batch_norm_gets_at_least_two_values():
    with pytest.raises(SettingError, match="batch_size=1: must be 2 or more"):
        make_config(recipe_class("colorizer"), ["batch_size=1", "image_size=32"])
    make_config(recipe_class("colorizer"), ["batch_size=1", "image_size=64"])


def test_hidden_files_are_no_images(colour_photos, tmp_path):
    shutil.copy(colour_photos / "0.png", tmp_path)
    (tmp_path / "._0.png").write_bytes(b"what macOS leaves beside a picture")
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(tmp_path / "0.png", "deep/0.png")
        tar.add(tmp_path / "._0.png", "deep/._0.png")
    assert len(open_source([tmp_path])) == 1
    assert len(open_source([tmp_path / "shard.tar"])) == 1


def test_image_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello")
    source = open_source([tmp_path])
    for index, name in enumerate(("empty.png", "text.jpg")):
        with pytest.raises(DataError, match=f"{name}: not a readable image"):
            decode_rgb(source, index)


def test_tar_holds_the_same_images_as_the_folder(colour_photos, tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for path in sorted(colour_photos.iterdir()):
            tar.add(path, path.name)
    folder, tar_file = open_source([colour_photos]), open_source([tmp_path / "shard.tar"])
    joined = open_source([colour_photos, tmp_path / "shard.tar"])
    assert len(folder) == len(tar_file) == 7
    for index in range(7):
        assert np.array_equal(decode_rgb(folder, index), decode_rgb(tar_file, index))
        assert joined.encoded(7 + index) == joined.encoded(index)


def test_compressed_tar_is_refused(colour_photos, tmp_path):
    with tarfile.open(tmp_path / "shard.tar", "w:gz") as tar:
        tar.add(colour_photos / "0.png", "0.png")
    with pytest.raises(DataError, match="not an uncompressed tar"):
        open_source([tmp_path / "shard.tar"])


def test_unknown_recipe_lists_the_recipes():
    with pytest.raises(SettingError, match="colorizer, colorizer-gan"):
        recipe_class("colourizer")
