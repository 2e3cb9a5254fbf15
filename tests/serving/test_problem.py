"""Errors as answers: their status, their words, and nothing of a traceback."""

import asyncio
import errno
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import CHECKOUT, Answer, Served, multipart, served
from tiny_critic import scored_pair
from tiny_model import tiny_model, write_tiny_model
from tiny_translator import IDENTITY, matrix_translator

from img2img.conversion.colorize_options import ColorizeOptions
from img2img.errors import Img2ImgError, MissingModel, ModelError, UnreadablePhoto, UnwritablePhoto, UsageError
from img2img.model_file import lookup
from img2img.model_file.adding.add import add_model
from img2img.model_file.adding.remove import remove_model
from img2img.serving import description
from img2img.serving.app import build_app
from img2img.serving.http_options import steered
from img2img.serving.model_cards import model_cards
from img2img.serving.problem import refusal_for
from img2img.serving.settings import ServeSettings
from img2img.serving.state import ServerState

PHOTO = (CHECKOUT / "datasets" / "samples" / "whitman-1860s.jpg").read_bytes()
CALLS = ("/api/v1/{task}", "/api/v1/previews?task={task}", "/api/v1/jobs?task={task}")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnreadablePhoto("a.jpg: not a photo"), 400),
        (UsageError("--quality 0: give a whole number"), 422),
        (UnwritablePhoto("a.webp: more than WEBP can hold; choose --format png"), 422),
        (ModelError("mine.onnx: is damaged"), 500),
        (MissingModel("mine: no such model file, nor a model's name"), 422),
        (OSError(errno.ENOSPC, "No space left on device"), 503),
        (MemoryError(), 503),
    ],
)
def test_each_kind_of_error_has_its_status(error: Exception, status: int) -> None:
    refusal = refusal_for(error)
    assert refusal.status == status
    assert (refusal.retry_after is not None) == (status == 503)
    if isinstance(error, Img2ImgError):
        assert refusal.detail.startswith(str(error))


def test_a_full_disk_is_found_behind_the_error_that_it_became() -> None:
    error = UnwritablePhoto("a.jpg: could not be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert (refusal_for(error).status, refusal_for(error).detail) == (
        503,
        "the disk is full; free some space and run it again",
    )


def test_a_mistake_of_ours_is_logged_and_told_without_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("the secret path /root/x")

    monkeypatch.setattr(description, "openapi", broken)
    with caplog.at_level(logging.ERROR, "img2img"):
        status, body = asked("/api/v1/openapi.json")
    assert status == 500
    assert json.loads(body)["detail"].startswith("RuntimeError: a mistake in img2img, not in the request")
    assert b"secret" not in body
    assert "the secret path" in caplog.text


def asked(path: str) -> tuple[int, bytes]:
    """The answer of the application itself, without a server around it."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    state = ServerState.of(ServeSettings())
    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "state": {}}

    async def ask() -> None:
        await build_app(state)(scope, receive, send)

    asyncio.run(ask())
    state.jobs.close()
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where added models lie: `snow` for colours, `there` with its way back and its critic, and `alone` without."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMG2IMG_HOME", str(folder / "home"))
        add_model(str(write_tiny_model(folder / "snow.onnx", tiny_model(0.1, 0.2), name="snow")))
        add_model(str(scored_pair(folder)), name="there")
        add_model(str(matrix_translator(folder / "alone.onnx", IDENTITY)))
        yield folder / "home" / "models"


@pytest.fixture(scope="module")
def server(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        assert {"snow", "there", "alone"} < {
            each["name"] for each in running.ask("GET", "/api/v1/models").json["models"]
        }
        yield running
        assert running.errors.read_text() == ""


def posted(server: Served, call: str, task: str, **query: str) -> Answer:
    body, headers = multipart(("a.jpg", PHOTO))
    path, _, more = call.format(task=task).partition("?")
    return server.ask("POST", path, body, headers, dict(each.split("=") for each in more.split("&") if each) | query)


def gone(answer: Answer, home: Path) -> str:
    """Its words, which name no folder of the server's."""
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json"), answer.body
    detail = str(answer.json["detail"])
    assert str(home) not in detail
    assert "`img2img models add`" in detail
    return detail


def test_model_that_is_removed_while_the_server_runs_is_told_by_its_name(home: Path, server: Served) -> None:
    remove_model("snow")
    for call in CALLS:
        words = gone(posted(server, call, "colorize", model="snow"), home)
        assert words.startswith("snow: no such model file")
        assert "Available models: colorizer" in words
    assert posted(server, CALLS[0], "colorize").status == 200


def test_way_back_and_critic_that_are_removed_are_told_and_what_is_open_serves_on(home: Path, server: Served) -> None:
    there, away = home / "there", home.parent / "away"
    away.mkdir()
    lacking = {"cycle": ("b2a.onnx", "to go back"), "score": ("critic.onnx", "for scores")}
    for file, _ in lacking.values():
        (there / file).rename(away / file)
    for option, (file, purpose) in lacking.items():
        for call in (CALLS[0], CALLS[2]):
            words = gone(posted(server, call, "translate", model="there", **{option: "true"}), home)
            assert words.startswith(f"{file}: not there, and there.onnx needs it {purpose}")
    for call in CALLS:
        assert posted(server, call, "translate", model="there").status in (200, 201, 202)
    for file, _ in lacking.values():
        (away / file).rename(there / file)
    asked = dict.fromkeys(lacking, "true") | {"model": "there"}
    before = posted(server, CALLS[0], "translate", **asked)
    there.rename(home / "elsewhere")
    after = posted(server, CALLS[0], "translate", **asked)
    assert (before.status, after.body) == (200, before.body)
    gone(posted(server, CALLS[2], "translate", **asked), home)


@pytest.mark.parametrize("query", [{"cycle": "true"}, {"score": "true"}, {"min-score": "0.5"}])
def test_what_no_card_names_is_an_option_too_many(server: Served, query: dict[str, str]) -> None:
    for call in CALLS:
        answer = posted(server, call, "translate", model="alone", **query)
        (option,) = query
        asked, _, says = answer.json["detail"].partition(": ")
        assert (answer.status, says.startswith("--model alone names no ")) == (422, True), answer.body
        assert f"--{option}" in asked.split(" and ")


def test_default_model_that_was_never_there_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "checkpoints", lambda: tmp_path)
    model_cards.cache_clear()
    try:
        with pytest.raises(MissingModel, match="colorizer: no such model file"):
            steered(ColorizeOptions(warmth=1), {})
    finally:
        model_cards.cache_clear()
