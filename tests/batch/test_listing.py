"""batch/sources/listing.py: the photos that inputs stand for, one by one, whatever else lies among them."""

import io
import os
import socket
import sys
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from conftest import MakeFiles
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.batch.job import Found
from img2img.batch.outcome import Outcome
from img2img.batch.sources.listing import is_glob, list_files, list_photos
from img2img.batch.sources.path_list import opened_list, read_paths
from img2img.errors import UsageError

as_root = os.name == "posix" and os.geteuid() == 0


def paths_in(list_file: str) -> list[str]:
    with opened_list(list_file) as stream:
        return list(read_paths(stream))


def places(found: Iterable[Found | Outcome]) -> dict[str, str]:
    """Where each photo goes, by its name. Every photo comes once."""
    photos = list(found)
    assert not [each for each in photos if isinstance(each, Outcome)]
    named = {str(each.source): each.below.as_posix() for each in photos if isinstance(each, Found)}
    assert len(named) == len(photos)
    return named


def failures(found: Iterable[Found | Outcome]) -> dict[str, str]:
    outcomes = [each for each in found if isinstance(each, Outcome)]
    assert all(each.status == "failed" and str(each.source) in str(each.error) for each in outcomes)
    return {str(each.source): str(each.error) for each in outcomes}


def names(found: Iterable[Found | Outcome]) -> set[str]:
    return {each.source.name for each in found if isinstance(each, Found)}


def test_named_file_is_listed_whatever_its_suffix(files: MakeFiles) -> None:
    files("a.jpg", "in/scan.dat", "in/.hidden.jpg")
    assert places(list_photos(["a.jpg", "in/scan.dat", "in/.hidden.jpg"])) == {
        "a.jpg": "a.jpg",
        "in/scan.dat": "scan.dat",
        "in/.hidden.jpg": ".hidden.jpg",
    }


def test_size_and_time_are_the_files_own(files: MakeFiles) -> None:
    path = files("a.jpg") / "a.jpg"
    path.write_bytes(b"12345")
    os.utime(path, ns=(0, 1_234_567_890_123_456_789))
    (found,) = list_photos([path])
    assert found == Found(path, PurePath("a.jpg"), 5, path.stat().st_mtime_ns)


def test_folder_keeps_its_tree_without_hidden_and_other_files(files: MakeFiles) -> None:
    files("in/b.JPG", "in/a/b.tif", "in/a/deep/c.heic", "in/notes.txt", "in/.x.jpg", "in/.trash/y.jpg", "in/z.zip")
    assert places(list_photos(["in"])) == {
        "in/b.JPG": "b.JPG",
        "in/a/b.tif": "a/b.tif",
        "in/a/deep/c.heic": "a/deep/c.heic",
    }
    assert places(list_photos(["in"], recursive=False)) == {"in/b.JPG": "b.JPG"}


def test_folders_come_in_order_each_before_those_inside_it(files: MakeFiles) -> None:
    files("in/c/1.jpg", "in/a/2.jpg", "in/a/deep/3.jpg", "in/b/4.jpg", "in/5.jpg")
    assert list(places(list_photos(["in"])).values()) == ["5.jpg", "a/2.jpg", "a/deep/3.jpg", "b/4.jpg", "c/1.jpg"]


def test_what_is_missing_or_empty_fails_and_the_rest_goes_on(files: MakeFiles) -> None:
    files("a.jpg", "empty/notes.txt")
    told = failures(list_photos(["no.jpg", "empty", "a.jpg", "x\0y"]))
    assert set(told) == {"no.jpg", "empty", "x\0y"}
    assert "no such file" in told["no.jpg"]
    assert "no photos in this folder" in told["empty"]
    assert names(list_photos(["no.jpg", "empty", "a.jpg"])) == {"a.jpg"}


def test_an_empty_folder_may_be_waited_for(files: MakeFiles) -> None:
    files("empty/notes.txt")
    assert list(list_photos(["empty", "empty/*.jpg"], may_be_empty=True)) == []
    assert set(failures(list_photos(["gone"], may_be_empty=True))) == {"gone"}


@pytest.mark.skipif(as_root, reason="root may read every folder")
def test_an_unreadable_folder_fails_alone(files: MakeFiles) -> None:
    files("in/shut/a.jpg", "in/b.jpg")
    Path("in/shut").chmod(0)
    try:
        listed = list(list_photos(["in"]))
    finally:
        Path("in/shut").chmod(0o700)
    assert names(listed) == {"b.jpg"}
    assert "no permission" in failures(listed)["in/shut"]


