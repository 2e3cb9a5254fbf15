"""batch/zip_output.py: results gather in a folder and become a .zip, of which an interrupted run loses nothing."""

import errno
import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import BinaryIO

import pytest

from img2img.atomic_file import written_at_once
from img2img.batch import zip_output
from img2img.batch.zip_output import ZipOutput
from img2img.errors import UnwritablePhoto, UsageError

RESULTS = {"b.jpg": b"second" * 100, "a.png": b"first", "in/ä.jpg": b"third", "in/deep/c.tif": b""}


def put(output: ZipOutput, results: dict[str, bytes] = RESULTS) -> list[PurePath]:
    for name, content in results.items():
        path = output.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [PurePath(name) for name in results]


def members(path: Path) -> dict[str, bytes]:
    """In the order of the .zip, every checksum compared."""
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.fixture
def output(tmp_path: Path) -> ZipOutput:
    return ZipOutput(tmp_path / "results.zip")


def test_results_are_packed_by_name_and_removed(output: ZipOutput) -> None:
    names = put(output)
    (output.folder / ".journal").write_bytes(b"kept")
    output.pack(names)
    packed = members(output.path)
    assert packed == RESULTS
    assert list(packed) == sorted(RESULTS)
    assert [each.name for each in output.folder.rglob("*")] == [".journal"]
    assert sorted(each.name for each in output.path.parent.iterdir()) == [".results.zip.img2img", "results.zip"]


def test_packed_results_are_held(output: ZipOutput) -> None:
    names = put(output)
    assert output.holds(PurePath("b.jpg")) is None
    output.pack(names)
    for again in (output, ZipOutput(output.path)):
        assert {name: again.holds(PurePath(name)) for name in RESULTS} == {
            name: len(content) for name, content in RESULTS.items()
        }
        assert again.holds(PurePath("other.jpg")) is None


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    sums = set()
    for name, order in (("one", 1), ("two", -1)):
        output = ZipOutput(tmp_path / name / "results.zip")
        put(output, dict(list(RESULTS.items())[::order]))
        os.utime(output.folder / "b.jpg", (1, order + 5))
        (output.folder / "a.png").chmod(0o600 if order == 1 else 0o644)
        output.pack(map(PurePath, list(RESULTS)[::order]))
        sums.add(hashlib.sha256(output.path.read_bytes()).hexdigest())
    assert len(sums) == 1


def test_members_are_stored_with_a_fixed_time_and_mode(output: ZipOutput) -> None:
    output.pack(put(output))
    with zipfile.ZipFile(output.path) as packed:
        for member in packed.infolist():
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.external_attr >> 16 == 0o100644


def test_in_two_runs_the_zip_becomes_the_one_of_a_single_run(tmp_path: Path, output: ZipOutput) -> None:
    whole = ZipOutput(tmp_path / "whole" / "results.zip")
    whole.pack(put(whole))
    first, second = dict(list(RESULTS.items())[:2]), dict(list(RESULTS.items())[2:])
    output.pack(put(output, first))
    ZipOutput(output.path).pack(put(output, second) + [PurePath(name) for name in first])
    assert output.path.read_bytes() == whole.path.read_bytes()


def test_a_new_result_replaces_the_packed_one(output: ZipOutput) -> None:
    names = put(output)
    output.pack(names)
    put(output, {"b.jpg": b"better"})
    output.pack(names)
    assert members(output.path) == {**RESULTS, "b.jpg": b"better"}
    assert output.holds(PurePath("b.jpg")) == 6


def test_what_an_earlier_batch_packed_stays(output: ZipOutput) -> None:
    output.pack(put(output))
    output.pack(put(output, {"z.jpg": b"z"}))
    assert members(output.path) == {**RESULTS, "z.jpg": b"z"}


def test_without_new_results_the_zip_stays_as_it_is(output: ZipOutput) -> None:
    output.pack([PurePath("gone.jpg")])
    assert not output.path.exists()
    names = put(output)
    output.pack(names)
    before = output.path.stat()
    output.pack([*names, PurePath("gone.jpg")])
    assert output.path.stat() == before


