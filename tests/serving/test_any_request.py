"""Whatever is asked, the answer is one of the table; and many who ask at once get what one gets."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import DrawPhoto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from served import Answer, Served, command_line, multipart, served

FINE = {200, 201, 202, 204, 303}
PROBLEMS = {400, 401, 403, 404, 405, 408, 413, 422, 503}
PATHS = [
    *("/", "/page/style.css", "/page/x", "/session", "/healthz", "/readyz", "/api/v1/models", "/api/v1/openapi.json"),
    *("/api/v1/colorize", "/api/v1/translate", "/api/v1/previews", "/api/v1/previews/x/before", "/api/v1/view"),
    *("/api/v1/previews/x/after", "/api/v1/previews/x/suggestions", "/api/v1/previews/PREVIEW/after"),
    "/api/v1/previews/PREVIEW/suggestions",
    *("/api/v1/jobs", "/api/v1/jobs/x", "/api/v1/jobs/x/events", "/api/v1/jobs/x/result"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
OPTIONS = ["strength", "format", "quality", "model", "size", "cycle", "score", "min-score", "task", "output", "jobs"]
COLORS = ["strength", "warmth", "palette", "influence", "reference", "hint", "x", "y", "card"]
OPTIONS += [*COLORS, "hints", "first-frame"]
LONGEST_HEAD = 65_536  # bytes, of a request's first line and headers: h11's limit, beyond which it is no HTTP
VALUES = [
    "1",
    "0.5",
    "-1",
    "nan",
    "jpg",
    "gif",
    "card",
    "native",
    "true",
    "colorize",
    "translate",
    "horse2zebra",
    "../x",
    "52%",
    "1e999%",
    "-3",
    "9" * 400,
    "#fff,#3a6b35",
    "#fff" + ",#fff" * 5000,
    "52%,40%=#3a6b35",
    "999999999,0=#000",
    "PREVIEW",
]
HEADERS = [
    "Content-Type",
    "Content-Disposition",
    "Origin",
    "Host",
    "Cookie",
    "Authorization",
    "Range",
    "Expect",
    "Accept",
]
LINES = [
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "null",
    "localhost",
    "bytes=0-1",
    "attachment; filename=a",
]
texts = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
PNG = BytesIO()
Image.linear_gradient("L").resize((40, 30)).save(PNG, "PNG")
PHOTO = ("a.png", PNG.getvalue())
HINTS = {
    "fine": {"img2img": "hints", "version": 1, "hints": [{"x": "52%", "y": 3, "color": "#3a6b35"}]},
    "outside": {"img2img": "hints", "version": 1, "hints": [{"x": 5000, "y": 3, "color": "#3a6b35"}]},
    "odd": {"img2img": "hints", "version": 1, "hints": [{"x": 1e400, "y": [], "color": 7}]},
    "others": {"hints": "none"},
}
PARTS: list[dict[str, tuple[str, bytes]]] = [
    {},
    {"reference": PHOTO},
    {"reference": ("../a.png", b"no photo"), "hints": ("a.hints.json", b"[" * 99999)},
    *({"hints": (name, json.dumps(hints).encode())} for name in ("a.json", "") for hints in HINTS.values()),
]
WHOLE = [multipart(PHOTO, **parts)[0] for parts in PARTS] + [multipart(reference=PHOTO)[0], multipart(PHOTO, PHOTO)[0]]
BODIES = [b"", b"{}", PNG.getvalue(), PNG.getvalue()[:60], b"--x\r\n\r\n"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), "--patience", "5") as running:
        yield running
        assert running.errors.read_text() == ""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(METHODS),
    path=st.sampled_from(PATHS) | texts.map(lambda text: "/" + text.encode("latin-1").hex()),
    query=st.dictionaries(st.sampled_from(OPTIONS) | texts, st.sampled_from(VALUES) | texts, max_size=3),
    headers=st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(LINES) | texts, max_size=3),
    body=st.sampled_from(BODIES) | st.binary(max_size=200),
)
def test_every_request_gets_an_answer_of_the_table(
    server: Served, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
) -> None:
    path, query = filled_in(server, path), {name: filled_in(server, text) for name, text in query.items()}
    check(server.ask(method, path, body, headers, query), method)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(["/api/v1/colorize", "/api/v1/translate", "/api/v1/previews", "/api/v1/jobs"]),
    query=st.dictionaries(st.sampled_from(OPTIONS), st.sampled_from(VALUES) | texts, max_size=2),
    body=st.sampled_from(WHOLE),
)
def test_every_upload_gets_an_answer_of_the_table(
    server: Served, path: str, query: dict[str, str], body: bytes
) -> None:
    check(server.ask("POST", path, body, multipart()[1], query), "POST")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    call=st.sampled_from(["after", "suggestions"]),
    query=st.dictionaries(st.sampled_from(COLORS), st.sampled_from(VALUES) | texts, max_size=4),
)
def test_whatever_a_preview_is_asked_for(server: Served, call: str, query: dict[str, str]) -> None:
    query = {name: filled_in(server, text) for name, text in query.items()}
    answer = server.ask("GET", filled_in(server, f"/api/v1/previews/PREVIEW/{call}"), query=query)
    check(answer, "GET")
    too_long = len(urlencode(query)) > LONGEST_HEAD
    assert answer.status in (200, 404, 422) or (too_long and answer.status == 400)


def filled_in(server: Served, text: str) -> str:
    """With the id of a preview that is there."""
    if "PREVIEW" not in text:
        return text
    return text.replace("PREVIEW", server.ask("POST", "/api/v1/previews", PNG.getvalue()).json["id"])


def check(answer: Answer, method: str) -> None:
    """One of the table, and a problem where it is not fine."""
    assert answer.status in FINE | PROBLEMS | {206}
    if answer.status not in FINE | {206} and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
        assert answer.json["detail"]
        assert "Traceback" not in answer.body.decode()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"POST /api/v1/colorize HTTP/1.1\r\nHost: localhost\r\n"]),
    rest=st.binary(max_size=300),
)
def test_any_bytes_are_answered_or_waited_for(server: Served, start: bytes, rest: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(start + rest + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while some := connection.recv(65536):
            answer += some
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b"Traceback" not in answer
    assert not answer or int(answer[9:12]) in FINE | PROBLEMS


@pytest.mark.slow
def test_two_thousand_requests_from_32_clients_cost_no_memory(tmp_path: Path, draw_photo: DrawPhoto) -> None:
    photo = draw_photo(tmp_path / "p.png")
    command_line("colorize", photo, "-o", tmp_path / "expected.png")
    expected, sent = (tmp_path / "expected.png").read_bytes(), photo.read_bytes()
    statuses: Counter[int] = Counter()
    memory: list[int] = []
    lock = threading.Lock()
    with served(tmp_path, "--queue", "16") as server:

        def one_of_many(_: int) -> None:
            while True:
                answer = server.ask("POST", "/api/v1/colorize", sent)
                with lock:
                    statuses[answer.status] += 1
                    if answer.status == 200 and statuses[200] in (200, 2000):
                        memory.append(resident(server.process.pid))
                if answer.status != 503:
                    assert answer.body == expected
                    return
                time.sleep(0.05)

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(one_of_many, range(2000)))
        assert server.errors.read_text() == ""
    assert set(statuses) <= {200, 503}
    assert statuses[200] == 2000
    after_200, at_the_end = memory
    assert at_the_end < after_200 + 16_000_000


def resident(process: int) -> int:
    """Bytes of memory that a process has, on Linux."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096
