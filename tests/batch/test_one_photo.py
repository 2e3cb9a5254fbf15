"""batch/engines/threads.py, batch/one_photo.py: photos converted side by side, each one's fate told, none lost."""

import logging
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image
from png_bytes import png_bytes

from img2img.batch import job_files
from img2img.batch.engines import threads as run
from img2img.batch.engines.threads import run_jobs
from img2img.batch.job import Job
from img2img.batch.one_photo import convert_photo
from img2img.batch.outcome import LOW_SCORE, Outcome
from img2img.batch.photo_options import PhotoOptions
from img2img.batch.task import PhotoConverter, Scoring
from img2img.errors import ModelError, UnreadablePhoto
from img2img.inference.callables import Convert
from img2img.photo import Photo

WORKERS = pytest.mark.parametrize("workers", [1, 3])


def same(photo: Photo) -> Photo:
    return photo


def negative(photo: Photo) -> Photo:
    return replace(photo, pixels=255 - photo.pixels)


@pytest.fixture
def jobs(tmp_path: Path, draw_photo: DrawPhoto) -> list[Job]:
    """Six grey PNG files of widths 40 to 45, to be written into sub-folders that do not exist."""
    return [
        Job(draw_photo(tmp_path / "in" / f"{n}.png", (40 + n, 32)), tmp_path / "out" / str(n % 2) / f"{n}.png")
        for n in range(6)
    ]


def converted(jobs: list[Job], convert: Convert, *, workers: int = 1, scoring: Scoring | None = None) -> list[Outcome]:
    return list(run_jobs(jobs, PhotoConverter(convert, scoring), workers=workers))


def by_source(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.source.stem: outcome for outcome in outcomes}


@WORKERS
def test_what_is_known_already_is_handed_through_unchanged(jobs: list[Job], workers: int) -> None:
    known = [Outcome(Path(f"{n}.zip/a.jpg"), None, "failed", error="damaged") for n in range(3)]
    outcomes = list(
        run_jobs([known[0], *jobs[:3], known[1], *jobs[3:], known[2]], PhotoConverter(negative), workers=workers)
    )
    assert [each for each in outcomes if each in known] == known
    assert sorted(each.source for each in outcomes if each not in known) == [job.source for job in jobs]


@WORKERS
def test_every_photo_is_converted_and_written(jobs: list[Job], workers: int) -> None:
    outcomes = converted(jobs, negative, workers=workers)
    assert sorted((each.source, each.target, each.status) for each in outcomes) == [
        (job.source, job.target, "done") for job in jobs
    ]
    assert all(outcome.seconds > 0 for outcome in outcomes)
    for job in jobs:
        with Image.open(job.source) as source, Image.open(job.target) as target:
            assert np.array_equal(np.asarray(target), 255 - np.asarray(source))


@WORKERS
def test_failed_photos_do_not_stop_the_others(jobs: list[Job], workers: int) -> None:
    jobs[1].source.write_bytes(b"this is a letter, not a photo")
    jobs[4].source.write_bytes(b"")
    outcomes = by_source(converted(jobs, same, workers=workers))
    assert {name for name, each in outcomes.items() if each.status == "failed"} == {"1", "4"}
    assert str(jobs[1].source) in str(outcomes["1"].error)
    assert not jobs[1].target.exists()
    assert all(outcomes[name].status == "done" for name in "0235")


def test_too_little_memory_fails_one_photo_with_advice(jobs: list[Job]) -> None:
    def hungry(photo: Photo) -> Photo:
        if photo.pixels.shape[1] == 41:
            raise MemoryError
        return photo

    outcomes = by_source(converted(jobs, hungry, workers=2))
    assert outcomes["1"].status == "failed"
    assert "not enough memory" in str(outcomes["1"].error)
    assert sum(each.status == "done" for each in outcomes.values()) == 5


