"""Jobs: many photos or a film, their events, their result, and what becomes of their files."""

import asyncio
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from film_clips import greys, write_film
from PIL import Image
from served import CHECKOUT, Served, command_line, multipart, served
from starlette.requests import Request
from waiting import wait_for

from img2img.conversion.colorize_options import ColorizeOptions
from img2img.serving.jobs import JobStore
from img2img.serving.jobs_api import job_result
from img2img.serving.problem import Refusal

SAMPLES = sorted((CHECKOUT / "datasets" / "samples").glob("*.jpg"))[:2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), "--job-space", "3MB") as running:
        yield running
        assert running.end() == 0
        assert running.leftovers() == []
        assert running.errors.read_text() == ""


def posted(server: Served, *files: tuple[str, bytes], **query: str) -> dict[str, Any]:
    body, headers = multipart(*files)
    answer = server.ask("POST", "/api/v1/jobs", body, headers, query)
    assert answer.status == 202, answer.body
    assert answer.headers["location"] == f"/api/v1/jobs/{answer.json['id']}"
    return dict(answer.json)


def events(server: Served, job: dict[str, Any]) -> list[dict[str, Any]]:
    """All of them: the answer ends with the job."""
    text = server.ask("GET", f"/api/v1/jobs/{job['id']}/events").body.decode()
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    assert blocks[-1].startswith("event: end\n")
    return [json.loads(block.partition("\ndata: ")[2]) for block in blocks]


def test_many_photos_become_a_zip_of_the_command_lines_bytes(server: Served, tmp_path: Path) -> None:
    files = [(path.name, path.read_bytes()) for path in SAMPLES]
    job = posted(server, *files, ("broken.jpg", b"\xff\xd8\xff"), strength="1.2")
    assert len(job["id"]) >= 20
    *_, last = events(server, job)
    assert (last["status"], last["photos"], last["photos_done"], last["photos_failed"]) == ("done", 3, 2, 1)
    (failed,) = [each for each in last["outcomes"] if each["status"] == "failed"]
    assert failed["error"].startswith("broken.jpg: ")
    with zipfile.ZipFile(BytesIO(server.ask("GET", last["result"]).body)) as packed:
        results = {name: packed.read(name) for name in packed.namelist()}
    command_line("colorize", *SAMPLES, "-o", f"{tmp_path}/out/", "--strength", "1.2")
    assert results == {path.name: path.read_bytes() for path in tmp_path.joinpath("out").glob("*.jpg")}
    assert server.ask("DELETE", f"/api/v1/jobs/{job['id']}").status == 204
    assert server.ask("GET", f"/api/v1/jobs/{job['id']}").status == 404


