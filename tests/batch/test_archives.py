"""batch/sources/archives.py: photos in .zip and .tar files, read forward once, whatever is wrong with some of them."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from img2img.batch.job import Found, Job
from img2img.batch.outcome import Outcome
from img2img.batch.sources import archive_photos
from img2img.batch.sources.archives import is_archive, list_archive, with_contents

PHOTOS = {"a.jpg": b"first", "in/b.png": b"second" * 1000, "in/deep/c.TIF": bytes(range(256)) * 20, "d.webp": b""}
KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz")
Members = Iterable[tuple[str, bytes]]


def pack(path: Path, members: Members) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members:
            tar.addfile(entry(name, len(content)), io.BytesIO(content))
    ways: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": partial(bz2.compress, compresslevel=1),
        ".xz": lzma.compress,
    }
    squeeze = ways.get(path.suffix, bytes)
    path.write_bytes(squeeze(packed.getvalue()))
    return path


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, leads_to: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.type, header.linkname = size, kind, leads_to
    return header


def found_in(path: Path) -> list[Found]:
    return [each for each in list_archive(path) if isinstance(each, Found)]


def told_of(outcomes: Iterable[object]) -> dict[str, str]:
    """Each failure's reason by the name of what it is of; it says that name."""
    failed = [each for each in outcomes if isinstance(each, Outcome)]
    assert all(str(each.source) in str(each.error) for each in failed)
    return {each.source.name: str(each.error) for each in failed}


def jobs_of(found: Iterable[Found]) -> list[Job]:
    return [Job(each.source, Path("out", each.below), each.archive) for each in found]


def contents(jobs: Iterable[Job]) -> dict[str, bytes | None]:
    return {each.source.name: each.content for each in with_contents(jobs) if isinstance(each, Job)}


@pytest.mark.parametrize("kind", KINDS)
def test_photos_are_listed_and_read_in_their_order(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / f"x.{kind}", PHOTOS.items())
    listed = list(list_archive(path))
    mtime = path.stat().st_mtime_ns
    assert listed == [
        Found(path / name, PurePath(name), len(content), mtime, archive=path) for name, content in PHOTOS.items()
    ]
    jobs = jobs_of(found_in(path))
    assert list(with_contents(jobs)) == [
        replace(job, content=content) for job, content in zip(jobs, PHOTOS.values(), strict=True)
    ]


@pytest.mark.parametrize("name", ["a.ZIP", "a.tar", "a.tar.gz", "a.TGZ", "a.tar.bz2", "a.tar.xz"])
def test_archives_are_known_by_their_names(name: str) -> None:
    assert is_archive(Path(name))
    assert not is_archive(Path(name) / "photo.jpg")


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_may_be_left_out(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / f"x.{kind}", PHOTOS.items())
    first, second, third, fourth = jobs_of(found_in(path))
    assert contents([second, fourth]) == {"b.png": PHOTOS["in/b.png"], "d.webp": b""}
    assert contents([third]) == {"c.TIF": PHOTOS["in/deep/c.TIF"]}
    assert contents([first]) == {"a.jpg": b"first"}


def test_jobs_of_files_and_of_several_archives_keep_their_order(tmp_path: Path) -> None:
    one, two = (pack(tmp_path / name, PHOTOS.items()) for name in ("one.zip", "two.tar.gz"))
    file = Job(tmp_path / "e.jpg", tmp_path / "out/e.jpg")
    jobs = [file, *jobs_of(found_in(one)), file, file, *jobs_of(found_in(two)), *jobs_of(found_in(one))[:1]]
    done = [each for each in with_contents(iter(jobs)) if isinstance(each, Job)]
    assert [replace(each, content=None) for each in done] == jobs
    assert [each.content is None for each in done] == [each.archive is None for each in jobs]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_already_comes_in_its_place_and_the_archive_is_read_on(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / f"x.{kind}", PHOTOS.items())
    first, second, third, fourth = jobs_of(found_in(path))
    known = Outcome(second.source, second.target, "skipped")
    begun: list[Path] = []
    photos_in = archive_photos.photos_in
    monkeypatch.setattr(archive_photos, "photos_in", lambda path: begun.append(path) or photos_in(path))  # type: ignore[func-returns-value]
    given = list(with_contents([known, first, known, third, known, fourth]))
    assert given[::2] == [known] * 3
    assert [each.content for each in given if isinstance(each, Job)] == [b"first", PHOTOS["in/deep/c.TIF"], b""]
    assert begun == [path]


