"""batch/journal/journal.py: what is due is known before anything is written, and after anything went wrong."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import pytest

from img2img.batch.job import Found, Job
from img2img.batch.journal import journal as journal_module
from img2img.batch.journal.journal import Journal
from img2img.batch.journal.journal_file import JOURNAL_NAME
from img2img.batch.journal.register import Registered
from img2img.batch.outcome import EDITED, EXISTS, UP_TO_DATE, Outcome, failure
from img2img.errors import Img2ImgError, UsageError

SETTINGS = {"model": "abc", "strength": 1.0}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def found(*names: str, size: int = 10, mtime: int = 5, folder: str = "in") -> list[Found]:
    return [Found(Path(folder, name), PurePath(name), size, mtime) for name in names]


@contextmanager
def opened(out: Path) -> Iterator[Journal]:
    with Journal.open(out / JOURNAL_NAME, root=out) as journal:
        yield journal


def register(journal: Journal, out: Path, photos: Any, **options: Any) -> Registered:
    target_of: Callable[[Found], Path] = lambda each: out / each.below  # noqa: E731
    return journal.register(photos, target_of, **{"settings": SETTINGS, **options})


def make(journal: Journal, *, content: bytes = b"result") -> list[str]:
    """Converts all that is due; which photos these were."""
    made = []
    for each in journal.due():
        if isinstance(each, Job):
            each.target.parent.mkdir(parents=True, exist_ok=True)
            each.target.write_bytes(content)
            journal.record(Outcome(each.source, each.target, "done", 0.5, bytes=len(content)))
            made.append(each.source.name)
    return made


def run(out: Path, photos: Any, **options: Any) -> list[str]:
    with opened(out) as journal:
        register(journal, out, photos, **options)
        return make(journal)


def statuses(journal: Journal) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.source.name: (each.status, each.flags) for each in journal.outcomes()}


def test_second_run_does_only_what_is_missing_or_new(out: Path) -> None:
    assert run(out, found("a.jpg", "b/c.jpg")) == ["a.jpg", "c.jpg"]
    (out / "a.jpg").unlink()
    with opened(out) as journal:
        counts = register(journal, out, found("a.jpg", "b/c.jpg", "new.jpg"))
        assert counts == Registered(due=2, skipped={UP_TO_DATE: 1}, failed=0)
        assert make(journal) == ["a.jpg", "new.jpg"]
        assert statuses(journal) == {
            "a.jpg": ("done", ()),
            "c.jpg": ("skipped", (UP_TO_DATE,)),
            "new.jpg": ("done", ()),
        }


@pytest.mark.parametrize("change", [{"settings": {"model": "abc", "strength": 0.5}}, {"settings": {"model": "d"}}])
def test_other_weights_or_settings_make_our_results_anew_and_leave_the_others(out: Path, change: Any) -> None:
    run(out, found("ours.jpg", "edited.jpg"))
    (out / "edited.jpg").write_bytes(b"retouched by hand")
    (out / "theirs.jpg").write_bytes(b"theirs")
    photos = found("ours.jpg", "edited.jpg", "theirs.jpg")
    with opened(out) as journal:
        register(journal, out, photos, **change)
        assert make(journal, content=b"new") == ["ours.jpg"]
        assert statuses(journal)["edited.jpg"] == ("skipped", (EDITED,))
        assert statuses(journal)["theirs.jpg"] == ("skipped", (EXISTS,))
    assert (out / "edited.jpg").read_bytes() == b"retouched by hand"
    assert run(out, photos, **change) == []
    assert run(out, photos, overwrite=True) == ["ours.jpg", "edited.jpg", "theirs.jpg"]


def test_changed_photo_is_converted_again(out: Path) -> None:
    run(out, found("a.jpg", "b.jpg"))
    assert run(out, [*found("a.jpg", mtime=6), *found("b.jpg")]) == ["a.jpg"]
    assert run(out, [*found("a.jpg", mtime=6), *found("b.jpg", size=11)]) == ["b.jpg"]


def test_folder_of_results_can_be_moved(out: Path, tmp_path: Path) -> None:
    run(out, found("a.jpg", "b/c.jpg"))
    out.rename(tmp_path / "elsewhere")
    assert run(tmp_path / "elsewhere", found("a.jpg", "b/c.jpg")) == []


def test_overwrite_that_was_interrupted_goes_on_without_the_word(out: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        out.mkdir(exist_ok=True)
        (out / name).write_bytes(b"theirs")
    with opened(out) as journal:
        register(journal, out, found("a.jpg", "b.jpg"), overwrite=True)
        job = next(journal.due())
        assert isinstance(job, Job)
        job.target.write_bytes(b"ours")
        journal.record(Outcome(job.source, job.target, "done"))
    assert run(out, found("a.jpg", "b.jpg")) == ["b.jpg"]


def test_photo_begun_when_the_process_ended_is_done_again_and_its_leftovers_are_gone(out: Path) -> None:
    with opened(out) as journal:
        register(journal, out, found("b/a.jpg"))
        job = next(journal.due())
        assert isinstance(job, Job)
    (out / "b").mkdir()
    (out / "b" / ".a.jpg.0123456789ab.part").write_bytes(b"half")
    (out / "b" / ".other.jpg.0123456789ab.part").write_bytes(b"another process writes it")
    (out / "b" / "a.jpg").write_bytes(b"renamed, but not yet noted as done")
    assert run(out, found("b/a.jpg")) == ["a.jpg"]
    assert sorted(path.name for path in (out / "b").iterdir()) == [".other.jpg.0123456789ab.part", "a.jpg"]


def test_file_put_at_a_target_after_the_listing_is_left_alone(out: Path) -> None:
    with opened(out) as journal:
        register(journal, out, found("a.jpg", "b.jpg"))
        (out / "b.jpg").write_bytes(b"theirs")
        assert make(journal) == ["a.jpg"]
        assert statuses(journal)["b.jpg"] == ("skipped", (EXISTS,))
    assert (out / "b.jpg").read_bytes() == b"theirs"
    assert run(out, found("a.jpg", "b.jpg")) == []


def test_result_edited_after_the_listing_is_left_alone(out: Path) -> None:
    run(out, found("a.jpg", "b.jpg"))
    with opened(out) as journal:
        assert register(journal, out, found("a.jpg", "b.jpg"), settings={"strength": 0.5}).due == 2
        (out / "b.jpg").write_bytes(b"edited")
        assert make(journal) == ["a.jpg"]
        assert statuses(journal)["b.jpg"] == ("skipped", (EDITED,))
    assert (out / "b.jpg").read_bytes() == b"edited"


def test_result_edited_between_an_interrupted_run_and_the_next_is_left_alone(out: Path) -> None:
    run(out, found("a.jpg", "b.jpg"))
    with opened(out) as journal:
        register(journal, out, found("a.jpg", "b.jpg"), settings={"strength": 0.5})
        job = next(journal.due())
        assert isinstance(job, Job)
        job.target.write_bytes(b"another")
        journal.record(Outcome(job.source, job.target, "done"))
    (out / "b.jpg").write_bytes(b"edited")
    assert run(out, found("a.jpg", "b.jpg"), settings={"strength": 0.5}) == []
    assert (out / "b.jpg").read_bytes() == b"edited"


def test_overwrite_that_ended_before_its_first_photo_goes_on_without_the_word(out: Path) -> None:
    out.mkdir()
    (out / "a.jpg").write_bytes(b"theirs")
    with pytest.raises(KeyboardInterrupt), opened(out) as journal:  # noqa: PT012
        register(journal, out, found("a.jpg"), overwrite=True)
        raise KeyboardInterrupt
    assert run(out, found("a.jpg")) == ["a.jpg"]


def test_empty_file_is_no_result(out: Path) -> None:
    run(out, found("a.jpg"))
    (out / "a.jpg").write_bytes(b"")
    assert run(out, found("a.jpg")) == ["a.jpg"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.jpg", "A.JPG"), ("a/b.jpg", "A/B.jpg"), ("\u00e9.jpg", "e\u0301.jpg"), ("\u00df.jpg", "ss.jpg")],
)
def test_names_that_one_file_system_takes_for_one_fail_both_and_the_rest_is_done(
    out: Path, first: str, second: str
) -> None:
    with opened(out) as journal:
        counts = register(journal, out, found("0.jpg", first, second, "z.jpg"))
        assert counts == Registered(due=2, skipped={}, failed=2)
        failed = {str(each.source): str(each.error) for each in journal.failures()}
        assert set(failed) == {str(Path("in", first)), str(Path("in", second))}
        assert all("would both become" in error and "rename one" in error for error in failed.values())
        assert make(journal) == ["0.jpg", "z.jpg"]
        assert {each.status for each in journal.outcomes()} == {"done", "failed"}
        assert len(list(journal.outcomes())) == 4


def test_three_of_one_name_fail_all_three_once(out: Path) -> None:
    with opened(out) as journal:
        counts = register(journal, out, found("a.jpg", "A.jpg", "a.JPG", "a.jpg"), overwrite=True)
        assert counts == Registered(due=0, skipped={}, failed=3)
        assert sorted(each.source.name for each in journal.failures()) == ["A.jpg", "a.JPG", "a.jpg"]


def test_collision_keeps_what_an_earlier_run_made(out: Path) -> None:
    run(out, found("a.jpg", "b.jpg"))
    with opened(out) as journal:
        counts = register(journal, out, found("a.jpg", "b.jpg", "B.jpg"))
        assert counts == Registered(due=0, skipped={UP_TO_DATE: 1}, failed=2)
    (out / "b.jpg").write_bytes(b"edited")
    with opened(out) as journal:
        counts = register(journal, out, found("b.jpg", "B.jpg"), overwrite=True)
    assert run(out, found("a.jpg", "b.jpg")) == []
    assert (out / "b.jpg").read_bytes() == b"edited"


def test_two_names_of_one_file_are_one_photo(out: Path, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(b"photo")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "one.jpg").symlink_to("../one.jpg")
    photos = [*found("one.jpg", folder=str(tmp_path)), *found("one.jpg", folder=str(tmp_path / "two"))]
    with opened(out) as journal:
        assert register(journal, out, photos) == Registered(due=1, skipped={}, failed=0)


def test_result_of_another_photo_is_a_failure_that_names_it(out: Path) -> None:
    run(out, found("a.jpg"))
    with opened(out) as journal:
        assert register(journal, out, found("a.jpg", folder="other", mtime=9)).failed == 1
        (failed,) = journal.failures()
        assert failed.error is not None
        assert "was made from in/a.jpg" in failed.error
        assert make(journal) == []


def test_input_that_a_result_would_overwrite_is_refused(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out.parent)
    photos = [*found("a.jpg", folder="in"), *found("a.jpg", folder="out/in")]
    with pytest.raises(UsageError, match="overwrite the input out/in/a"), opened(Path("out")) as journal:
        journal.register(
            photos,
            lambda each: Path("out/else/a.jpg" if "out" in str(each.source) else "out/in/a.jpg"),
            settings=SETTINGS,
        )


def test_same_photo_listed_twice_is_one(out: Path) -> None:
    with opened(out) as journal:
        assert register(journal, out, found("a.jpg", "a.jpg")) == Registered(due=1, skipped={}, failed=0)
        assert make(journal) == ["a.jpg"]


def test_failures_of_the_listing_are_kept_for_the_report(out: Path) -> None:
    with opened(out) as journal:
        counts = register(journal, out, [failure(Path("gone.jpg"), "gone.jpg: no such file"), *found("a.jpg")])
        assert counts == Registered(due=1, skipped={}, failed=1)
        make(journal)
        assert [(each.source.name, each.status) for each in journal.outcomes()] == [
            ("gone.jpg", "failed"),
            ("a.jpg", "done"),
        ]


def test_failed_photo_is_tried_again(out: Path) -> None:
    with opened(out) as journal:
        register(journal, out, found("a.jpg"))
        (job,) = journal.due()
        journal.record(Outcome(job.source, job.target, "failed", error="a.jpg: damaged"))
        assert statuses(journal) == {"a.jpg": ("failed", ())}
    assert run(out, found("a.jpg")) == ["a.jpg"]


def test_names_of_any_bytes_survive(out: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.jpg")
    assert run(out, found(name)) == [name]
    assert run(out, found(name)) == []


def test_second_process_is_told_to_wait(out: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from img2img.batch.journal.journal import Journal\n"
        "with Journal.open(Path(sys.argv[1]), root=Path(sys.argv[1]).parent): pass"
    )
    with opened(out):
        words = [sys.executable, "-c", program, str(out / JOURNAL_NAME)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert "another img2img is writing into this folder" in done.stderr


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b""])
def test_file_that_is_no_journal_is_named(out: Path, content: bytes) -> None:
    out.mkdir()
    (out / JOURNAL_NAME).write_bytes(content)
    if content:
        with pytest.raises(Img2ImgError, match="remove it"), opened(out):
            pass
    else:
        assert run(out, found("a.jpg")) == ["a.jpg"]


def test_outcomes_wait_in_memory_while_the_disk_is_full(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with opened(out) as journal:
        register(journal, out, found("a.jpg", "b.jpg"))
        monkeypatch.setattr(journal_module, "_RECORD", "UPDATE nowhere SET x = 1")
        monkeypatch.setattr(journal_module, "is_full", lambda error: True)
        assert make(journal) == ["a.jpg", "b.jpg"]
        assert {each.status for each in journal.outcomes()} == {"done"}
        assert len(list(journal.outcomes())) == 2
        monkeypatch.undo()
    assert run(out, found("a.jpg", "b.jpg")) == []


def test_watching_registers_again_and_again_without_repeating_itself(out: Path) -> None:
    with opened(out) as journal:
        register(journal, out, found("a.jpg"), watching=True)
        assert make(journal) == ["a.jpg"]
        for _ in range(2):
            again = register(journal, out, found("a.jpg", "b.jpg", "B.jpg"), watching=True)
            failures = list(journal.failures())
            if again.failed:
                assert [str(each.source) for each in failures] == ["in/B.jpg"]
            else:
                assert failures == []
            make(journal)
        assert again == Registered(due=0, skipped={}, failed=0)
        assert statuses(journal) == {"a.jpg": ("done", ()), "b.jpg": ("done", ()), "B.jpg": ("failed", ())}
        register(journal, out, found("a.jpg", mtime=99), watching=True)
        assert make(journal) == ["a.jpg"]


def test_watching_writes_nothing_where_nothing_changed(out: Path) -> None:
    photos = found(*(f"{number}.jpg" for number in range(500)))
    run(out, photos)
    log = out / f"{JOURNAL_NAME}-wal"
    with opened(out) as journal:
        register(journal, out, photos, watching=True)
        before = log.stat().st_size, log.stat().st_mtime_ns
        for _ in range(3):
            assert register(journal, out, photos, watching=True).skipped == {UP_TO_DATE: 500}
        assert (log.stat().st_size, log.stat().st_mtime_ns) == before


def test_watching_finds_what_was_left_alone_and_is_missing_now(out: Path) -> None:
    run(out, found("a.jpg"))
    with opened(out) as journal:
        register(journal, out, found("a.jpg"), watching=True)
        (out / "a.jpg").unlink()
        register(journal, out, found("a.jpg"), watching=True)
        assert make(journal) == ["a.jpg"]


def test_watching_inputs_in_the_output_folder_remembers_one_look(out: Path) -> None:
    out.mkdir()
    photos = found("a.jpg", folder=str(out / "inbox"))
    with opened(out) as journal:
        for _ in range(3):
            register(journal, out, photos, watching=True)
        assert journal._database.execute("SELECT count(*) FROM inputs").fetchone() == (1,)


def test_damaged_journal_is_named(out: Path) -> None:
    run(out, found(*(f"{number:04}.jpg" for number in range(400))))
    content = bytearray((out / JOURNAL_NAME).read_bytes())
    content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
    (out / JOURNAL_NAME).write_bytes(content)
    with pytest.raises(Img2ImgError, match=rf"{JOURNAL_NAME}: the journal cannot be used .*; or remove it"):
        run(out, found("0001.jpg"))


def test_zip_holds_results_that_are_no_files(out: Path) -> None:
    from img2img.batch.journal.resume_rules import Stamp

    run(out, found("a.jpg", "b.jpg"))
    for name in ("a.jpg", "b.jpg"):
        (out / name).unlink()
    packed = {"a.jpg": len(b"result"), "b.jpg": 1}
    with Journal.open(out / JOURNAL_NAME, root=out, stamp=lambda path: Stamp(packed[path.name], None)) as journal:
        register(journal, out, found("a.jpg", "b.jpg"))
        assert make(journal) == []
        assert [each.name for each in journal.results()] == ["a.jpg", "b.jpg"]