def test_a_folder_that_cannot_be_read_fails_alone(files: MakeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files("in/shut/a.jpg", "in/b.jpg", "in/c/d.jpg")
    scandir = os.scandir

    def refused(path: Path) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    listed = list(list_photos(["in"]))
    assert names(listed) == {"b.jpg", "d.jpg"}
    assert "no permission" in failures(listed)["in/shut"]


def test_links_are_followed_to_files_and_never_in_a_circle(files: MakeFiles) -> None:
    files("in/a.jpg", "other/b.jpg")
    Path("in/good.jpg").symlink_to("../other/b.jpg")
    Path("in/self.jpg").symlink_to("self.jpg")
    Path("in/broken.jpg").symlink_to("nowhere.jpg")
    Path("in/folder.jpg").symlink_to("../other")
    Path("in/up").symlink_to("..")
    listed = list(list_photos(["in"]))
    assert names(listed) == {"a.jpg", "good.jpg"}
    told = failures(listed)
    assert set(told) == {"in/self.jpg", "in/broken.jpg", "in/folder.jpg"}
    assert "circle" in told["in/self.jpg"]
    assert "link to a file that does not exist" in told["in/broken.jpg"]
    assert "link to a folder" in told["in/folder.jpg"]


def test_an_archive_that_links_to_itself_fails_alone_in_a_pattern(files: MakeFiles) -> None:
    files(*(f"in/{number}.jpg" for number in range(20)))
    Path("in/self.zip").symlink_to("self.zip")
    listed = list(list_photos(["in/*"]))
    assert len(names(listed)) == 20
    assert "circle" in failures(listed)["in/self.zip"]


def test_a_link_that_is_named_is_followed(files: MakeFiles) -> None:
    files("other/b.jpg")
    Path("link").symlink_to("other")
    assert places(list_photos(["link"])) == {"link/b.jpg": "b.jpg"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_sockets_fail_instead_of_blocking(files: MakeFiles) -> None:
    files("in/a.jpg")
    os.mkfifo("in/pipe.jpg")
    os.mkfifo("in/pipe.zip")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("in/socket.jpg")
        told = failures(list_photos(["in", "in/pipe.jpg", "in/pipe.zip", "in/*.zip", os.devnull]))
    assert set(told) == {"in/pipe.jpg", "in/socket.jpg", "in/pipe.zip", "in/*.zip", os.devnull}
    assert "a pipe" in told["in/pipe.jpg"]
    assert names(list_photos(["in"])) == {"a.jpg"}


def test_a_file_that_vanishes_while_it_is_listed_is_passed_over(files: MakeFiles) -> None:
    files(*(f"in/{number}.jpg" for number in range(50)))
    listing = list_photos(["in"])
    first = next(listing)
    assert isinstance(first, Found)
    for path in Path("in").iterdir():
        path.unlink()
    assert list(listing) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_odd_names_are_kept_byte_for_byte(files: MakeFiles) -> None:
    files("in/a.jpg")
    odd = [b"line\nbreak.jpg", b"caf\xe9.jpg", b"\xff\xfe.png", b"tab\t.jpg", b" trailing .jpg"]
    for name in odd:
        Path(os.fsdecode(b"in/" + name)).write_bytes(b"x")
    assert {os.fsencode(name) for name in names(list_photos(["in"]))} == {*odd, b"a.jpg"}
    listed = b"\0".join(b"in/" + name for name in odd)
    Path("list").write_bytes(listed)
    assert [os.fsencode(path) for path in paths_in("list")] == listed.split(b"\0")
    assert {os.fsencode(name) for name in names(list_files("list"))} == set(odd)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("in/*.jpg", ["a.jpg"]),
        ("in/?.*", ["a.jpg", "b.png"]),
        ("in/[ab].???", ["a.jpg", "b.png"]),
        ("in/*/*.jpg", ["x/c.jpg"]),
        ("in/**/*.jpg", ["a.jpg", "x/c.jpg", "x/x/d.jpg"]),
        ("in/**/x/**/d.jpg", ["x/x/d.jpg"]),
        ("in/**/**/c.jpg", ["x/c.jpg"]),
        ("in/**", ["a.jpg", "b.png", "x/c.jpg", "x/x/d.jpg"]),
        ("in/*", ["a.jpg", "b.png", "x/c.jpg", "x/x/d.jpg"]),
        ("in/x*", ["x/c.jpg", "x/x/d.jpg"]),
        ("in/**/x", ["x/c.jpg", "x/x/d.jpg"]),
        ("i*/x/c.jpg", ["in/x/c.jpg"]),
        ("./in/*.png", ["b.png"]),
        ("**/d.jpg", ["in/x/x/d.jpg"]),
    ],
)
def test_pattern_finds_each_match_once_below_its_fixed_folder(files: MakeFiles, pattern: str, found: list[str]) -> None:
    files("in/a.jpg", "in/b.png", "in/notes.txt", "in/.h.jpg", "in/.h/e.jpg", "in/x/c.jpg", "in/x/x/d.jpg")
    listed = places(list_photos([pattern]))
    assert sorted(listed.values()) == found
    assert all(Path(source).is_file() for source in listed)


