"""POST /api/v1/colorize and /translate: the command line's bytes, and its words where there are none."""

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from conftest import DrawPhoto
from PIL import Image
from png_bytes import SIGNATURE, chunk
from served import CHECKOUT, Answer, Served, command_line, multipart, served
from waiting import wait_for

SAMPLE = CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), "--max-upload", "2MB", "--max-pixels", "4000000") as running:
        yield running
        assert running.errors.read_text() == ""
        wait_for(lambda: running.leftovers() == [])


def with_metadata(path: Path) -> Path:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "my grandmother", 6
    Image.open(SAMPLE).resize((97, 61)).save(path, exif=exif, dpi=(300, 300), quality=71)
    return path


def deep(path: Path) -> Path:
    Image.fromarray(np.linspace(0, 65535, 64 * 48, dtype=np.uint16).reshape(48, 64)).save(path)
    return path


@pytest.mark.parametrize(
    ("make", "name", "query"),
    [
        (with_metadata, "a.jpg", {}),
        (with_metadata, "a.jpg", {"strength": "1.3", "quality": "60"}),
        (with_metadata, "a.jpg", {"format": "webp"}),
        (with_metadata, "a.jpg", {"format": "avif"}),
        (with_metadata, "a.JPEG", {"strength": "0"}),
        (deep, "deep.png", {}),
        (deep, "deep.tif", {"format": "tiff"}),
        (deep, "deep.png", {"format": "jpg"}),
    ],
)
def test_colorize_answers_with_the_command_lines_bytes(
    server: Served, tmp_path: Path, make: Callable[[Path], Path], name: str, query: dict[str, str]
) -> None:
    photo = make(tmp_path / name)
    body, headers = multipart((name, photo.read_bytes()))
    answer = server.ask("POST", "/api/v1/colorize", body, headers, query)
    assert answer.status == 200, answer.body
    options = [word for key, value in query.items() for word in (f"--{key}", value)]
    command_line("colorize", photo, *options)
    (made,) = tmp_path.glob("*.colorized.*")
    assert answer.body == made.read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{made.name}"'
    kind = {
        ".jpg": "jpeg",
        ".JPEG": "jpeg",
        ".png": "png",
        ".webp": "webp",
        ".avif": "avif",
        ".tif": "tiff",
        ".tiff": "tiff",
    }[made.suffix]
    assert answer.headers["content-type"] == f"image/{kind}"


def test_translate_answers_with_the_command_lines_bytes_and_its_score(server: Served, tmp_path: Path) -> None:
    photo = with_metadata(tmp_path / "a.jpg")
    query = {"model": "horse2zebra", "cycle": "true", "score": "true"}
    answer = server.ask("POST", "/api/v1/translate", photo.read_bytes(), query=query)
    command_line(
        "translate", photo, "--model", "horse2zebra", "--cycle", "--score", "--report", tmp_path / "report.json"
    )
    assert answer.body == (tmp_path / "a.horse2zebra.cycle.jpg").read_bytes()
    assert 0 <= float(answer.headers["img2img-score"]) <= 1


def test_the_body_itself_is_named_by_what_it_is(server: Served) -> None:
    answer = server.ask("POST", "/api/v1/colorize", SAMPLE.read_bytes())
    assert answer.headers["content-disposition"] == 'attachment; filename="photo.colorized.jpg"'
    said = {"Content-Disposition": 'attachment; filename="../../etc/walt.jpg"'}
    answer = server.ask("POST", "/api/v1/colorize", SAMPLE.read_bytes(), said)
    assert answer.headers["content-disposition"] == 'attachment; filename="walt.colorized.jpg"'


@pytest.mark.parametrize("letter", ["a", "\u044f", "\u3042", "\U00020bb7"])
@pytest.mark.parametrize("path", ["/api/v1/colorize", "/api/v1/translate?model=horse2zebra&cycle=true"])
def test_a_long_name_in_any_script_is_cut_to_what_a_file_may_have(server: Served, path: str, letter: str) -> None:
    """File systems count bytes: of Japanese letters 85 are too many."""
    tiny = BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(tiny, "JPEG")
    body, headers = multipart((letter * 200 + ".jpg", tiny.getvalue()))
    answer = server.ask("POST", path, body, headers)
    assert answer.status == 200, answer.body
    name = unquote(answer.headers["content-disposition"]).partition("=")[2].removeprefix("utf-8''").strip('"')
    stem, _, rest = name.partition(".")
    assert set(stem) == {letter}
    assert 147 <= len(stem.encode()) <= 150
    assert rest in ("colorized.jpg", "horse2zebra.cycle.jpg")


def test_what_the_result_lacks_is_told(server: Served) -> None:
    grey = BytesIO()
    Image.new("L", (64, 64), 128).save(grey, "PNG")
    answer = server.ask("POST", "/api/v1/colorize", grey.getvalue(), strength="0")
    assert answer.headers["img2img-flags"] == "nearly grey"