def test_contents_are_read_one_by_one_as_they_are_taken(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar.gz", [(f"{number}.jpg", os.urandom(1_000_000)) for number in range(8)])
    jobs = jobs_of(found_in(path))
    tracemalloc.start()
    assert sum(isinstance(each, Job) for each in with_contents(jobs)) == 8
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


def test_a_tars_list_of_members_is_not_kept(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar", [(f"in/folder/{number:040}.jpg", b"") for number in range(600)])
    with_all = jobs_of(found_in(path))
    tracemalloc.start()
    listing, reading = list_archive(path), with_contents(with_all)
    for _ in range(590):
        next(listing)
        next(reading)
    held = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/tarfile.py")])
    tracemalloc.stop()
    assert sum(trace.size for trace in held.traces) < 50_000  # the headers are 600 kB


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_hidden_members_and_other_files_are_left_out(tmp_path: Path, kind: str) -> None:
    names = ["./a.jpg", "__MACOSX/._a.jpg", ".cache/b.jpg", "notes.txt", "in/.c.jpg", "../notes.txt", "d.jpg/"]
    path = pack(tmp_path / f"x.{kind}", [(name, b"1") for name in names])
    assert [each.below.as_posix() for each in list_archive(path) if isinstance(each, Found)][:1] == ["a.jpg"]
    assert told_of(list_archive(path)) == {}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "in/../../evil.jpg", "C:/evil.jpg", "..\\evil.jpg"])
def test_names_that_lead_out_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    path = pack(tmp_path / f"x.{kind}", [("a.jpg", b"1"), (name, b"2"), ("b.jpg", b"3")])
    listed = list(list_archive(path))
    assert [each.source.name for each in listed if isinstance(each, Found)] == ["a.jpg", "b.jpg"]
    (told,) = told_of(listed).values()
    assert "leads out" in told


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_with_backslashes_are_paths_as_powershell_5_writes_them(tmp_path: Path, kind: str) -> None:
    outside = ["\\\\server\\share\\b.jpg", "C:\\b.jpg", "in\\..\\..\\b.jpg", "\\b.jpg"]
    names = ["in\\sub\\a.jpg", "__MACOSX\\._a.jpg", *outside]
    path = pack(tmp_path / f"x.{kind}", [(name, name.encode()) for name in names])
    listed = list(list_archive(path))
    assert [each.below.as_posix() for each in listed if isinstance(each, Found)] == ["in/sub/a.jpg"]
    assert contents(jobs_of(found_in(path))) == {"a.jpg": b"in\\sub\\a.jpg"}
    assert [("leads out" in each.error) for each in listed if isinstance(each, Outcome) and each.error] == [True] * 4


@pytest.mark.parametrize(
    ("spelled", "flag", "read"),
    [
        ("Köln.jpg".encode(), True, "Köln.jpg"),
        ("Köln.jpg".encode(), False, "Köln.jpg"),  # as macOS and many a script pack it
        ("Köln.jpg".encode("cp437"), False, "Köln.jpg"),  # as DOS did, and the format has it
        (b"K\xf6ln.jpg", True, "K÷ln.jpg"),  # said to be UTF-8, and is not: no reason to lose the others
    ],
)
def test_names_in_a_zip_are_read_as_they_were_meant(tmp_path: Path, spelled: bytes, flag: bool, read: str) -> None:
    plain = "q" * len(spelled)
    content = pack(tmp_path / "x.zip", [("a.jpg", b"1"), (plain, b"2")]).read_bytes().replace(plain.encode(), spelled)
    if flag:
        for start, at in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
            place = content.rindex(start) + at
            content = content[:place] + bytes([content[place] | 8]) + content[place + 1 :]
    path = tmp_path / "y.zip"
    path.write_bytes(content)
    assert contents(jobs_of(found_in(path))) == {"a.jpg": b"1", read: b"2"}


