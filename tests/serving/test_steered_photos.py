"""Colours that are asked for over HTTP, in the query and in parts of the upload: the command line's bytes and words."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from served import CHECKOUT, Answer, Served, command_line, multipart, served
from waiting import wait_for

SAMPLE = CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg"
HINTS = json.dumps(
    {
        "img2img": "hints",
        "version": 1,
        "hints": [{"x": "50%", "y": "20%", "color": "#8a2b2b"}, {"x": 20, "y": 40, "color": "#808080"}],
    }
).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), "--max-upload", "2MB") as running:
        yield running
        assert running.errors.read_text() == ""
        wait_for(lambda: running.leftovers() == [])


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "walt.jpg"
    Image.open(SAMPLE).resize((97, 61)).save(path)
    return path


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference") / "walt.jpg"  # of the photo's name, as it may be
    colours = np.array([[200, 90, 30], [230, 150, 40], [120, 60, 30], [60, 90, 130]], np.uint8)
    Image.fromarray(colours.reshape(2, 2, 3)).resize((80, 60), Image.Resampling.BICUBIC).save(path)
    return path


def refused(answer: Answer, status: int) -> str:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    words = str(answer.json["detail"])
    assert "img2img-serve-" not in words  # the server's folder
    return words


def colorized(server: Served, photo: Path, query: str = "", **parts: tuple[str, bytes]) -> Answer:
    body, headers = multipart((photo.name, photo.read_bytes()), **parts)
    return server.ask("POST", f"/api/v1/colorize?{query}", body, headers)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("warmth=0.3", ["--warmth", "0.3"]),
        ("palette=%237a5c3e,%23c9b48a&influence=0.5", ["--palette", "#7a5c3e,#c9b48a", "--influence", "0.5"]),
        ("hint=52%25,40%25=%233a6b35&hint=8,3=%238a2b2b", ["--hint", "52%,40%=#3a6b35", "--hint", "8,3=#8a2b2b"]),
    ],
)
def test_the_query_steers_as_the_command_line_does(
    server: Served, photo: Path, tmp_path: Path, query: str, options: list[str]
) -> None:
    answer = colorized(server, photo, query)
    assert answer.status == 200, answer.body
    command_line("colorize", photo, "-o", tmp_path / "made.jpg", *options)
    assert answer.body == (tmp_path / "made.jpg").read_bytes()
    assert answer.body != colorized(server, photo).body


@pytest.mark.parametrize("hints_name", ["walt.hints.json", ""])
def test_reference_and_hints_are_parts_of_the_upload(
    server: Served, photo: Path, autumn: Path, tmp_path: Path, hints_name: str
) -> None:
    reference, hints = (autumn.name, autumn.read_bytes()), (hints_name, HINTS)
    answer = colorized(server, photo, "influence=0.8&hint=3,3=%23fff", reference=reference, hints=hints)
    assert answer.status == 200, answer.body
    (tmp_path / "file.json").write_bytes(HINTS)
    words = ["--reference", autumn, "--influence", "0.8", "--hints", tmp_path / "file.json", "--hint", "3,3=#fff"]
    command_line("colorize", photo, "-o", tmp_path / "made.jpg", *words)
    assert answer.body == (tmp_path / "made.jpg").read_bytes()
    plain = {answer.body, colorized(server, photo).body, colorized(server, photo, reference=reference).body}
    assert len(plain | {colorized(server, photo, hints=hints).body}) == 4


def test_photo_may_be_named_as_a_part(server: Served, photo: Path, autumn: Path) -> None:
    body, headers = multipart(("reference", photo.read_bytes()), reference=(autumn.name, autumn.read_bytes()))
    answer = server.ask("POST", "/api/v1/colorize?format=jpeg", body, headers)
    assert answer.status == 200, answer.body


def test_what_is_wrong_with_a_part_is_told_in_the_command_lines_words(
    server: Served, photo: Path, autumn: Path, tmp_path: Path
) -> None:
    good = (autumn.name, autumn.read_bytes())
    words = refused(colorized(server, photo, reference=("notes.txt", b"dear diary")), 400)
    assert words == "notes.txt: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"
    words = refused(colorized(server, photo, hints=("a.hints.json", b"{")), 422)
    assert words.startswith("a.hints.json: damaged, not JSON")
    words = refused(colorized(server, photo, hints=("", b" " * 999_999)), 422)
    assert words.startswith("hints: damaged, not JSON")
    far = HINTS.replace(b'"x": 20', b'"x": 2000')
    assert "outside of the photo" in refused(colorized(server, photo, hints=("far.json", far)), 422)
    words = refused(colorized(server, photo, "influence=0.5"), 422)
    assert words == "--influence works only with a --reference or --palette: add one"
    body, headers = multipart(reference=good)
    assert "no photo came" in refused(server.ask("POST", "/api/v1/colorize", body, headers), 400)


def test_parts_that_a_call_has_no_use_for_are_refused(server: Served, photo: Path, autumn: Path) -> None:
    body, headers = multipart(reference=(autumn.name, autumn.read_bytes()))
    for path in ("/api/v1/view", "/api/v1/previews"):
        assert "'reference' is not for this call" in refused(server.ask("POST", path, body, headers), 422)
    body, headers = multipart((photo.name, photo.read_bytes()), reference=(autumn.name, autumn.read_bytes()))
    answer = server.ask("POST", "/api/v1/translate?model=horse2zebra", body, headers)
    assert refused(answer, 422) == "the part 'reference' is for colours: leave it out for horse2zebra"
    body, headers = multipart((photo.name, photo.read_bytes()), strength=("", b"1"))
    assert "'strength' is not for this call" in refused(server.ask("POST", "/api/v1/colorize", body, headers), 422)


def test_all_parts_together_may_have_as_many_bytes_as_one_photo(server: Served, photo: Path) -> None:
    assert "more than the 2.0 MB" in refused(colorized(server, photo, reference=("a.jpg", bytes(2_000_000))), 413)
    assert refused(colorized(server, photo, hints=("", bytes(1_100_000))), 400)  # a field, which is held in memory


def test_a_job_has_one_reference_and_each_of_its_photos_its_own_hints(
    server: Served, photo: Path, autumn: Path, tmp_path: Path
) -> None:
    long = "\u3042" * 70  # cut, for so many bytes are too many, and its hints with it
    hinted = [("b.jpg", photo.read_bytes()), ("b.hints.json", HINTS)]
    files = [("a.jpg", photo.read_bytes()), *hinted, *((name.replace("b", long, 1), each) for name, each in hinted)]
    body, headers = multipart(*files, reference=(autumn.name, autumn.read_bytes()))
    job = server.ask("POST", "/api/v1/jobs?warmth=-0.2", body, headers)
    assert (job.status, job.json["photos"]) == (202, 3), job.body
    path = f"/api/v1/jobs/{job.json['id']}"
    wait_for(lambda: server.ask("GET", path).json["status"] == "done")
    with zipfile.ZipFile(BytesIO(server.ask("GET", f"{path}/result").body)) as packed:
        results = {name: packed.read(name) for name in packed.namelist()}
    album = tmp_path / "album"
    album.mkdir()
    for name, content in files:
        (album / name).write_bytes(content)
    steering = ["--reference", autumn, "--warmth", "-0.2", "--hints", "auto"]
    command_line("colorize", album, "-o", tmp_path / "out", *steering)
    assert results.pop(f"{long[:50]}.jpg") == results["b.jpg"]
    assert results == {f"{name}.jpg": (tmp_path / "out" / f"{name}.jpg").read_bytes() for name in "ab"}
    assert results["a.jpg"] != results["b.jpg"]
    assert server.ask("DELETE", path).status == 204


@pytest.mark.parametrize(
    ("files", "parts", "query", "words"),
    [
        (["a.hints.json"], [], "", "no photo came with the request, only hints"),
        (["a.jpg", "a.hints.json"], [], "task=translate&model=horse2zebra", "hints are for colours"),
        (["a.jpg"], ["reference"], "task=translate&model=horse2zebra", "the part 'reference' is for colours"),
        (["a.mp4", "a.hints.json"], [], "", "a.mp4 moves: a job is many photos, or one film"),
    ],
)
def test_a_job_that_cannot_be_is_refused(
    server: Served, files: list[str], parts: list[str], query: str, words: str
) -> None:
    body, headers = multipart(*((name, b"x") for name in files), **dict.fromkeys(parts, ("r.jpg", b"x")))
    answer = server.ask("POST", f"/api/v1/jobs?{query}", body, headers)
    assert words in refused(answer, answer.status)
    assert answer.status in (400, 422)


def test_a_jobs_reference_that_is_no_photo_is_told_by_its_name(server: Served, photo: Path) -> None:
    body, headers = multipart((photo.name, photo.read_bytes()), reference=("notes.txt", b"dear diary"))
    path = f"/api/v1/jobs/{server.ask('POST', '/api/v1/jobs', body, headers).json['id']}"
    wait_for(lambda: server.ask("GET", path).json["status"] == "failed")
    assert server.ask("GET", path).json["error"].startswith("notes.txt: not a photo")


# Previews


@pytest.fixture(scope="module")
def seen(server: Served) -> dict[str, Any]:
    return dict(server.ask("POST", "/api/v1/previews", SAMPLE.read_bytes()).json)


def pixels(answer: Answer) -> Any:
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg"), answer.body
    return np.asarray(Image.open(BytesIO(answer.body)).convert("RGB"), np.float32)


def test_a_hint_changes_a_preview_where_it_is(server: Served, seen: dict[str, Any]) -> None:
    before = pixels(server.ask("GET", seen["after"]))
    after = pixels(server.ask("GET", seen["after"] + "?hint=10%25,10%25=%23203c90"))
    height, width = before.shape[:2]
    place = np.s_[int(0.08 * height) : int(0.12 * height), int(0.08 * width) : int(0.12 * width)]
    blue = (after - before)[place][..., 2] - (after - before)[place][..., 0]
    assert blue.mean() > 30
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    assert np.abs(after @ luma - before @ luma).mean() < 1


def test_another_preview_is_the_reference(server: Served, seen: dict[str, Any], autumn: Path) -> None:
    other = server.ask("POST", "/api/v1/previews", autumn.read_bytes()).json["id"]
    plain, leaning, half = (
        pixels(server.ask("GET", f"{seen['after']}?card&{query}"))
        for query in ("", f"reference={other}", f"reference={other}&influence=0.3")
    )
    assert np.abs(leaning - plain).mean() > np.abs(half - plain).mean() > 0.5
    unlike = server.ask("GET", f"{seen['after']}?reference=guessed")
    assert "send the photo again" in refused(unlike, 404)


def test_the_likeliest_colours_at_a_place_are_suggested(server: Served, seen: dict[str, Any]) -> None:
    path = f"/api/v1/previews/{seen['id']}/suggestions"
    rows = server.ask("GET", path, x="50%", y="40%").json
    assert 2 <= len(rows) <= 5
    probabilities = [row["probability"] for row in rows]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.3 < sum(probabilities) <= 1.001
    assert len({row["color"] for row in rows}) == len(rows)
    assert server.ask("GET", path, x="384", y="248").json[0]["color"] == rows[0]["color"]  # a pixel there
    assert server.ask("GET", path, x="50%", y="40%", warmth="1").json != rows


@pytest.mark.parametrize(
    ("call", "query", "words"),
    [
        ("after", "hint=here", "--hint: 'here' is not a hint"),
        ("after", "hint=5000,3=%23fff", "outside of the photo, which is 768 x 621 pixels"),
        ("after", "warmth=nan", "--warmth nan: give a number from -1 to 1"),
        ("after", "strength=-1", "--strength: -1.0 is not a number from 0"),
        ("after", "model=colorizer", "no option 'model' here; there are: strength, warmth, palette"),
        ("after", "reference=a&reference=b", "--reference stands twice"),
        ("after", "palette=" + ",".join(["%23fff"] * 257), "--palette: more than 256 of them"),
        ("after", "&".join(["hint=1%25,1%25=%23fff"] * 257), "--hint: more than 256 of them"),
        ("suggestions", "x=50%25", "'' is no place along a photo's side"),
        ("suggestions", "x=101%25&y=1%25", "101.0% of a photo's side is outside of the photo"),
        ("suggestions", "x=768&y=0", "768,0 is outside of the photo, which is 768 x 621 pixels"),
        ("suggestions", "x=1e1%25&y=1%25", "is no place along a photo's side"),
    ],
)
def test_nonsense_is_told(server: Served, seen: dict[str, Any], call: str, query: str, words: str) -> None:
    assert words in refused(server.ask("GET", f"/api/v1/previews/{seen['id']}/{call}?{query}"), 422)


def test_photos_that_are_translated_get_no_suggestions(server: Served, photo: Path) -> None:
    body, headers = multipart((photo.name, photo.read_bytes()))
    seen = server.ask("POST", "/api/v1/previews?task=translate&model=horse2zebra", body, headers).json
    path = f"/api/v1/previews/{seen['id']}/suggestions"
    assert "not translated" in refused(server.ask("GET", path, x="1%", y="1%"), 422)


def test_the_models_say_whether_they_can_be_steered(server: Served) -> None:
    models = {each["name"]: each["steerable"] for each in server.ask("GET", "/api/v1/models").json["models"]}
    assert models == {"colorizer": True, "horse2zebra": False, "zebra2horse": False}


def test_the_parts_are_in_the_description(server: Served) -> None:
    paths = server.ask("GET", "/api/v1/openapi.json").json["paths"]
    parts = {
        path: set(paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"])
        for path in ("/api/v1/colorize", "/api/v1/translate", "/api/v1/jobs")
    }
    assert list(parts.values()) == [{"file", "reference", "hints"}, {"file"}, {"file", "reference"}]
    named = {each["name"]: each["schema"] for each in paths["/api/v1/colorize"]["post"]["parameters"]}
    assert named["hint"] == {"type": "array", "items": {"type": "string"}}
    of_jobs = {each["name"] for each in paths["/api/v1/jobs"]["post"]["parameters"]}
    assert of_jobs >= {"task", "strength", "cycle", *named} - {"hint"}
    assert "hint" not in of_jobs
    assert (named["warmth"]["minimum"], named["warmth"]["maximum"]) == (-1, 1)
