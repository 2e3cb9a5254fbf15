"""A file that is no checkpoint, or not the one it seems to be, gives one line that says so; nothing in it is run."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peer_checkpoints as peer
import pytest
import torch
from safetensors.torch import save_file

from img2img.errors import ModelError
from img2img.importing.checkpoint import read_checkpoint
from img2img.importing.generator_layout import GeneratorLayout
from img2img.importing.recognise import recognised


def opened(path: Path) -> GeneratorLayout:
    return recognised(read_checkpoint(path), path)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as error:
        opened(path)
    line = str(error.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_both_formats_are_read_and_wrappers_stripped(tmp_path: Path, legacy: bool, wrapper: str) -> None:
    tensors = peer.resnet()
    path = peer.saved({wrapper + name: one for name, one in tensors.items()}, tmp_path / "net_G.pth", legacy=legacy)
    assert zipfile.is_zipfile(path) is not legacy
    read = read_checkpoint(path)
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], one) for name, one in tensors.items())
    assert opened(path).name == "ResNet with 2 blocks"


def test_safetensors_are_read(tmp_path: Path) -> None:
    tensors = peer.unet(5)
    save_file(tensors, tmp_path / "net_G.safetensors")
    assert opened(tmp_path / "net_G.safetensors").name == "U-Net of 5 levels"


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    halves = {name: one.half() for name, one in peer.resnet().items()}
    read = read_checkpoint(peer.saved(halves, tmp_path / "net_G.pth"))
    assert {one.dtype for one in read.values()} == {torch.float32}


def test_statistics_that_old_instance_norms_kept_are_of_no_account(tmp_path: Path) -> None:
    tensors = peer.resnet(norm="instance")
    batch = peer.resnet(norm="batch")
    kept = {name: one for name, one in batch.items() if name.rpartition(".")[2].startswith(("running", "num_b"))}
    layout = opened(peer.saved(tensors | kept, tmp_path / "old_net_G.pth"))
    assert layout.norm == "instance"
    assert layout.settings == opened(peer.saved(tensors, tmp_path / "net_G.pth")).settings


def without(tensors: peer.Tensors, name: str) -> peer.Tensors:
    return {key: one for key, one in tensors.items() if key != name}


@pytest.mark.parametrize(
    "tensors",
    [
        peer.resnet(),
        *(
            pytest.param(tensors, marks=pytest.mark.slow)
            for tensors in (peer.resnet(norm="batch", down="blurred", up="bilinear"), peer.unet(5))
        ),
    ],
)
def test_every_tensor_is_missed(tensors: peer.Tensors, tmp_path: Path) -> None:
    for name in tensors:
        if not name.endswith("num_batches_tracked"):  # files from before PyTorch 0.4 have none
            refusal(peer.saved(without(tensors, name), tmp_path / "net_G.pth"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "tensors", [peer.resnet(norm="batch", down="blurred", up="bilinear"), peer.unet(5, "instance")]
)
def test_every_renamed_tensor_is_refused(tensors: peer.Tensors, tmp_path: Path) -> None:
    for name, one in tensors.items():
        if not name.endswith("num_batches_tracked"):
            renamed = without(tensors, name) | {name.replace("model.", "layer.", 1): one}
            refusal(peer.saved(renamed, tmp_path / "net_G.pth"))


@pytest.mark.parametrize("tensors", [peer.resnet(), peer.unet(5, channels=4)])
def test_every_transposed_kernel_is_refused(tensors: peer.Tensors, tmp_path: Path) -> None:
    looked_at = 0
    for name, one in tensors.items():
        if one.ndim == 4 and one.shape[0] != one.shape[1]:
            looked_at += 1
            refusal(peer.saved(tensors | {name: one.transpose(0, 1).contiguous()}, tmp_path / "net_G.pth"))
    assert looked_at >= 6


def test_refusals_say_what_was_found_and_what_was_expected(tmp_path: Path) -> None:
    good = peer.resnet()
    missing = refusal(peer.saved(without(good, "model.11.conv_block.5.weight"), tmp_path / "net_G.pth"))
    assert "ResNet with 2 blocks, but model.11.conv_block.5.weight (16 x 16 x 3 x 3) is missing" in missing
    changed = good | {"model.4.weight": good["model.4.weight"].transpose(0, 1).contiguous()}
    transposed = refusal(peer.saved(changed, tmp_path / "net_G.pth"))
    assert "model.4.weight is 4 x 8 x 3 x 3, expected 8 x 4 x 3 x 3" in transposed
    further = refusal(peer.saved(good | {"model.40.weight": torch.zeros(2, 3)}, tmp_path / "net_G.pth"))
    assert "model.40.weight (2 x 3) has no place in it" in further
    strange = refusal(peer.saved({"fc.weight": torch.zeros(2, 3)}, tmp_path / "net_G.pth"))
    assert "not recognised: 1 tensors, fc.weight (2 x 3); expected a generator of pytorch-CycleGAN" in strange


def test_files_that_lie_beside_generators_are_named(tmp_path: Path) -> None:
    discriminator = {"model.0.weight": torch.zeros(4, 3, 4, 4), "model.2.weight": torch.zeros(8, 4, 4, 4)}
    assert "a discriminator" in refusal(peer.saved(discriminator, tmp_path / "latest_net_D.pth"))
    sampler = {"mlp_0.0.weight": torch.zeros(4, 3), "mlp_0.0.bias": torch.zeros(4)}
    assert "CUT's netF" in refusal(peer.saved(sampler, tmp_path / "latest_net_F.pth"))


@pytest.mark.parametrize("ends", [(4, 3), (3, 2), (1, 2)])
def test_what_makes_no_pictures_of_photos_is_refused(ends: tuple[int, int], tmp_path: Path) -> None:
    for tensors in (peer.resnet(ends=ends), peer.unet(5, ends=ends)):
        line = refusal(peer.saved(tensors, tmp_path / "net_G.pth"))
        assert f"from {ends[0]} to {ends[1]} channels; expected 1 (grey) or 3 (RGB)" in line


def test_another_filter_is_refused(tmp_path: Path) -> None:
    tensors = peer.resnet(down="blurred", up="bilinear")
    tensors["model.7.filt"] = tensors["model.7.filt"].roll(1, 3)
    assert "model.7.filt is another filter than the authors'" in refusal(peer.saved(tensors, tmp_path / "net_G.pth"))


@pytest.mark.parametrize("levels", [4, 11])
def test_unet_of_too_few_or_too_many_levels_is_refused(levels: int, tmp_path: Path) -> None:
    tensors = peer.unet(levels, channels=1)
    assert f"{levels} levels; expected 5 to 10" in refusal(peer.saved(tensors, tmp_path / "net_G.pth"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    tensors = peer.resnet()
    tensors["model.1.weight"][0, 0, 0, 0] = value
    assert "model.1.weight holds values that are not finite" in refusal(peer.saved(tensors, tmp_path / "net_G.pth"))


class Runs:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self._mark}'",)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_pickle_is_not_run(legacy: bool, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    content: dict[str, Any] = {**peer.resnet(), "model.99": Runs(mark)}
    path = peer.saved(content, tmp_path / "net_G.pth", legacy=legacy)
    assert "asks for posix.system, and what a file asks for may run as code" in refusal(path)
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(Runs(mark)))
    refusal(plain)
    assert not mark.exists()
    pickle.loads(plain.read_bytes())  # it would have
    assert mark.exists()


def test_whole_network_is_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(torch.nn.Conv2d(3, 3, 1), tmp_path / "net_G.pth")
    assert "torch.nn.modules.conv.Conv2d" in (line := refusal(tmp_path / "net_G.pth"))
    assert "can save the network's state_dict()" in line


def test_packed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    whole = peer.saved({"model.1.weight": torch.zeros(4_000_000)}, tmp_path / "whole.pth")
    bomb = tmp_path / "net_G.pth"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert bomb.stat().st_size < 100_000
    assert "bytes that become 16,0" in refusal(bomb)


def test_archive_whose_entries_share_their_bytes_is_refused(tmp_path: Path) -> None:
    path = peer.saved({"model.1.weight": torch.zeros(100_000)}, tmp_path / "net_G.pth")
    with zipfile.ZipFile(path, "a") as archive:
        (large,) = [entry for entry in archive.infolist() if entry.file_size >= 400_000]
        archive.filelist += [large] * 9  # the directory names the same bytes ten times
        archive.writestr("end", b"")
    assert "a packed archive" in refusal(path)


def test_tensor_that_is_one_number_many_times_is_refused(tmp_path: Path) -> None:
    huge = {"model.1.weight": torch.zeros(1).expand(1 << 40)}
    assert "claim to be larger than the file" in refusal(peer.saved(huge, tmp_path / "net_G.pth"))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_file_that_was_cut_short_is_refused(legacy: bool, share: float, tmp_path: Path) -> None:
    path = peer.saved(peer.resnet(), tmp_path / "net_G.pth", legacy=legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut short or damaged" in refusal(path)


def test_half_a_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net_G.safetensors"
    save_file(peer.resnet(), path)
    path.write_bytes(path.read_bytes()[:-100])
    refusal(path)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.pth")
    assert "a folder: give the file in it" in refusal(tmp_path)
    for name, content in {
        "empty.pth": b"",
        "text.pth": b"hello\n" * 50,
        "picture.pth": b"\xff\xd8\xff\xe0" * 90,
    }.items():
        (tmp_path / name).write_bytes(content)
        refusal(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "archive.pth", "w") as archive:
        archive.writestr("a.txt", "hello")
    refusal(tmp_path / "archive.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch.zeros(3), "holds a tensor of float32, where named tensors were expected"),
        ([torch.zeros(3)], "holds list"),
        ({}, "holds nothing"),
        ({"epoch": 3, "state_dict": peer.resnet()}, "holds epoch (int), state_dict (20 names)"),
        ({1: torch.zeros(3)}, "holds 1 (a tensor of float32)"),
        ({"model.1.weight": torch.zeros(2, 2, dtype=torch.int64)}, "holds model.1.weight (a tensor of int64)"),
        ({"model.1.weight": torch.zeros(2, device="meta")}, "holds model.1.weight (a tensor of float32)"),
        ({"model.1.weight": torch.eye(2).to_sparse()}, "holds model.1.weight"),
    ],
)
def test_what_is_not_named_tensors_is_refused(content: Any, said: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    (tmp_path / "net_G.pth").write_bytes(buffer.getvalue())
    assert said in refusal(tmp_path / "net_G.pth")