def test_files_of_one_name_are_both_kept(server: Served) -> None:
    photo = SAMPLES[0].read_bytes()
    job = posted(server, ("a.jpg", photo), ("a.jpg", photo))
    assert sorted(each["name"] for each in events(server, job)[-1]["outcomes"]) == ["a (2).jpg", "a.jpg"]
    server.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_a_film_becomes_a_film_and_its_frames_are_told(server: Served, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", greys(12))
    job = posted(server, ("film.mp4", (tmp_path / "film.mp4").read_bytes()))
    *_, last = events(server, job)
    assert (last["status"], last["frames_done"]) == ("done", 12), last
    answer = server.ask("GET", last["result"])
    assert 'filename="film.mp4"' in answer.headers["content-disposition"]
    assert answer.body[4:8] == b"ftyp"
    server.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_a_lost_connection_loses_nothing(server: Served) -> None:
    job = posted(server, *((path.name, path.read_bytes()) for path in SAMPLES))
    with server.connect() as connection:
        connection.sendall(f"GET /api/v1/jobs/{job['id']}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert events(server, job)[-1]["status"] == "done"
    server.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_what_is_no_job_is_refused_and_leaves_nothing(server: Served, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", greys(2))
    film, photo = (tmp_path / "film.mp4").read_bytes(), SAMPLES[0].read_bytes()
    cases = [
        ([("notes.txt", b"dear diary")], {}, 400, "notes.txt: not a photo"),
        ([("a.zip", b"PK\x03\x04")], {}, 400, "a.zip: not a photo"),
        ([("film.mp4", film), ("a.jpg", photo)], {}, 422, "film.mp4 moves: a job is many photos, or one film"),
        ([("a.jpg", photo)], {"task": "paint"}, 422, "task 'paint': give one of colorize, translate"),
        ([("a.jpg", photo)], {"jobs": "64"}, 422, "--jobs is the server's to set"),
        ([("big.jpg", bytes(4_000_000))], {}, 413, "more than the"),
    ]
    for files, query, status, words in cases:
        body, headers = multipart(*files)
        answer = server.ask("POST", "/api/v1/jobs", body, headers, query)
        assert (answer.status, words in answer.json["detail"]) == (status, True), answer.body
    wait_for(lambda: server.leftovers() == [])


def animation() -> bytes:
    frames = [Image.new("L", (64, 48), shade) for shade in (60, 180)]
    whole = BytesIO()
    frames[0].save(whole, "GIF", save_all=True, append_images=frames[1:])
    return whole.getvalue()


HINTS = b'{"img2img": "hints", "version": 1, "hints": [{"x": "50%", "y": "20%", "color": "#8a2b2b"}]}'
FOR_ONE = "is for one photo: give each of a job's photos its own hints, in a file photo.hints.json for photo.jpg"


@pytest.mark.parametrize(
    ("name", "query", "parts", "words"),
    [
        ("a.jpg", {"hint": "50%,50%=#fff"}, {}, f"--hint {FOR_ONE}"),
        ("a.jpg", {}, {"hints": ("", HINTS)}, f"--hints FILE {FOR_ONE}"),
        ("a.jpg", {"influence": "0.5"}, {}, "--influence works only with a --reference or --palette: add one"),
        ("a.gif", {"format": "png"}, {}, "--format is for photos: convert films without it"),
        ("a.gif", {"if-color": "skip"}, {}, "--if-color is for photos: convert films without it"),
        ("a.gif", {}, {"hints": ("", HINTS)}, "--hints is for photos: convert films without it"),
        (
            "a.gif",
            {"task": "translate", "model": "horse2zebra", "cycle": "true"},
            {},
            "--cycle is for photos: convert films without it",
        ),
    ],
)
def test_a_job_that_could_only_fail_is_refused(
    server: Served, name: str, query: dict[str, str], parts: dict[str, tuple[str, bytes]], words: str
) -> None:
    photo = animation() if name == "a.gif" else SAMPLES[0].read_bytes()
    body, headers = multipart((name, photo), **parts)
    answer = server.ask("POST", "/api/v1/jobs", body, headers, query)
    assert (answer.status, answer.json["detail"]) == (422, words)


def test_a_film_without_a_name_is_asked_for_one(server: Served, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", greys(2))
    film = (tmp_path / "film.mp4").read_bytes()
    answer = server.ask("POST", "/api/v1/jobs", film)
    assert answer.status == 400
    assert "send it with its file name, as a multipart file or with Content-Disposition" in answer.json["detail"]
    named = answer.json["detail"].partition("Content-Disposition: ")[2]
    job = server.ask("POST", "/api/v1/jobs", film, {"Content-Disposition": named}).json
    assert events(server, job)[-1]["status"] == "done"
    server.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_a_job_takes_the_first_pictures_of_animations_where_it_is_told_to(server: Served) -> None:
    body = (("a.gif", animation()), (SAMPLES[0].name, SAMPLES[0].read_bytes()))
    job = posted(server, *body, **{"first-frame": "true", "format": "png"})
    *_, last = events(server, job)
    assert (last["status"], last["photos_done"], last["frames"]) == ("done", 2, None)
    server.ask("DELETE", f"/api/v1/jobs/{job['id']}")


def test_a_job_of_photos_in_colour_says_why_there_is_nothing(server: Served) -> None:
    job = posted(server, ("a.colorized.jpg", SAMPLES[0].read_bytes()))
    *_, last = events(server, job)
    assert (last["status"], last["result"], last["photos_skipped"]) == ("failed", None, 1)
    assert last["outcomes"][0]["flags"] == ["coloured by img2img already"]
    assert last["error"].startswith("all photos are in colour already: if-color=redo")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.jpg", "b.jpg"], "all photos are of a score below min-score"),
        (["a.horse2zebra.jpg"], "all photos are made by img2img already, by their names or their XMP"),
        (
            ["a.jpg", "b.horse2zebra.cycle.jpg"],
            "all photos are of a score below min-score, or made by img2img already, by their names or their XMP",
        ),
    ],
)
def test_a_job_of_photos_that_are_not_translated_says_why_there_is_nothing(
    server: Served, names: list[str], words: str
) -> None:
    query = {"task": "translate", "model": "horse2zebra", "min-score": "1"}
    job = posted(server, *((name, SAMPLES[0].read_bytes()) for name in names), **query)
    *_, last = events(server, job)
    assert (last["status"], last["result"], last["photos_skipped"]) == ("failed", None, len(names))
    assert last["error"] == words
    answer = server.ask("GET", f"/api/v1/jobs/{job['id']}/result")
    assert (answer.status, answer.json["detail"]) == (404, f"the job is failed: {words}")


def test_a_job_that_fails_says_why(server: Served, tmp_path: Path) -> None:
    job = posted(server, ("film.mp4", b"no film at all"))
    *_, last = events(server, job)
    assert (last["status"], last["result"]) == ("failed", None)
    assert last["outcomes"][0]["error"].startswith("film.mp4: ")
    answer = server.ask("GET", f"/api/v1/jobs/{job['id']}/result")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.slow
def test_a_job_at_work_ends_when_it_is_not_wanted(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", greys(400))
    film = (tmp_path / "film.mp4").read_bytes()
    with served(tmp_path) as server:
        job = posted(server, ("film.mp4", film))
        wait_for(lambda: (server.ask("GET", f"/api/v1/jobs/{job['id']}").json["frames_done"] or 0) > 0)
        assert server.ask("DELETE", f"/api/v1/jobs/{job['id']}").status == 204
        wait_for(lambda: server.leftovers() == [])
        job = posted(server, ("film.mp4", film))
        wait_for(lambda: (server.ask("GET", f"/api/v1/jobs/{job['id']}").json["frames_done"] or 0) > 0)
        assert server.end() == 0
        assert (server.leftovers(), server.errors.read_text()) == ([], "")


@pytest.mark.slow
def test_results_have_no_more_space_than_jobs_are_given(tmp_path: Path) -> None:
    photo = SAMPLES[0].read_bytes()
    with served(tmp_path, "--job-space", str(len(photo) * 3)) as server:
        job = posted(server, ("a.jpg", photo), ("b.jpg", photo), format="tiff")
        *_, last = events(server, job)
        assert (last["status"], last["error"]) == (
            "failed",
            "the results need more space than this server gives to jobs (--job-space)",
        )
        assert server.leftovers() == []


@pytest.mark.slow
def test_a_finished_jobs_files_go_with_their_time(tmp_path: Path) -> None:
    with served(tmp_path, "--job-hours", "0.0015") as server:  # five seconds, in which its events are asked for
        job = posted(server, (SAMPLES[0].name, SAMPLES[0].read_bytes()))
        assert events(server, job)[-1]["status"] == "done"
        assert server.leftovers() != []
        wait_for(lambda: server.leftovers() == [], 60)  # while nobody asks for anything
        assert server.ask("GET", f"/api/v1/jobs/{job['id']}").status == 404
        assert (server.end(), server.errors.read_text()) == (0, "")


def test_old_jobs_are_looked_for_every_minute_or_more_often() -> None:
    for hours, seconds in ((6, 60), (0.1, 36), (0.0001, 0.036)):
        store = JobStore(space=1000, hours=hours)
        assert store.seconds_between_looks == pytest.approx(seconds)
        store.close()


def test_space_is_counted_while_other_jobs_come_and_go(tmp_path: Path) -> None:
    store = JobStore(space=1000, hours=1)
    kept = store.new(ColorizeOptions())
    (kept.uploads / "a.jpg").write_bytes(b"x" * 100)
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            store.remove(store.new(ColorizeOptions()))

    others = [threading.Thread(target=come_and_go) for _ in range(2)]
    for each in others:
        each.start()
    try:
        assert {store.room() for _ in range(1000)} == {900}
    finally:
        over.set()
        for each in others:
            each.join()
        store.close()


def test_a_result_that_is_gone_is_not_found(server: Served) -> None:
    job = posted(server, (SAMPLES[0].name, SAMPLES[0].read_bytes()))
    *_, last = events(server, job)
    (result,) = server.home.glob(f"img2img-jobs-*/{job['id']}/*.zip")
    result.unlink()
    answer = server.ask("GET", last["result"])
    assert (answer.status, answer.json["detail"]) == (404, "the result is not there any more")


def test_a_result_that_is_removed_while_it_is_asked_for_is_there_or_not_found(server: Served) -> None:
    """And `server` has nothing in its log at the end."""
    statuses = set[int]()
    for _ in range(3):
        job = posted(server, ("a.jpg", SAMPLES[0].read_bytes()))
        *_, last = events(server, job)
        calls = [("GET", last["result"])] * 8
        calls.insert(4, ("DELETE", f"/api/v1/jobs/{job['id']}"))
        with ThreadPoolExecutor(len(calls)) as pool:
            statuses.update(pool.map(lambda call: server.ask(*call).status, calls))
    assert statuses <= {200, 204, 404}


def test_a_result_that_its_thread_takes_back_is_not_found(tmp_path: Path) -> None:
    class TakenBack:
        status, error, looks = "working", None, 0

        @property
        def result(self) -> Path | None:
            self.looks += 1
            return tmp_path / "never-made.zip" if self.looks == 1 else None

    jobs = SimpleNamespace(get=lambda name: TakenBack())
    app = SimpleNamespace(state=SimpleNamespace(server=SimpleNamespace(jobs=jobs)))
    with pytest.raises(Refusal, match="the result is not there any more"):
        asyncio.run(job_result(Request({"type": "http", "app": app, "path_params": {"id": "job"}})))


def test_a_job_that_is_removed_as_it_begins_leaves_nothing(log: pytest.LogCaptureFixture) -> None:
    store = JobStore(space=10**6, hours=1)
    job = store.new(ColorizeOptions())

    class RemovedMeanwhile(threading.Event):
        def is_set(self) -> bool:
            before = super().is_set()
            store.remove(job)
            return before

    job.stop = RemovedMeanwhile()
    job.run()
    assert (job.status, job.error, job.folder.exists(), log.text) == ("stopped", None, False, "")
    store.close()


def test_space_that_an_upload_was_promised_is_not_taken_from_a_job_at_work() -> None:
    store = JobStore(space=1000, hours=1)
    job = store.new(ColorizeOptions())
    (job.uploads / "a.jpg").write_bytes(b"x" * 100)
    with store.reserved(None) as most:
        assert (most, store.room(), job.room()) == (900, 0, 900)
    assert (store.room(), job.room()) == (900, 900)
    store.close()