def test_pattern_does_not_walk_matched_folders_without_recursion(files: MakeFiles) -> None:
    files("in/2019/a.jpg", "in/2019/deep/b.jpg")
    assert names(list_photos(["in/20*"], recursive=False)) == {"a.jpg"}


def test_pattern_that_matches_nothing_says_so(files: MakeFiles) -> None:
    files("in/a.jpg")
    told = failures(list_photos(["in/*.png", "no/*.jpg", "in/**/no/*"]))
    assert "no photos match" in told["in/*.png"]
    assert "no photos match" in told["in/**/no/*"]
    assert "no such file" in told["no"]


def test_a_file_with_brackets_in_its_name_is_no_pattern(files: MakeFiles) -> None:
    files("in/a[1].jpg", "in/a1.jpg", "album [old]/b.jpg")
    assert places(list_photos(["in/a[1].jpg"])) == {"in/a[1].jpg": "a[1].jpg"}
    assert places(list_photos(["album [old]"])) == {"album [old]/b.jpg": "b.jpg"}
    assert is_glob("in/b[1].jpg")
    assert not is_glob("s3://bucket/*.jpg")


@given(st.lists(st.sampled_from(["a", "b", "ab", "**", "*", "a*", "?"]), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_patterns_match_the_files_that_pathlib_matches(parts: list[str]) -> None:
    # a matched folder is walked, which pathlib does not do: the last part is a file's
    with TemporaryDirectory() as folder:
        top = Path(folder)
        for name in ("a.jpg", "a/b.jpg", "a/b/ab.jpg", "b/a/a/a.jpg", "ab/b/a.jpg", "b/b.jpg"):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes(b"x")
        pattern = "/".join([*parts, "*.jpg"])
        expected = {path.relative_to(top).as_posix() for path in top.glob(pattern)}
        fixed = PurePosixPath(*_fixed(parts))
        listed = list(list_photos([str(top / pattern)]))
        assert {(fixed / each.below).as_posix() for each in listed if isinstance(each, Found)} == expected
        assert len([each for each in listed if isinstance(each, Found)]) == len(expected)
        assert bool(expected) != bool(failures(listed))


def _fixed(parts: list[str]) -> list[str]:
    first = next((number for number, part in enumerate(parts) if "*" in part or "?" in part), len(parts))
    return parts[:first]


def test_archives_are_inputs_and_in_a_pattern_keep_their_name(files: MakeFiles) -> None:
    files("in/a.jpg")
    for name in ("in/one.zip", "in/two.zip"):
        with ZipFile(name, "w") as archive:
            archive.writestr("x/photo.jpg", b"12")
    assert places(list_photos(["in/one.zip"])) == {"in/one.zip/x/photo.jpg": "x/photo.jpg"}
    assert places(list_photos(["in/*.zip"])) == {
        "in/one.zip/x/photo.jpg": "one.zip/x/photo.jpg",
        "in/two.zip/x/photo.jpg": "two.zip/x/photo.jpg",
    }
    assert places(list_photos(["in"])) == {"in/a.jpg": "a.jpg"}


@pytest.mark.parametrize(
    "content",
    [b"a.jpg\nin/b c.jpg\n", b"a.jpg\r\n\r\nin/b c.jpg", b"a.jpg\0in/b c.jpg\0", b"\xef\xbb\xbfa.jpg\nin/b c.jpg"],
)
def test_a_list_has_a_path_on_each_line_or_between_nuls(files: MakeFiles, content: bytes) -> None:
    files("a.jpg", "in/b c.jpg")
    Path("list").write_bytes(content)
    assert list(paths_in("list")) == ["a.jpg", "in/b c.jpg"]
    assert places(list_files("list")) == {"a.jpg": "a.jpg", "in/b c.jpg": "in/b c.jpg"}


@given(st.lists(st.binary(min_size=1).filter(lambda name: not {0, 10, 13} & set(name)), min_size=1), st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_name_comes_back_from_a_list(listed: list[bytes], nul: bool) -> None:
    if listed[0][:2] in (b"\xff\xfe", b"\xfe\xff") or listed[0].startswith(b"\xef\xbb\xbf"):
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "list")
        path.write_bytes(b"".join(name + (b"\0" if nul else b"\n") for name in listed))
        assert [os.fsencode(name) for name in paths_in(str(path))] == listed


def test_listed_photos_keep_their_tree_below_the_folder_that_all_share(files: MakeFiles) -> None:
    top = files("p/2019/a.jpg", "p/2020/may/b.jpg", "p/2020/c.jpg", "p/20/d.jpg")
    Path("list").write_text(f"p/2019/a.jpg\n{top}/p/2020/may/b.jpg\np/2019/../2020/c.jpg\n")
    assert places(list_files("list")) == {
        "p/2019/a.jpg": "2019/a.jpg",
        f"{top}/p/2020/may/b.jpg": "2020/may/b.jpg",
        "p/2019/../2020/c.jpg": "2020/c.jpg",
    }
    Path("list").write_text("p/20/d.jpg\np/2020/c.jpg")
    assert places(list_files("list")) == {"p/20/d.jpg": "20/d.jpg", "p/2020/c.jpg": "2020/c.jpg"}
    Path("list").write_text("p/2020/may/b.jpg")
    assert places(list_files("list")) == {"p/2020/may/b.jpg": "b.jpg"}


def test_a_listed_folder_is_walked_and_a_listed_pattern_is_a_name(files: MakeFiles) -> None:
    files("in/a/1.jpg", "in/a/deep/2.jpg", "in/b/3.jpg")
    with ZipFile("in/b/x.zip", "w") as archive:
        archive.writestr("4.jpg", b"1")
    Path("list").write_text("in/a\nin/b/3.jpg\nin/b/x.zip\nin/*.jpg\n")
    listed = list(list_files("list"))
    assert set(failures(listed)) == {"in/*.jpg"}
    assert places(each for each in listed if isinstance(each, Found)) == {
        "in/a/1.jpg": "a/1.jpg",
        "in/a/deep/2.jpg": "a/deep/2.jpg",
        "in/b/3.jpg": "b/3.jpg",
        "in/b/x.zip/4.jpg": "b/x.zip/4.jpg",
    }


def test_a_listed_folder_is_walked_as_one_that_is_named(files: MakeFiles) -> None:
    files("in/1.jpg", "in/deep/2.jpg")
    Path("in/empty").mkdir()
    Path("list").write_text("in\nin/empty\n")
    assert set(places(list_files("list", recursive=False, may_be_empty=True))) == {"in/1.jpg"}
    assert "no photos" in failures(list_files("list", recursive=False))["in/empty"]


def test_a_list_may_come_on_standard_input_or_through_a_pipe(files: MakeFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files("a/1.jpg", "b/2.jpg")

    class Stdin:
        buffer = io.BytesIO(b"a/1.jpg\nb/2.jpg\n")

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert places(list_files("-")) == {"a/1.jpg": "a/1.jpg", "b/2.jpg": "b/2.jpg"}
    reading, writing = os.pipe()
    os.write(writing, b"a/1.jpg\0b/2.jpg\0")
    os.close(writing)
    try:
        assert places(list_files(f"/dev/fd/{reading}")) == {"a/1.jpg": "a/1.jpg", "b/2.jpg": "b/2.jpg"}
    finally:
        os.close(reading)


def test_a_list_that_cannot_be_read_is_refused(files: MakeFiles) -> None:
    files("a.jpg")
    Path("wide").write_text("a.jpg\n", encoding="utf-16")
    Path("empty").write_text("\n\n")
    for name, words in (("no", "no such file"), (".", "a folder"), ("wide", "UTF-16")):
        with pytest.raises(UsageError, match=words):
            list(list_files(name))
    assert "names no files" in failures(list_files("empty"))["empty"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_files(files: MakeFiles) -> None:
    files(*(f"in/{number:030}.jpg" for number in range(2000)))
    tracemalloc.start()
    held = [_held() for number, _ in enumerate(list_photos(["in"])) if number in (10, 1990)]
    tracemalloc.stop()
    assert held[1] < held[0] + 200


def _held() -> int:
    """How many pieces of memory the listing has. Not their size: Python's own table of names doubles when it likes."""
    ours = tracemalloc.Filter(True, "*/batch/*"), tracemalloc.Filter(True, "*/pathlib*")
    return len(tracemalloc.take_snapshot().filter_traces(ours).traces)