def in_colour() -> bytes:
    """A PNG of 36 squares, each of its own colour."""
    squares = np.random.default_rng(0).integers(0, 255, (6, 6, 3))
    stream = BytesIO()
    Image.fromarray(np.kron(squares, np.ones((16, 16, 1))).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_a_photo_in_colour_is_coloured_anew_copied_or_refused(server: Served) -> None:
    photo = in_colour()
    assert "in colour already" in server.ask("POST", "/api/v1/colorize", photo).headers["img2img-flags"]
    copied = server.ask("POST", "/api/v1/colorize", photo, query={"if-color": "copy"})
    assert (copied.body, copied.headers["img2img-flags"]) == (photo, "in colour already, copied")
    left = server.ask("POST", "/api/v1/colorize", photo, query={"if-color": "skip"})
    assert refused(left, 422) == "photo.png: in colour already, and --if-color skip was asked for"


def refused(answer: Answer, status: int) -> str:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    assert answer.json["status"] == status
    assert "Traceback" not in answer.body.decode()
    return str(answer.json["detail"])


def test_what_is_no_photo_is_told_in_the_command_lines_words(server: Served, tmp_path: Path) -> None:
    body, headers = multipart(("notes.txt", b"dear diary"))
    words = refused(server.ask("POST", "/api/v1/colorize", body, headers), 400)
    assert words == "notes.txt: not a photo; give a JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF or HEIC file"
    cut, headers = multipart(("cut.jpg", SAMPLE.read_bytes()[:2000]))
    assert refused(server.ask("POST", "/api/v1/colorize", cut, headers), 400).startswith("cut.jpg: ")
    assert (
        refused(server.ask("POST", "/api/v1/colorize", b""), 400)
        == "photo: the file is empty; copy it again from where it came from"
    )
    empty, headers = multipart()
    assert "no photo came with the request" in refused(server.ask("POST", "/api/v1/colorize", empty, headers), 400)


def test_an_animation_is_refused_with_words_that_help(server: Served, tmp_path: Path) -> None:
    frames = [Image.linear_gradient("L").resize((64, 48)).rotate(turn) for turn in (0, 180)]
    for name in ("a.gif", "pages.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        photo = (tmp_path / name).read_bytes()
        body, headers = multipart((name, photo))
        for call in ("colorize", "previews"):
            words = refused(server.ask("POST", f"/api/v1/{call}", body, headers), 400)
            assert "--first-frame takes" in words
        answer = server.ask("POST", "/api/v1/colorize", body, headers, {"first-frame": "true"})
        command_line("colorize", tmp_path / name, "--first-frame", "-o", tmp_path / "made.png", "--format", "png")
        assert pixels(answer.body) == pixels((tmp_path / "made.png").read_bytes())
        seen = server.ask("POST", "/api/v1/previews", body, headers, {"first-frame": "true"})
        assert (seen.status, seen.json["width"]) == (201, 64)


def pixels(picture: bytes) -> bytes:
    return Image.open(BytesIO(picture)).convert("RGB").tobytes()


def test_options_are_refused_in_the_command_lines_words(server: Served) -> None:
    photo = SAMPLE.read_bytes()
    words = refused(server.ask("POST", "/api/v1/colorize", photo, quality="0"), 422)
    assert words == "--quality 0: give a whole number from 1 to 100"
    words = refused(server.ask("POST", "/api/v1/translate", photo), 422)
    assert words == "which model? Give --model horse2zebra or --model zebra2horse"
    assert "is the server's to set" in refused(server.ask("POST", "/api/v1/colorize", photo, report="/tmp/x.csv"), 422)
    words = refused(
        server.ask("POST", "/api/v1/translate", photo, query={"model": "zebra2horse", "min-score": "0.99"}), 422
    )
    assert words.endswith("is below --min-score")


def test_what_is_too_large_is_refused_by_its_length_and_while_it_streams(server: Served) -> None:
    big = b"\xff\xd8\xff" + bytes(2_100_000)
    assert "more than the 2.0 MB" in refused(server.ask("POST", "/api/v1/colorize", big), 413)
    chunks = iter([b"\xff\xd8\xff", *[bytes(100_000)] * 25])
    assert "more than the 2.0 MB" in refused(server.ask("POST", "/api/v1/colorize", chunks), 413)


def test_a_bomb_is_refused_before_it_is_unpacked(server: Served) -> None:
    header = struct.pack(">2L5B", 30_000, 30_000, 1, 0, 0, 0, 0)  # Pillow would need 900 MB to write it
    rows = zlib.compress(bytes(30_000 * (1 + 30_000 // 8)), 1)
    bomb = SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert len(bomb) < 2_000_000
    words = refused(server.ask("POST", "/api/v1/colorize", bomb), 400)
    assert "900 megapixels, more than --max-pixels 4000000" in words


def test_several_files_in_one_request_are_refused(server: Served) -> None:
    body, headers = multipart(("a.jpg", b"x"), ("b.jpg", b"x"))
    assert "Too many files" in refused(server.ask("POST", "/api/v1/colorize", body, headers), 400)


def test_what_is_not_there_is_a_problem_too(server: Served) -> None:
    assert "openapi.json" in refused(server.ask("GET", "/nothing"), 404)
    assert "openapi.json" in refused(server.ask("GET", "/page/..%2f..%2fapp.py"), 404)
    assert "openapi.json" in refused(server.ask("GET", "/page/__init__.py"), 404)
    answer = server.ask("GET", "/api/v1/colorize")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_models_say_what_they_are_for(server: Served) -> None:
    found = server.ask("GET", "/api/v1/models").json
    assert {each["name"]: each["task"] for each in found["models"]} == {
        "colorizer": "colorize",
        "horse2zebra": "translate",
        "zebra2horse": "translate",
    }
    assert found["limits"] == {"max_upload": 2_000_000, "max_pixels": 4_000_000}


def test_openapi_has_every_call_and_every_option(server: Served) -> None:
    from img2img.serving.app import ROUTES

    document = server.ask("GET", "/api/v1/openapi.json").json
    ours = {(route.path, method) for route in ROUTES for method in route.methods or () if method != "HEAD"}
    of_the_page = {"/", "/page/{name}", "/session", "/api/v1/view", "/api/v1/openapi.json"}
    listed = {(path, method.upper()) for path, calls in document["paths"].items() for method in calls}
    assert listed == {(path, method) for path, method in ours if path not in of_the_page}
    named = {each["name"]: each["schema"] for each in document["paths"]["/api/v1/colorize"]["post"]["parameters"]}
    assert named["quality"] == {"type": "integer", "minimum": 1, "maximum": 100}
    assert named["model"]["enum"] == ["colorizer"]
    assert named["strength"]["default"] == 1.0


def test_openapi_has_what_a_preview_may_be_asked(server: Served) -> None:
    paths = server.ask("GET", "/api/v1/openapi.json").json["paths"]
    seen = server.ask("POST", "/api/v1/previews", SAMPLE.read_bytes()).json
    for call in ("after", "suggestions"):
        for name in {each["name"] for each in paths[f"/api/v1/previews/{{id}}/{call}"]["get"]["parameters"]} - {"id"}:
            answer = server.ask("GET", f"/api/v1/previews/{seen['id']}/{call}", query={name: "no value of it"})
            assert b"no option" not in answer.body
    answer = server.ask("GET", seen["after"], nothing="1")
    *_, names = refused(answer, 422).partition("there are: ")
    described = paths["/api/v1/previews/{id}/after"]["get"]["parameters"]
    assert {each["name"] for each in described} == {*names.split(", "), "id", "card"}
    made = paths["/api/v1/previews"]["post"]
    assert {each["name"] for each in made["parameters"]} == {"task", "model", "size", "first-frame"}
    assert "201" in made["responses"]


def test_heads_are_answered_without_a_body(server: Served) -> None:
    assert (server.ask("HEAD", "/healthz").status, server.ask("HEAD", "/healthz").body) == (200, b"")


def test_a_preview_is_small_and_changes_with_the_strength(
    server: Served, draw_photo: DrawPhoto, tmp_path: Path
) -> None:
    photo = draw_photo(tmp_path / "p.png", (3000, 500)).read_bytes()
    seen = server.ask("POST", "/api/v1/previews", photo).json
    assert (seen["width"], seen["height"], seen["shown"], seen["score"]) == (3000, 500, True, None)
    assert Image.open(BytesIO(server.ask("GET", seen["before"]).body)).size == (1280, 213)
    grey, coloured = (server.ask("GET", seen["after"], strength=each).body for each in ("0", "1.5"))
    assert grey != coloured
    card = server.ask("GET", seen["after"] + "?card&strength=1.5").body
    assert Image.open(BytesIO(card)).size == (640, 107)
    assert "no such preview" in refused(server.ask("GET", "/api/v1/previews/guessed/after"), 404)
    refused(server.ask("GET", seen["after"], strength="much"), 422)


def test_what_browsers_cannot_show_is_shown_as_a_jpeg(server: Served, tmp_path: Path) -> None:
    photo = deep(tmp_path / "deep.tif").read_bytes()
    assert server.ask("POST", "/api/v1/previews", photo).json["shown"] is False
    shown = Image.open(BytesIO(server.ask("POST", "/api/v1/view", photo).body))
    assert (shown.format, shown.size) == ("JPEG", (64, 48))