def test_names_that_are_no_utf8_are_spelled_out(output: ZipOutput) -> None:
    name = PurePath(os.fsdecode(b"caf\xe9.jpg"))
    output.folder.mkdir()
    try:
        (output.folder / name).write_bytes(b"1")
    except OSError:
        pytest.skip("this file system has no such names")
    output.pack([name])
    assert members(output.path) == {"caf%E9.jpg": b"1"}
    assert output.holds(name) == 1


def test_zip64_is_used_where_there_are_many(output: ZipOutput, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    results = {f"{number}.jpg": bytes([number]) * 700 * number for number in range(6)}
    output.pack(put(output, results))
    assert b"PK\x06\x06" in output.path.read_bytes()
    assert members(output.path) == results


class FullDisk:
    """A file's stream that takes so many bytes."""

    def __init__(self, stream: BinaryIO, room: int) -> None:
        self._stream, self._room = stream, room
        self.tell, self.seek, self.flush = stream.tell, stream.seek, stream.flush

    def write(self, content: bytes) -> int:
        if self._stream.tell() + len(content) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._stream.write(content)


@pytest.mark.parametrize("room", [0, 10, 100, 300, 800, 1000])
def test_a_full_disk_loses_nothing(output: ZipOutput, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    output.pack(put(output, {"old.jpg": b"old"}))
    names = [*put(output), PurePath("old.jpg")]
    before = output.path.read_bytes()
    written = written_at_once

    @contextmanager
    def on_full_disk(path: Path) -> Iterator[FullDisk]:
        with written(path) as stream:
            yield FullDisk(stream, room)

    with monkeypatch.context() as patch:
        patch.setattr(zip_output, "written_at_once", on_full_disk)
        with pytest.raises(UnwritablePhoto, match=r"the disk is full; free some space.*wait in"):
            output.pack(names)
    assert output.path.read_bytes() == before
    assert all((output.folder / name).is_file() for name in RESULTS)
    output.pack(names)
    assert members(output.path) == {**RESULTS, "old.jpg": b"old"}


def test_a_run_that_is_cut_short_while_packing_loses_nothing(
    output: ZipOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = put(output)

    def cut(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(zip_output, "_keep_safe", cut)
        with pytest.raises(KeyboardInterrupt):
            output.pack(names)
    again = ZipOutput(output.path)
    again.pack(names)
    assert members(output.path) == RESULTS
    assert [each.name for each in output.path.parent.iterdir()] == ["results.zip"]


def test_a_half_packed_zip_of_a_killed_run_is_removed(output: ZipOutput) -> None:
    (output.path.parent / ".results.zip.0123456789ab.part").write_bytes(b"half")
    output.pack(put(output))
    assert [each.name for each in output.path.parent.iterdir()] == ["results.zip"]


def test_a_zip_that_came_meanwhile_is_not_replaced(output: ZipOutput) -> None:
    names = put(output)
    with zipfile.ZipFile(output.path, "w") as theirs:
        theirs.writestr("a.txt", "theirs")
    with pytest.raises(UsageError, match="did not pack"):
        output.pack(names)
    assert members(output.path) == {"a.txt": b"theirs"}
    assert all((output.folder / name).is_file() for name in RESULTS)


def test_a_damaged_zip_of_ours_is_told_before_its_results_are_lost(output: ZipOutput) -> None:
    output.pack(put(output))
    output.path.write_bytes(output.path.read_bytes().replace(b"secondsecond", b"SECONDsecond", 1))
    again = ZipOutput(output.path)
    with pytest.raises(UnwritablePhoto, match="wait in"):
        again.pack(put(again, {"new.jpg": b"new"}))
    assert (again.folder / "new.jpg").read_bytes() == b"new"


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as album:
        album.writestr("a.jpg", b"1")
    (tmp_path / "letter.zip").write_bytes(b"a letter")
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "broken.zip").symlink_to("nowhere.zip")
    for name in ("album.zip", "letter.zip", "folder.zip", "broken.zip"):
        with pytest.raises(UsageError, match=name):
            ZipOutput(tmp_path / name)


def test_an_address_is_refused() -> None:
    upath = pytest.importorskip("upath")
    with pytest.raises(UsageError, match="packed on this machine"):
        ZipOutput(upath.UPath("memory://bucket/x.zip"))
