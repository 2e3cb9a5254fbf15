"""A batch as it is typed: killed, watched, out of disk, among odd names; nothing lost, nothing half-written."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto, StartProcess
from PIL import Image
from stopping import stopping
from typer.testing import CliRunner, Result
from waiting import wait_beside

from img2img.batch.batch import PhotoBatch
from img2img.cli.app import app

CHECKOUT = Path(__file__).resolve().parents[2]
JOURNAL = ".img2img-journal.sqlite"
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and file systems of POSIX")


MAIN = [sys.executable, str(CHECKOUT / "main.py")]
"""For what only a process of its own can show: each takes as long as ten small photos."""


@pytest.fixture
def command(tiny_model: Path) -> list[str]:
    return ["colorize", "--model", str(tiny_model)]


def done(words: list[str], folder: Path, given: str | None = None) -> Result:
    """The command in that folder, in this process."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, words, given)


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the journal."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(JOURNAL))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def draw_album(folder: Path, count: int, size: tuple[int, int] = (640, 480)) -> None:
    """Photos with grain, each another one."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number % 7}" / f"{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, size[::-1], np.uint8)).save(path)


def has_results(folder: Path, count: int = 1) -> bool:
    return sum(1 for path in folder.rglob("*.jpg") if not path.name.startswith(".")) >= count


@pytest.mark.slow
@needs_posix
def test_batch_killed_ten_times_gives_the_folder_of_an_undisturbed_run(
    tmp_path: Path, command: list[str], start_process: StartProcess
) -> None:
    draw_album(tmp_path / "in", 80)
    assert done([*command, "in", "-o", "whole"], tmp_path).exit_code == 0
    words = [*command, "in", "-o", "out", "--jobs", "2"]
    rng, kills, converted = random.Random(0), 0, 0
    while kills < 10:
        before = len(contents(tmp_path / "out"))
        enough, seconds = rng.choice([1, 2, 4, 9]), rng.uniform(0, 0.05)
        killed = stopping([*MAIN, *words], signal.SIGKILL, before=enough, name="*.jpg", seconds=seconds)
        process = start_process(killed, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert process.wait(120) == -signal.SIGKILL, "it ended before it was killed: more photos are needed"
        kills += 1
        converted += len(contents(tmp_path / "out")) - before
    assert converted > 10, "it was never killed at work"
    last = done([*words, "--report", "report.json"], tmp_path)
    assert last.exit_code == 0, last.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    summary = json.loads((tmp_path / "report.json").read_text())["summary"]
    assert summary["failed"] == 0
    assert summary["skipped"] >= converted - 2 * kills  # at most those in flight were done again
    assert done(words, tmp_path).stdout == "0 coloured, 0 failed, 80 skipped (80 up to date)\n"


def test_other_settings_redo_our_results_and_leave_the_edited_one(tmp_path: Path, command: list[str]) -> None:
    draw_album(tmp_path / "in", 3, (64, 48))
    done([*command, "in", "-o", "out"], tmp_path)
    (tmp_path / "out" / "1" / "001.jpg").write_bytes(b"retouched")
    again = done([*command, "in", "-o", "out", "--strength", "0.5"], tmp_path)
    assert again.stdout == "2 coloured into out, 0 failed, 1 skipped (1 changed since it was made)\n"
    done([*command, "in", "-o", "fresh", "--strength", "0.5"], tmp_path)
    made, fresh = contents(tmp_path / "out"), contents(tmp_path / "fresh")
    assert made.pop("1/001.jpg") == b"retouched"
    del fresh["1/001.jpg"]
    assert made == fresh


@pytest.mark.parametrize("on_error", ["skip", "stop"])
def test_on_error_goes_on_or_stops(tmp_path: Path, command: list[str], on_error: str) -> None:
    draw_album(tmp_path / "in", 20, (64, 48))
    for path in (tmp_path / "in").rglob("*.jpg"):
        path.write_bytes(b"a letter")
    ended = done([*command, "in", "-o", "out", "--on-error", on_error, "--jobs", "1"], tmp_path)
    assert ended.exit_code == 1
    failed = int(ended.stdout.split(" failed")[0].split(", ")[1])
    assert failed == 20 if on_error == "skip" else 1 <= failed <= 3
    assert ("stopped" in ended.stdout) is (on_error == "stop")


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_watch_converts_what_appears_waits_for_what_is_being_written_and_ends_cleanly(
    tmp_path: Path, command: list[str], draw_photo: DrawPhoto, start_process: StartProcess, number: int
) -> None:
    draw_photo(tmp_path / "in" / "first.jpg")
    words = [*command, "in", "-o", "out", "--watch", "--report", "report.json"]
    process = start_process([*MAIN, *words], cwd=tmp_path)
    wait_beside(lambda: has_results(tmp_path / "out"), process)
    whole = draw_photo(tmp_path / "whole.jpg", size=(900, 700)).read_bytes()
    with (tmp_path / "in" / "slow.jpg").open("wb") as slow:
        for start in range(0, 2100, 100):  # for two seconds: looks, a second apart, see it grow
            slow.write(whole[start : start + 100])
            slow.flush()
            time.sleep(0.1)
        slow.write(whole[2100:])
    wait_beside(lambda: (tmp_path / "out" / "slow.jpg").exists(), process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (0, "")
    assert stdout.splitlines() == ["out/first.jpg", "out/slow.jpg", "2 coloured into out, 0 failed, 0 skipped"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["summary"] == {"done": 2, "failed": 0, "skipped": 0}
    with Image.open(tmp_path / "out" / "slow.jpg") as image:
        assert image.size == (900, 700)


@needs_posix
def test_odd_names_and_links_are_reported_and_the_rest_is_done(tmp_path: Path, command: list[str]) -> None:
    draw_album(tmp_path / "in", 2, (64, 48))
    photo = (tmp_path / "in" / "0" / "000.jpg").read_bytes()
    (tmp_path / "in" / "two\nlines.jpg").write_bytes(photo)
    Path(os.fsdecode(bytes(tmp_path) + b"/in/caf\xe9.jpg")).write_bytes(photo)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "in" / "broken.jpg").symlink_to("gone.jpg")
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    ended = done([*command, "in", "-o", "out", "--report", "report.json"], tmp_path)
    assert ended.exit_code == 1
    assert ended.stdout == "4 coloured into out, 3 failed, 0 skipped\n"
    assert sorted(line.split(":")[0] for line in ended.stderr.splitlines()) == [
        "in/broken.jpg",
        "in/pipe.jpg",
        "in/self.jpg",
    ]
    assert {os.fsencode(path.name) for path in (tmp_path / "out").glob("[!.]*")} == {
        b"0",
        b"1",
        b"two\nlines.jpg",
        b"caf\xe9.jpg",
    }
    report = json.loads((tmp_path / "report.json").read_text())
    assert "in/caf\udce9.jpg" in {photo["source"] for photo in report["photos"]}
    again = done([*command, "in", "-o", "out"], tmp_path)
    assert again.stdout == "0 coloured, 3 failed, 4 skipped (4 up to date)\n"


def test_names_that_differ_by_case_cost_those_two_only(tmp_path: Path, command: list[str]) -> None:
    draw_album(tmp_path / "in", 2, (64, 48))
    shutil.copy(tmp_path / "in/0/000.jpg", tmp_path / "in/0/000.JPG")
    if len(list((tmp_path / "in/0").iterdir())) < 2:
        pytest.skip("this file system takes the two names for one")
    ended = done([*command, "in", "-o", "out"], tmp_path)
    assert ended.exit_code == 1
    assert ended.stderr.count("in/0/000.JPG and in/0/000.jpg would both become") == 2
    assert ended.stdout == "1 coloured into out, 2 failed, 0 skipped\n"
    assert set(contents(tmp_path / "out")) == {"1/001.jpg"}


def test_photo_that_vanishes_after_the_listing_is_a_failure(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing names two photos; before the first is converted, the second goes."""
    draw_album(tmp_path / "in", 2, (64, 48))
    register = PhotoBatch.register

    def registered(batch: PhotoBatch) -> Any:
        found = register(batch)
        Path("in/1/001.jpg").unlink()
        return found

    monkeypatch.setattr(PhotoBatch, "register", registered)
    ended = done([*command, "in", "-o", "out"], tmp_path)
    assert (ended.exit_code, ended.stdout) == (1, "1 coloured into out, 1 failed, 0 skipped\n")
    assert ended.stderr.startswith("in/1/001.jpg: no such file")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
