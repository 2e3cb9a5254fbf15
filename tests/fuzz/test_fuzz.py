"""The fuzzer itself: parts give the bytes back, a seed says all, planted faults are seen. And a minute of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("resource", reason="limits need POSIX")

from fuzz.containers import SPLITTERS
from fuzz.mutations import mutate
from fuzz.parts import mend_all
from fuzz.samples import GROUPS, group
from fuzz.samples.sample import Sample
from fuzz.session import Case, Session, cases
from fuzz.shrink import shrunk
from fuzz.verdict import Verdict, of_stderr, refusal
from fuzz.worker import Limits, Worker

_LIMITS = Limits(seconds=30, patience=200, memory=1 << 30)  # for machines of any speed
_CASES = 400  # what a minute takes, about: the same ones on a machine of any speed
_PHOTO_GROUPS = ("png", "jpeg", "tiff", "webp", "gif", "bmp")


def _samples(names: tuple[str, ...] = tuple(GROUPS)) -> Iterator[Sample]:
    for name in names:
        yield from group(name).values()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(_LIMITS) as asked:
        yield asked


@pytest.mark.parametrize("name", GROUPS)
def test_parts_put_together_are_the_file_also_when_mended(name: str) -> None:
    for sample in group(name).values():
        root = SPLITTERS[sample.container](sample.data)
        assert bytes(root) == sample.data, sample.name
        mend_all(root)
        assert bytes(root) == sample.data, sample.name


@pytest.mark.parametrize("container", SPLITTERS)
@given(
    start=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0\x02\0", b"PK\3\4", b"\xff\xd8\xff\xe1", b"RIFF"]
    ),
    rest=st.binary(),
)
@settings(max_examples=25, deadline=None)
def test_any_bytes_have_parts_that_give_them_back(container: str, start: bytes, rest: bytes) -> None:
    assert bytes(SPLITTERS[container](start + rest)) == start + rest


def test_damaged_files_have_parts_that_give_them_back() -> None:
    for sample in _samples(_PHOTO_GROUPS):
        for seed in range(5):
            damaged = mutate(sample.data, sample.container, Random(seed))
            assert bytes(SPLITTERS[sample.container](damaged)) == damaged, (sample.name, seed)


def test_a_photo_is_taken_apart_down_to_its_exif() -> None:
    for name, container in (("jpeg/described", "jpeg"), ("png/described", "png"), ("webp/described", "riff")):
        names = [part.name for part in SPLITTERS[container](group(name.split("/")[0])[name].data).below()]
        assert ("entry 274" in names) == (container != "riff")
        assert len(names) > 6


def test_a_chunk_that_was_changed_gets_its_checksum() -> None:
    root = SPLITTERS["png"](group("png")["png/3x8"].data)
    header = root.parts[0]
    header.body = b"\0\0\0\1" + header.body[4:]
    mend_all(root)
    assert header.tail == zlib.crc32(b"IHDR" + header.body).to_bytes(4, "big")


def test_a_directory_without_an_entry_keeps_what_follows_in_its_place() -> None:
    data = group("tiff")["tiff/3xuint8-None-little"].data
    root = SPLITTERS["tiff"](data)
    directory = next(part for part in root.parts if part.name == "directory")
    del directory.parts[-1]
    mend_all(root)
    end = 8 + 2 + 12 * (len(directory.parts) + 1) + 4
    assert len(bytes(root)) == len(data)
    assert bytes(root)[end:] == data[end:]
    assert directory.head == len(directory.parts).to_bytes(2, "little")


def test_a_seed_says_all() -> None:
    first, again, other = (list(islice(cases(("png", "tiff"), seed), 40)) for seed in (4, 4, 5))
    assert first == again != other
    assert [case.data() for case in first] == [case.data() for case in again]
    assert Case.named(str(first[0])) == first[0]


def test_every_seed_changes_the_file_and_most_in_a_way_of_their_own() -> None:
    data = [Case("png/3x8", seed).data() for seed in range(100)]
    assert Case("png/3x8", 0).sample.data not in data
    assert len(set(data)) > 75


@pytest.mark.parametrize(
    ("target", "kind", "said"),
    [
        ("right", "agreed", ""),
        ("crashes", "crash", "SIGSEGV"),
        ("leaves", "crash", "exit status 3 the last words"),
        ("allocates", "memory", "MemoryError"),
        ("hides_its_hunger", "memory", "not enough memory"),
        ("raises", "exception", "TypeError"),
        ("refuses", "refused", "damaged.png: damaged"),
        ("refuses_without_a_name", "unclear error", "damaged; copy"),
        ("warns", "stderr", "a tag of a kind"),
        ("warns_of_the_file", "agreed", ""),
        ("compared_by_what_crashes", "alone", "crash"),
    ],
)
def test_a_planted_fault_is_seen_and_costs_one_case(worker: Worker, target: str, kind: str, said: str) -> None:
    verdict = worker.verdict(f"fuzz.planted:{target}", b"x", ".png")
    assert verdict.kind == kind
    assert said in verdict.detail
    assert worker.verdict("fuzz.planted:right", b"x", ".png") == Verdict("agreed")


@pytest.mark.slow
def test_a_reader_that_computes_without_end_is_ended() -> None:
    with Worker(Limits(seconds=1, patience=200)) as asked:
        assert asked.verdict("fuzz.planted:computes_forever", b"x", ".png").detail == "1 s of computing, and no end"
        assert asked.verdict("fuzz.planted:right", b"x", ".png") == Verdict("agreed")


def test_a_reader_that_waits_is_not_waited_for() -> None:
    with Worker(Limits(patience=2)) as asked:
        assert asked.verdict("fuzz.planted:waits_forever", b"x", ".png") == Verdict("hang", "2 s, and no end")


@pytest.mark.parametrize("name", ["png/3x16", "png/palette-4", "jpeg/420", "tiff/3xuint8-zlib-big", "webp/lossless"])
def test_a_wrong_picture_is_seen(worker: Worker, name: str) -> None:
    sample = group(name.split("/")[0])[name]
    assert worker.verdict("fuzz.planted:mirrored", sample.data, sample.suffix).kind == "differs"


def test_text_of_no_file_is_a_finding() -> None:
    assert of_stderr("a.png: hm\n\n", "a.png") is None
    assert of_stderr("a.png: hm\nlibtiff: hm\n", "a.png") == Verdict("stderr", "libtiff: hm")


def test_our_own_mistakes_and_lines_too_many_are_findings() -> None:
    path, folder = Path("/x/a.png"), Path("/x/out")
    assert refusal("/x/a.png: KeyError: 3; a mistake in img2img, not in the photo", path, folder).kind == "exception"
    assert refusal("/x/a.png: one\ntwo", path, folder).kind == "unclear error"
    assert not refusal("/x/out/b.webp: too large", path, folder).is_finding


def test_findings_of_one_cause_have_one_signature() -> None:
    assert Verdict("differs", "by 3 of 255").signature == Verdict("differs", "by 71 of 255").signature
    assert Verdict("differs", "by 3").signature != Verdict("exception", "by 3").signature


def test_a_finding_is_made_small() -> None:
    data = group("png")["png/described"].data
    small = shrunk(data, "png", lambda each: b"pHYs" in each and each.startswith(b"\x89PNG"))
    assert b"pHYs" in small
    assert len(small) < 40 < len(data)


def test_a_session_writes_each_finding_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    told: list[str] = []
    session = Session(worker, tmp_path, told.append, shrink_seconds=0)
    monkeypatch.setattr(session, "verdict", lambda target, data, sample: Verdict("crash", f"at {len(data)}"))
    session.run(islice(cases(("bmp",), 0), 5), 60)
    assert session.cases == 5
    assert session.verdicts["crash"] == 10
    assert len(told) == len(session.findings) == 1
    assert "crash: at" in (tmp_path / "findings.txt").read_text()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.fuzz
@pytest.mark.slow
def test_a_sample_that_nobody_damaged_is_no_finding() -> None:
    with Worker() as asked:
        for sample in _samples():
            for target in sample.targets:
                verdict = asked.verdict(f"fuzz.targets:{target}", sample.data, sample.suffix)
                assert not verdict.is_finding, (sample.name, target, verdict)


@pytest.mark.fuzz
@pytest.mark.slow
def test_a_minute_of_damaged_files_finds_nothing(tmp_path: Path) -> None:
    with Worker() as asked:
        session = Session(asked, tmp_path, shrink_seconds=2)
        session.run(islice(cases(tuple(GROUPS), 0), _CASES), 60)
    assert session.cases > 20
    assert not session.findings, "\n".join(finding.line for finding in session.findings.values())
