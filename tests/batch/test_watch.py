"""batch/watch.py: photos come once they are whole, failures once each."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.batch.job import Found
from img2img.batch.outcome import Outcome, failure
from img2img.batch.sources.listing import list_photos
from img2img.batch.watch import rounds

Round = Callable[[], list[Found | Outcome]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watching(*inputs: Path) -> Round:
    """Each call is one round."""
    looks = rounds(partial(list_photos, inputs, may_be_empty=True), threading.Event(), pause=0)
    return lambda: list(next(looks))


def names(found: list[Found | Outcome]) -> list[str]:
    return sorted(each.source.name for each in found)


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_photo_comes_once_it_did_not_change_between_two_looks(folder: Path) -> None:
    look = watching(folder)
    photo = folder / "a.jpg"
    photo.write_bytes(b"1")
    assert names(look()) == []
    photo.write_bytes(b"12")
    assert names(look()) == []
    os.utime(photo, ns=(0, photo.stat().st_mtime_ns + 1))
    assert names(look()) == []
    assert names(look()) == ["a.jpg"]
    assert names(look()) == ["a.jpg"]
    photo.write_bytes(b"other")
    assert names(look()) == []
    assert names(look()) == ["a.jpg"]


def test_photos_come_as_they_arrive(folder: Path) -> None:
    look = watching(folder)
    assert look() == []
    (folder / "a.jpg").write_bytes(b"1")
    look()
    (folder / "b.jpg").write_bytes(b"1")
    assert names(look()) == ["a.jpg"]
    assert names(look()) == ["a.jpg", "b.jpg"]
    (folder / "a.jpg").unlink()
    assert names(look()) == ["b.jpg"]


def test_an_old_photo_comes_at_once_and_one_from_the_future_is_compared(folder: Path) -> None:
    look = watching(folder)
    for name, seconds in (("old.jpg", 3600), ("new.jpg", 1), ("future.jpg", -3600)):
        (folder / name).write_bytes(b"1")
        age(folder / name, seconds)
    assert names(look()) == ["old.jpg"]
    assert names(look()) == ["future.jpg", "new.jpg", "old.jpg"]


def test_an_empty_file_is_waited_for(folder: Path) -> None:
    look = watching(folder)
    (folder / "old.jpg").touch()
    age(folder / "old.jpg", 3600)
    (folder / "new.jpg").touch()
    assert [look(), look(), look()] == [[], [], []]
    (folder / "new.jpg").write_bytes(b"1")
    look()
    assert names(look()) == ["new.jpg"]


def test_a_failure_comes_once_until_it_changes(folder: Path) -> None:
    look = watching(folder, folder / "later.zip")
    told = [names(look()) for _ in range(4)]
    assert told == [[], ["later.zip"], [], []]  # it is missing
    for content in (b"a letter", b"another"):
        (folder / "later.zip").write_bytes(content)
        assert [names(look()) for _ in range(4)] == [[], ["later.zip"], [], []]  # it is no archive
    (folder / "later.zip").unlink()
    assert [names(look()) for _ in range(3)] == [[], ["later.zip"], []]


def test_a_failure_in_an_archive_comes_again_with_another_archive(folder: Path) -> None:
    archive = folder / "x.zip"
    failed = failure(archive / "a.jpg", "x.zip/a.jpg: encrypted")
    looks = rounds(lambda: iter([failed]), threading.Event(), pause=0)
    archive.write_bytes(b"1")
    assert [len(list(next(looks))) for _ in range(3)] == [0, 1, 0]
    archive.write_bytes(b"12")
    assert [len(list(next(looks))) for _ in range(3)] == [0, 1, 0]


def test_stopping_is_at_once(folder: Path) -> None:
    stop = threading.Event()
    looks = rounds(partial(list_photos, [folder]), stop, pause=60)
    next(looks)
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    assert next(looks, None) is None
    assert time.monotonic() - started < 50


def test_stopping_ends_a_look(folder: Path) -> None:
    stop = threading.Event()

    def look() -> Iterator[Found | Outcome]:
        for number in range(1000):
            yield Found(folder / f"{number}.jpg", PurePath(f"{number}.jpg"), size=1, mtime=0)
            if number == 2:
                stop.set()

    (found,) = [list(each) for each in rounds(look, stop, pause=60)]
    assert names(found) == ["0.jpg", "1.jpg", "2.jpg"]


def test_no_look_is_taken_once_stopped() -> None:
    stop = threading.Event()
    stop.set()

    def look() -> Iterator[Found | Outcome]:
        raise AssertionError

    assert list(rounds(look, stop)) == []


def test_between_looks_there_is_a_pause(folder: Path) -> None:
    looks = rounds(partial(list_photos, [folder]), threading.Event(), pause=0.1)
    started = time.monotonic()
    for _ in range(3):
        list(next(looks))
    assert time.monotonic() - started >= 0.2


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)), min_size=2, max_size=8))
@settings(max_examples=80, deadline=None)
def test_what_comes_is_what_two_looks_found_the_same(states: list[dict[str, int]]) -> None:
    """Each state is the young photos at one look, by name and size."""
    now = time.time_ns()
    found = [[Found(Path(name), PurePath(name), size, now) for name, size in state.items()] for state in states]
    looks = iter(found)
    watched = rounds(lambda: iter(next(looks)), threading.Event(), pause=0)
    come = [list(next(watched)) for _ in states]
    assert come[0] == []
    for number in range(1, len(states)):
        assert come[number] == [each for each in found[number] if each in found[number - 1] and each.size]