@pytest.mark.parametrize("elsewhere", [pytest.param(True, marks=pytest.mark.slow), False])
def test_disk_that_fills_up_is_reported_and_freed_space_is_used(
    tmp_path: Path, command: list[str], small_disk: Path, elsewhere: bool
) -> None:
    draw_album(tmp_path / "in", 12, (560, 420))
    journal = ["--journal", str(tmp_path / "journal.sqlite")] if elsewhere else []
    words = [*command, "in", "-o", "disk/out", *journal, "--report", "report.json"]
    ended = done(words, tmp_path)
    assert ended.exit_code == 1
    lines = ended.stderr.splitlines()
    assert lines
    assert all("the disk is full" in line for line in lines)
    report = json.loads((tmp_path / "report.json").read_text())
    made = contents(small_disk / "out")
    assert report["summary"] == {"done": len(made), "failed": 12 - len(made), "skipped": 0}
    assert 0 < len(made) < 12
    assert not list(small_disk.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    again = done(words, tmp_path)
    assert again.exit_code == 0, again.stderr
    assert done([*command, "in", "-o", "whole"], tmp_path).exit_code == 0
    assert contents(small_disk / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("archive", [pytest.param("photos.tar", marks=pytest.mark.slow), "photos.tar.gz", "photos.zip"])
def test_archive_in_and_zip_out_give_what_the_folder_gives(tmp_path: Path, command: list[str], archive: str) -> None:
    draw_album(tmp_path / "in", 6, (64, 48))
    files = sorted(path for path in (tmp_path / "in").rglob("*.jpg"))
    if archive.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / archive, "w") as packed:
            for path in files:
                packed.write(path, path.relative_to(tmp_path / "in"))
    else:
        with tarfile.open(tmp_path / archive, "w:gz" if archive.endswith("gz") else "w") as packed_tar:
            for path in files:
                packed_tar.add(path, path.relative_to(tmp_path / "in").as_posix())
    assert done([*command, archive, "-o", "out.zip", "--report", "report.json"], tmp_path).exit_code == 0
    assert done([*command, "in", "-o", "folder"], tmp_path).exit_code == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as result:
        assert {name: result.read(name) for name in result.namelist()} == contents(tmp_path / "folder")
    photo = json.loads((tmp_path / "report.json").read_text())["photos"][0]
    assert (photo["source"], photo["target"]) == (f"{archive}/0/000.jpg", "out.zip/0/000.jpg")
    first = (tmp_path / "out.zip").read_bytes()
    again = done([*command, archive, "-o", "out.zip"], tmp_path)
    assert again.stdout == "0 coloured, 0 failed, 6 skipped (6 up to date)\n"
    assert (tmp_path / "out.zip").read_bytes() == first


def test_listed_files_and_globs(tmp_path: Path, command: list[str]) -> None:
    draw_album(tmp_path / "in", 9, (64, 48))
    names = "in/0/000.jpg\nin/1/001.jpg\n"
    ended = done([*command, "--from-file", "-", "-o", "listed"], tmp_path, names)
    assert ended.exit_code == 0, ended.stderr
    assert set(contents(tmp_path / "listed")) == {"0/000.jpg", "1/001.jpg"}
    assert done([*command, "in/**/00[78].jpg", "-o", "matched"], tmp_path).exit_code == 0
    assert set(contents(tmp_path / "matched")) == {"0/007.jpg", "1/008.jpg"}


def test_second_command_into_the_folder_is_told_of_the_first(
    tmp_path: Path, command: list[str], start_process: StartProcess
) -> None:
    draw_album(tmp_path / "in", 4, (64, 48))
    words = [*command, "in", "-o", "out", "--jobs", "1"]
    first = stopping([*MAIN, *words], signal.SIGSTOP, before=2, name="*.jpg")  # it stays as it is then
    wait_beside(lambda: has_results(tmp_path / "out"), start_process(first, cwd=tmp_path))
    second = done(words, tmp_path)
    assert second.exit_code == 1
    assert "another img2img is writing into this folder" in second.stderr