def test_mistake_of_ours_fails_one_photo_and_shows_its_traceback(
    jobs: list[Job], caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(photo: Photo) -> Photo:
        raise KeyError("colour")

    (outcome,) = converted(jobs[:1], mistaken)
    assert outcome.status == "failed"
    assert "KeyError: 'colour'" in str(outcome.error)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


@WORKERS
def test_model_that_fails_ends_the_batch(jobs: list[Job], workers: int) -> None:
    def broken(photo: Photo) -> Photo:
        raise ModelError("tiny.onnx: gave no colours")

    with pytest.raises(ModelError, match="gave no colours"):
        converted(jobs, broken, workers=workers)


def test_full_disk_is_a_line_for_each_photo_and_leaves_nothing(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *args: object, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    outcomes = converted(jobs, same, workers=2)
    assert all("the disk is full" in str(each.error) for each in outcomes)
    assert len(outcomes) == len(jobs)


def test_folder_in_the_way_of_a_target_fails_that_photo(jobs: list[Job]) -> None:
    jobs[0].target.mkdir(parents=True)
    outcomes = by_source(converted(jobs, same))
    assert outcomes["0"].status == "failed"
    assert outcomes["1"].status == "done"


def test_no_more_photos_in_flight_than_workers(jobs: list[Job]) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def counted(photo: Photo) -> Photo:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            meeting.wait(timeout=120)
        finally:
            with lock:
                now -= 1
        return photo

    meeting = threading.Barrier(3)
    assert len(converted(jobs, counted, workers=3)) == 6
    assert most == 3


def test_limits_reach_the_reader(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def refuse(source: Path, **options: Any) -> Photo:
        asked.append(options)
        raise UnreadablePhoto(f"{source}: too large")

    monkeypatch.setattr(job_files, "read_photo", refuse)
    outcome = convert_photo(jobs[0], PhotoConverter(same), PhotoOptions(max_pixels=7, first_frame=True))
    assert asked == [{"max_pixels": 7, "first_frame": True}]
    assert outcome.error == f"{jobs[0].source}: too large"


@pytest.mark.usefixtures("ctrl_c")
@WORKERS
def test_interrupt_finishes_the_photos_in_flight_and_starts_no_other(jobs: list[Job], workers: int) -> None:
    outcomes: list[Outcome] = []
    before = signal.getsignal(signal.SIGINT)
    all_started, pressed = threading.Barrier(workers), threading.Event()

    def interrupting(photo: Photo) -> Photo:
        all_started.wait(timeout=120)
        if photo.pixels.shape[1] == 40:
            signal.raise_signal(signal.SIGINT)
            pressed.set()
        assert pressed.wait(timeout=120)
        return photo

    with pytest.raises(KeyboardInterrupt):
        outcomes.extend(run_jobs(jobs, PhotoConverter(interrupting), workers=workers))
    assert [job.target.exists() for job in jobs] == [n < workers for n in range(6)]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_yields_the_photos_in_flight(jobs: list[Job]) -> None:
    outcomes: list[Outcome] = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        for outcome in run_jobs(jobs, PhotoConverter(same), workers=2):
            if not outcomes:
                signal.raise_signal(signal.SIGINT)
            outcomes.append(outcome)
    assert {each.target for each in outcomes} == {job.target for job in jobs if job.target.exists()}
    assert 0 < len(outcomes) < 6


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_takes_no_job_that_is_not_done(jobs: list[Job]) -> None:
    taken = []

    def noted() -> Iterator[Job]:
        for job in jobs:
            taken.append(job)
            yield job

    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        for _ in run_jobs(noted(), PhotoConverter(same), workers=1):
            signal.raise_signal(signal.SIGINT)
    assert [job.target.exists() for job in taken] == [True] * len(taken)


@pytest.mark.parametrize("keep_times", [False, True])
def test_result_that_somebody_takes_away_at_once_is_done(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch, *, keep_times: bool
) -> None:
    monkeypatch.setattr(job_files, "write_photo", lambda *args, **options: ())
    outcome = convert_photo(jobs[0], PhotoConverter(same), PhotoOptions(keep_times=keep_times))
    assert (outcome.status, outcome.error, outcome.bytes) == ("done", None, None)


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_of_one_photo_leaves_nothing(jobs: list[Job]) -> None:
    def interrupting(photo: Photo) -> Photo:
        signal.raise_signal(signal.SIGINT)
        return photo

    with pytest.raises(KeyboardInterrupt):
        convert_photo(jobs[0], PhotoConverter(interrupting), PhotoOptions())
    assert not jobs[0].target.parent.exists()


def test_batch_in_another_thread_leaves_signals_alone(jobs: list[Job]) -> None:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.extend(converted(jobs, same, workers=2)))
    thread.start()
    thread.join()
    assert len(outcomes) == 6


def test_run_knows_nothing_of_colour() -> None:
    words = Path(run.__file__).read_text(encoding="utf-8").lower()
    assert "colo" not in words


def width_score(photo: Photo) -> float:
    """Of the photos that `jobs` draws, by their width: 0.40 to 0.45."""
    return photo.width / 100


@WORKERS
def test_photos_of_a_low_score_are_skipped_and_each_score_is_told(jobs: list[Job], workers: int) -> None:
    seen = []

    def noted(photo: Photo) -> Photo:
        seen.append(photo.width)
        return photo

    found = by_source(converted(jobs, noted, workers=workers, scoring=Scoring(width_score, least=0.42)))
    assert {name: outcome.score for name, outcome in found.items()} == {str(n): (40 + n) / 100 for n in range(6)}
    assert sorted(seen) == [42, 43, 44, 45]
    for name, outcome in found.items():
        low = int(name) < 2
        assert (outcome.status, LOW_SCORE in outcome.flags) == (("skipped", True) if low else ("done", False))
        assert outcome.target is not None
        assert outcome.target.is_file() is not low


def test_unreadable_photos_have_no_score(jobs: list[Job]) -> None:
    jobs[1].source.write_text("a letter")
    found = by_source(converted(jobs[1:3], same, scoring=Scoring(width_score)))
    assert [(found[n].status, found[n].score) for n in "12"] == [("failed", None), ("done", 0.42)]


def test_result_is_measured(jobs: list[Job]) -> None:
    (outcome,) = converted(jobs[:1], same)
    assert (outcome.width, outcome.height) == (40, 32)
    assert outcome.bytes == jobs[0].target.stat().st_size


def test_content_of_an_archive_is_read_instead_of_the_source(jobs: list[Job]) -> None:
    content = jobs[0].source.read_bytes()
    inside = replace(jobs[0], source=Path("photos.zip/0.png"), archive=Path("photos.zip"), content=content)
    (outcome,) = converted([inside], same)
    assert outcome.status == "done"
    (failed,) = converted([replace(inside, content=content[:50])], same)
    assert str(failed.error).startswith("photos.zip/0.png: ")


@WORKERS
def test_jobs_are_taken_as_workers_come_free(jobs: list[Job], workers: int) -> None:
    taken = 0

    def counted() -> Iterator[Job]:
        nonlocal taken
        for job in jobs:
            taken += 1
            yield job

    for done, _ in enumerate(run_jobs(counted(), PhotoConverter(same), workers=workers), start=1):
        assert taken <= done + workers


def test_what_a_result_lacks_is_a_flag(tmp_path: Path) -> None:
    """What the source could not give, and what the new format has no room for; where nothing is missing, none."""
    before = [(b"tEXt", b"Title\0Harbour"), (b"prVT", b"layers")]
    (tmp_path / "a.png").write_bytes(png_bytes(np.full((20, 30), 90), before=before))
    for suffix, losses in {".png": ("the chunk (prVT)",), ".jpg": ("the chunk (prVT)", "text (tEXt)")}.items():
        outcome = convert_photo(Job(tmp_path / "a.png", tmp_path / f"b{suffix}"), PhotoConverter(same), PhotoOptions())
        assert outcome.losses == tuple(f"without {loss}" for loss in losses)
        assert set(outcome.losses) < set(outcome.flags)  # it is nearly grey, too
    (tmp_path / "c.png").write_bytes(png_bytes(np.full((20, 30), 90), before=before[:1]))
    assert convert_photo(Job(tmp_path / "c.png", tmp_path / "d.png"), PhotoConverter(same), PhotoOptions()).losses == ()
