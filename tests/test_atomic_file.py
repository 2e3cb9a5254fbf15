"""atomic_file.py: a file appears whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from img2img.atomic_file import check_stays_inside, reason_for, remove_leftovers, written_at_once
from img2img.errors import UnwritablePhoto


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "photo.jpg"
    with written_at_once(target) as stream:
        stream.write(b"all of it")
        assert not target.exists()
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".")
    assert target.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_the_old_file_stays_when_the_block_raises(error: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"old")

    def break_off() -> None:
        with written_at_once(target) as stream:
            stream.write(b"half of")
            raise error

    with pytest.raises(error):
        break_off()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_those_of_a_new_file(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        with written_at_once(tmp_path / "photo.jpg") as stream:
            stream.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "photo.jpg").stat().st_mode) == mode


@pytest.mark.parametrize("target", ["real.jpg", "not there.jpg"])
def test_a_link_is_replaced_and_what_it_led_to_stays(target: str, tmp_path: Path) -> None:
    real, link = tmp_path / "real.jpg", tmp_path / "link.jpg"
    real.write_bytes(b"old")
    link.symlink_to(target)
    with written_at_once(link) as stream:
        stream.write(b"new")
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"
    assert real.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.jpg", "real.jpg"]


def test_another_name_of_the_same_file_keeps_its_content(tmp_path: Path) -> None:
    real, other = tmp_path / "real.jpg", tmp_path / "other.jpg"
    real.write_bytes(b"old")
    other.hardlink_to(real)
    with written_at_once(other) as stream:
        stream.write(b"new")
    assert (real.read_bytes(), other.read_bytes()) == (b"old", b"new")


def test_the_link_that_standard_output_is_stays(tmp_path: Path) -> None:
    name = tmp_path / "out.bin"
    with name.open("wb") as file, written_at_once(Path(f"/proc/self/fd/{file.fileno()}")) as stream:
        stream.write(b"new")
    assert name.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [name]


def test_a_folder_that_a_link_leads_out_is_refused(tmp_path: Path) -> None:
    inside, root = tmp_path / "real" / "inside", tmp_path / "root"
    inside.mkdir(parents=True)
    root.symlink_to("real")  # the root itself may be one
    (root / "near").symlink_to("inside")
    (root / "away").symlink_to(tmp_path)
    check_stays_inside(root / "near", root)
    check_stays_inside(root / "not there" / "yet", root)
    with pytest.raises(UnwritablePhoto, match="away: a link leads it out of"):
        check_stays_inside(root / "away", root)


def test_a_name_of_the_longest_length_works(tmp_path: Path) -> None:
    target = tmp_path / ("ä" * 120 + ".jpg")
    with written_at_once(target) as stream:
        stream.write(b"x")
    assert target.read_bytes() == b"x"


def test_a_device_is_written_to_not_replaced() -> None:
    with written_at_once(Path(os.devnull)) as stream:
        stream.write(b"gone")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EISDIR, errno.EROFS])
def test_reasons_are_one_line_with_advice(code: int) -> None:
    words = reason_for(OSError(code, os.strerror(code)), "written")
    assert "; " in words
    assert "\n" not in words


def test_a_decoders_many_lines_become_one() -> None:
    words = reason_for(ValueError("first\nsecond\n\tthird"), "read")
    assert words.startswith("damaged or incomplete (first second third)")


def test_leftovers_of_a_long_name_are_not_what_another_is_being_written_to(tmp_path: Path) -> None:
    one, other = (f"Family holiday in Italy, summer of 1987, tape {n}.colorized.mp4" for n in (1, 2))
    with written_at_once(tmp_path / one) as stream:
        stream.write(b"x")
        (temporary,) = tmp_path.iterdir()
        remove_leftovers(tmp_path, [other])
        assert temporary.exists()
    assert [path.name for path in tmp_path.iterdir()] == [one]
    temporary.touch()
    remove_leftovers(tmp_path, [one])
    assert not temporary.exists()