def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(entry("folder.jpg", kind=tarfile.DIRTYPE))
        tar.addfile(entry("a.jpg", 1), io.BytesIO(b"1"))
        tar.addfile(entry("hard.jpg", kind=tarfile.LNKTYPE, leads_to="a.jpg"))
        tar.addfile(entry("soft.jpg", kind=tarfile.SYMTYPE, leads_to="/etc/passwd"))
        tar.addfile(entry("pipe.jpg", kind=tarfile.FIFOTYPE))
        tar.addfile(entry("device.jpg", kind=tarfile.CHRTYPE))
    listed = list(list_archive(path))
    assert contents(jobs_of(found_in(path))) == {"a.jpg": b"1"}
    assert set(told_of(listed)) == {"hard.jpg", "soft.jpg", "pipe.jpg", "device.jpg"}
    assert "a link" in told_of(listed)["hard.jpg"]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "a link" in told_of(list_archive(tmp_path / "x.zip"))["link.jpg"]


@pytest.mark.parametrize(
    ("offset", "value", "words"), [(8, 1, "encrypted"), (10, 9, "packed in a way"), (10, 99, "packed in a way")]
)
def test_members_that_cannot_be_unpacked_are_refused(tmp_path: Path, offset: int, value: int, words: str) -> None:
    path = pack(tmp_path / "x.zip", [("a.jpg", b"1"), ("b.jpg", b"2")])
    packed = bytearray(path.read_bytes())
    packed[packed.index(b"PK\1\2") + offset] = value  # of the first member: its flags, its method
    path.write_bytes(packed)
    assert [each.source.name for each in found_in(path)] == ["b.jpg"]
    assert words in told_of(list_archive(path))["a.jpg"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_what_unpacks_to_too_much_is_refused_unread(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_photos, "MAX_BYTES", 1000)
    path = pack(tmp_path / f"x.{kind}", [("at.jpg", bytes(1000)), ("over.jpg", bytes(1001)), ("b.jpg", b"1")])
    assert list(contents(jobs_of(found_in(path)))) == ["at.jpg", "b.jpg"]
    assert "more than" in told_of(list_archive(path))["over.jpg"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_of_two_members_of_one_name_the_first_is_taken(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / f"x.{kind}", [("a.jpg", b"1"), ("b.jpg", b"2"), ("./a.jpg", b"3"), ("c.jpg", b"4")])
    assert contents(jobs_of(found_in(path))) == {"a.jpg": b"1", "b.jpg": b"2", "c.jpg": b"4"}
    assert "twice" in told_of(list_archive(path))["a.jpg"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_tar_gives_what_comes_before(tmp_path: Path, kind: str, share: float) -> None:
    size = 100_000 if kind == "tar.bz2" else 20_000  # bzip2 packs 900,000 bytes at a time
    photos = [(f"{number}.jpg", os.urandom(size)) for number in range(10)]
    path = pack(tmp_path / f"x.{kind}", photos)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    listed = list(list_archive(path))
    assert "copy it again" in told_of(listed)[path.name]
    read = contents(jobs_of(found_in(path)))
    assert len(read) >= int(share * 10) - 2  # bzip2 loses one with the block that is cut
    assert all(content == dict(photos)[name] for name, content in read.items())
    lost = told_of(with_contents(jobs_of(found_in(path))))
    assert len(read) + len(lost) == len(found_in(path))
    assert all("damaged or incomplete" in reason for reason in lost.values())


def test_a_tar_cut_off_between_two_members_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar", [("a.jpg", bytes(512)), ("b.jpg", bytes(512))])
    path.write_bytes(path.read_bytes()[:1024])
    assert contents(jobs_of(found_in(path))) == {"a.jpg": bytes(512)}
    assert "ends in the middle" in told_of(list_archive(path))["x.tar"]


def test_a_tar_with_a_damaged_header_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar", [("a.jpg", bytes(512)), ("b.jpg", bytes(512)), ("c.jpg", b"1")])
    packed = bytearray(path.read_bytes())
    packed[1024 + 5] ^= 255
    path.write_bytes(packed)
    assert [each.source.name for each in found_in(path)] == ["a.jpg"]
    assert "damaged" in told_of(list_archive(path))["x.tar"]


@pytest.mark.parametrize("size", [-512, -1024])
def test_a_tar_with_a_negative_size_ends(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.tar"
    headers = [entry("a.jpg"), entry("b.jpg")]
    headers[1].size = size
    packed = b"".join(header.tobuf(tarfile.GNU_FORMAT) for header in headers)
    path.write_bytes(packed + bytes(10240))
    assert "damaged" in told_of(list_archive(path))["x.tar"]


@pytest.mark.parametrize("size", ["-512", "-1024", "-1536", "-2048", "1e9", "99999999999999999999"])
def test_a_tar_whose_long_headers_lead_astray_ends(tmp_path: Path, size: str) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        header = entry("a.jpg")
        header.pax_headers = {"size": size}
        tar.addfile(header)
    listed = list(islice(list_archive(path), 10))
    assert len(listed) <= 2
    assert all(each.size == 0 for each in listed if isinstance(each, Found))


def test_a_name_of_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    name = b"a" * 2_000_000
    with tarfile.open(path, "w") as tar:
        tar.addfile(entry("././@LongLink", len(name), tarfile.GNUTYPE_LONGNAME), io.BytesIO(name))
        tar.addfile(entry("a.jpg"))
    assert "too long" in told_of(list_archive(path))["x.tar"]


def test_a_packed_tar_is_read_forward_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "x.tar.gz", PHOTOS.items())
    monkeypatch.delattr(gzip.GzipFile, "seek")  # going back unpacks everything from the start once more
    assert len(contents(jobs_of(found_in(path)))) == len(PHOTOS)


def test_a_gz_of_two_parts_is_read_to_its_end(tmp_path: Path) -> None:
    whole = pack(tmp_path / "x.tar", PHOTOS.items()).read_bytes()
    (tmp_path / "x.tgz").write_bytes(gzip.compress(whole[:3000]) + gzip.compress(whole[3000:]))
    assert [each.source.name for each in found_in(tmp_path / "x.tgz")] == [Path(name).name for name in PHOTOS]


def test_a_damaged_member_of_a_zip_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in "abc":
            archive.writestr(f"{name}.jpg", f"content of {name}")
    path.write_bytes(path.read_bytes().replace(b"content of b", b"CONTENT of b"))
    jobs = jobs_of(found_in(path))
    assert contents(jobs) == {"a.jpg": b"content of a", "c.jpg": b"content of c"}
    assert "damaged" in told_of(with_contents(jobs))["b.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_archive_or_holds_no_photos_says_so(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    for content in (b"", b"a letter", b"\x1f\x8b", bytes(100)):
        path.write_bytes(content)
        (told,) = told_of(list_archive(path)).values()
        assert "; " in told
    assert "no photos in this archive" in told_of(list_archive(pack(path, [("notes.txt", b"")])))[path.name]
    path.unlink()
    assert "no such file" in told_of(list_archive(path))[path.name]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_changed_since_it_was_listed_fails_its_jobs(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / f"x.{kind}", PHOTOS.items())
    jobs = jobs_of(found_in(path))
    pack(path, [("a.jpg", b"new")])
    assert contents(jobs) == {"a.jpg": b"new"}
    assert all("run it again" in told for told in told_of(with_contents(jobs)).values())
    path.unlink()
    assert len(told_of(with_contents(jobs))) == len(PHOTOS)


def test_the_archive_is_closed_when_the_batch_ends_early(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar.gz", PHOTOS.items())
    started = with_contents(jobs_of(found_in(path)))
    next(started)
    started.close()  # type: ignore[attr-defined]  # an open file would warn, and warnings are errors
    listing = list_archive(path)
    next(listing)
    listing.close()  # type: ignore[attr-defined]


@given(st.sampled_from(KINDS), st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_at_all_breaks_the_batch(kind: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = pack(Path(folder, f"x.{kind}"), PHOTOS.items())
        packed = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(packed[: data.draw(st.integers(0, len(packed)))])
        jobs = jobs_of(found_in(path))
        assert len(list(with_contents(jobs))) == len(jobs)
