"""Who is let in: by the server's name, by the page's origin, by the token; and the headers of every answer."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from served import CHECKOUT, Served, served
from starlette.datastructures import Headers

from img2img.serving.guard import POLICY, cookie_for, from_our_page

TOKEN = "correct-horse-battery-staple"
PHOTO = (CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg").read_bytes()
CALLS = [
    ("GET", "/"),
    ("GET", "/page/main.js"),
    ("GET", "/api/v1/models"),
    ("GET", "/api/v1/openapi.json"),
    ("POST", "/api/v1/colorize"),
    ("POST", "/api/v1/translate"),
    ("POST", "/api/v1/previews"),
    ("POST", "/api/v1/view"),
    ("POST", "/api/v1/jobs"),
    ("GET", "/api/v1/previews/x/suggestions"),
    ("GET", "/api/v1/jobs/x"),
    ("DELETE", "/api/v1/jobs/x"),
    ("GET", "/nothing"),
]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With a token, and two names."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "token").write_text(TOKEN)
    with served(folder, "--token-file", str(folder / "token"), "--allow-host", "photos.example") as running:
        yield running
        assert TOKEN not in running.errors.read_text()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nothing_but_the_health_is_open(closed: Served, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Cookie": f"img2img={TOKEN}"}):
        answer = closed.ask(method, path, headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert closed.ask("GET", "/healthz").status == closed.ask("GET", "/readyz").status == 200


def test_the_token_as_bearer_opens_the_api(closed: Served) -> None:
    answer = closed.ask("POST", "/api/v1/colorize", PHOTO, {"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")


def test_the_page_exchanges_the_token_once_for_a_cookie(closed: Served) -> None:
    form = closed.ask("GET", "/")
    assert b'type="password"' in form.body
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = closed.ask("POST", "/session", "token=wrong", kind)
    assert (wrong.status, "set-cookie" in wrong.headers) == (401, False)
    right = closed.ask("POST", "/session", f"token={TOKEN}", kind)
    assert (right.status, right.headers["location"]) == (303, "/")
    (cookie,) = SimpleCookie(right.headers["set-cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"].lower()) == (True, "strict")
    assert TOKEN not in cookie.value
    assert cookie.value == cookie_for(TOKEN)
    page = closed.ask("GET", "/", headers={"Cookie": f"img2img={cookie.value}"})
    assert b'id="drop"' in page.body


def test_a_form_that_is_no_token_is_cut_off(closed: Served) -> None:
    assert closed.ask("POST", "/session", b"x" * 5000).status == 413


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[", "photos.example@evil"]
)
def test_a_name_that_is_not_ours_is_refused_on_every_call(closed: Served, host: str) -> None:
    for method, path in (*CALLS, ("GET", "/healthz")):
        answer = closed.ask(method, path, headers={"Host": host, "Authorization": f"Bearer {TOKEN}"})
        assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8000", "photos.example", "PHOTOS.example:443"])
def test_our_names_are_taken_with_any_port(closed: Served, host: str) -> None:
    assert closed.ask("GET", "/healthz", headers={"Host": host}).status == 200


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1:1", "file://", "http://[", ""])
@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if call[0] != "GET"] + [("POST", "/session")])
def test_pages_of_others_can_neither_compute_nor_change(closed: Served, method: str, path: str, origin: str) -> None:
    answer = closed.ask(method, path, headers={"Origin": origin, "Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_our_own_page_may(closed: Served) -> None:
    ours = {"Origin": closed.address, "Authorization": f"Bearer {TOKEN}"}
    assert closed.ask("POST", "/api/v1/colorize", PHOTO, ours).status == 200
    behind_a_proxy = {"Origin": "https://photos.example", "Host": "photos.example", "Authorization": f"Bearer {TOKEN}"}
    assert closed.ask("POST", "/api/v1/colorize", PHOTO, behind_a_proxy).status == 200


def test_a_browser_that_hides_the_origin_says_whether_it_is_another_site() -> None:
    assert from_our_page(Headers({"host": "a"}))
    assert from_our_page(Headers({"host": "a", "sec-fetch-site": "same-origin"}))
    assert not from_our_page(Headers({"host": "a", "sec-fetch-site": "cross-site"}))


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/models", "/nothing"])
def test_every_answer_carries_the_policy(closed: Served, path: str) -> None:
    headers = closed.ask("GET", path).headers
    assert headers["content-security-policy"].startswith(POLICY)
    assert POLICY.startswith("default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith("access-control")]


def test_an_open_address_without_a_token_does_not_start(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from img2img.cli.app import app

    done = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"])
    assert (done.exit_code, "add --token-file" in done.output) == (2, True)
